/** A role that echoes, and fails in the ways a role can: for the tests of threads. @module */
import type { RoleStart } from "../../src/ports/threads.ts";

/** What the role is told by its start data. */
export type EchoData = { readonly greeting: string; readonly failAtStart?: boolean };

/** Echoes buffers on its first port; does what the words say. */
export function runRole({ data, ports }: RoleStart): Promise<void> {
  const { greeting, failAtStart } = data as EchoData;
  const [port] = ports;
  if (failAtStart || port === undefined) return Promise.reject(new Error("planted at the start"));
  return new Promise((resolve, reject) => {
    port.onmessage = ({ data: message }) => {
      if (message instanceof ArrayBuffer) port.postMessage(message, [message]);
      if (message === "close") resolve();
      if (message === "reject") reject(new RangeError("planted in the promise"));
      if (message === "throw") throw new Error("planted in a callback");
      if (message === "spin") {
        for (;;);
      }
    };
    port.postMessage(greeting);
  });
}

/** A heavy task: the sum of what it is given. */
export function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** A heavy task that takes a buffer over and says how long it is. */
export function byteLength(buffer: ArrayBuffer): number {
  return buffer.byteLength;
}

/** A heavy task that fails. */
export function fail(message: string): never {
  throw new TypeError(message);
}

/** A heavy task that lasts until its thread is ended. */
export function forever(): Promise<never> {
  return new Promise(() => {
    setInterval(() => {}, 1000);
  });
}
