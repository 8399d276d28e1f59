/** Processes of the runtime that the tests run on. @module */
import { type ChildProcess, spawn } from "node:child_process";
import process from "node:process";

/** A process whose output can be read line by line. */
export class OwnProcess {
  readonly #child: ChildProcess;
  readonly #lines: string[] = [];
  readonly exited: Promise<void>;
  #partial = "";
  #wake: () => void = () => {};
  #over = false;

  /** Runs `source`, a module, on this runtime. Its errors go to the tests' own. */
  constructor(source: string) {
    const args = "Deno" in globalThis ? ["eval", "--no-check", source] : ["-e", source];
    this.#child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
    this.#child.stdout?.on("data", (chunk: Uint8Array) => this.#take(chunk.toString()));
    this.exited = new Promise((resolve) => {
      this.#child.once("exit", () => {
        this.#over = true;
        this.#wake();
        resolve();
      });
    });
  }

  /** The next line it prints, or `null` when it has ended. */
  async nextLine(): Promise<string | null> {
    while (this.#lines.length === 0 && !this.#over) {
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
    return this.#lines.shift() ?? null;
  }

  /** Sends a signal to it, and to nothing else. */
  signal(name: "SIGINT" | "SIGTERM" | "SIGHUP" | "SIGKILL"): void {
    // Not `child.kill`: on Deno it does nothing the second time.
    if (this.#child.pid !== undefined && !this.#over) process.kill(this.#child.pid, name);
  }

  #take(text: string): void {
    const lines = (this.#partial + text).split("\n");
    this.#partial = lines.pop() ?? "";
    this.#lines.push(...lines);
    this.#wake();
  }
}
