/** Signals of the process. @module */
import process from "node:process";
import type { Signal, Signals } from "../ports/signals.ts";

/** What the system calls the signals we listen to. */
const meanings = { SIGINT: "stop", SIGTERM: "stop", SIGHUP: "reload" } as const satisfies Record<
  string,
  Signal
>;

/** The signals sent to this process. */
export const systemSignals: Signals = {
  onSignal(fn) {
    const listeners = Object.entries(meanings).map(([name, signal]) => {
      const listener = () => fn(signal);
      process.on(name, listener);
      return () => void process.off(name, listener);
    });
    return () => listeners.forEach((remove) => remove());
  },
};
