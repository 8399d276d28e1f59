/** The heap of JavaScriptCore, which lets it double before it collects. @module */
import { createRequire } from "node:module";
import type { Memory } from "../../ports/memory.ts";

/** As much of `bun:jsc` as is used here; no other runtime can name it. */
type Jsc = { edenGC(): number };
declare const Bun: { gc(waits: boolean): number; shrink(): void };

/** Made on Bun only. */
export function bunMemory(): Memory {
  const jsc: Jsc = createRequire(import.meta.url)("bun:jsc");
  return {
    collectYoung: () => void jsc.edenGC(),
    collectAll() {
      Bun.gc(true);
      Bun.shrink();
    },
  };
}
