/** A fuzzer of whole remoting sessions. @module */
import { SessionFuzz } from "../conformance/remoting/session_fuzz.ts";
import type { Fuzzer } from "./fuzzer.ts";

/** Frames of one case: enough for one to meet what those before it left behind. */
const framesPerCase = 100;

/** By name. */
export const sessionFuzzers: Readonly<Record<string, Fuzzer>> = {
  sessions: {
    claim: "whatever 100 frames clients send, a session answers or closes, and keeps nothing",
    gateRuns: 20,
    begin: () => async (prng) => {
      const fuzz = new SessionFuzz();
      for (let sent = 0; sent < framesPerCase; sent++) await fuzz.send(prng);
      await fuzz.end();
    },
  },
};
