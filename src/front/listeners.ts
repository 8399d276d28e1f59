/** Which protocol listens where. @module */
import { limits } from "../base/limits.ts";
import { BrokerError } from "../model/errors.ts";
import type { HttpServer } from "../ports/http.ts";
import type { Connection, SocketAddress } from "../ports/sockets.ts";
import { RemotingSessions, silenceLookMs } from "../protocol/remoting/sessions.ts";
import type { Runtime } from "../runtime/mod.ts";
import { serveHttp, stopHttp } from "./http.ts";
import type { ListenerParts } from "./parts.ts";

/** How long peers may take to close after the last answer; then they are cut. */
const lastAnswerMsMax = 500;
const endStepMs = 20;

/** Everything that listens. */
export type Listeners = {
  readonly http: string;
  readonly remoting: string;
  /** Takes no new work at once; ends the connections when `drained`, with all answers sent. */
  stop(drained: Promise<void>): Promise<void>;
};

/**
 * Opens every listener.
 *
 * @throws {BrokerError} `conflict`: an address cannot be had; nothing listens then.
 */
export async function startListeners(parts: ListenerParts): Promise<Listeners> {
  try {
    return await listenAll(parts);
  } catch (thrown) {
    // The system's own errors name the address; others are mistakes of ours and stay what they are.
    if (!(thrown instanceof Error) || !("code" in thrown)) throw thrown;
    throw new BrokerError("conflict", thrown.message, { cause: thrown });
  }
}

async function listenAll(parts: ListenerParts): Promise<Listeners> {
  const { log, settings, runtime } = parts;
  const sessions = sessionsOf(parts);
  let connections = 0;
  /** Bounded by `connectionsMax`. */
  const open = new Set<Connection>();
  const remoting = await runtime.sockets.listen({
    host: settings.host,
    port: settings.remotingPort,
    connectionsMax: limits.connectionsMax,
    onConnection: (connection) => {
      const number = ++connections;
      const session = sessions.open(number, connection);
      open.add(connection);
      connection.listen({
        onData: (chunk) => session.feed(chunk),
        onDrain: () => session.drained(),
        onClose: () => {
          open.delete(connection);
          sessions.close(number);
        },
      });
    },
    onError: (error) => log.error("remoting listener failed", { reason: error }),
  });
  const remotingText = addressText(remoting.address);
  let http: HttpServer;
  try {
    http = await serveHttp(parts, [remotingText]);
  } catch (thrown) {
    await remoting.close();
    throw thrown;
  }
  const stopLooking = repeat(silenceLookMs, () => sessions.endSilent(), runtime);
  return {
    http: addressText(http.address),
    remoting: remotingText,
    async stop(drained) {
      stopLooking();
      sessions.stop();
      // What is parked is answered by the drain, so HTTP may wait for it while it happens.
      await Promise.all([remoting.close(), stopHttp(http), drained]);
      await endAll(open, runtime);
      remoting.destroyConnections();
    },
  };
}

function sessionsOf({ broker, log, settings, runtime }: ListenerParts): RemotingSessions {
  const { clusterName, brokerName, advertise, autoCreateTopics, traceTopic } = settings;
  return new RemotingSessions({
    broker,
    settings: {
      clusterName,
      brokerName,
      advertise,
      autoCreateTopics,
      region: "DefaultRegion",
      traceOn: traceTopic,
    },
    clock: runtime.clock,
    timers: runtime.timers,
    log,
    bootMs: runtime.clock.wallMs(),
  });
}

/** Ends connections with what was answered. A peer that does not take it is not waited for long. */
async function endAll(open: ReadonlySet<Connection>, { timers }: Runtime): Promise<void> {
  // The answers of the drain are written by the handlers within this turn.
  await new Promise<void>((resolve) => timers.immediate(resolve));
  for (const connection of open) connection.end();
  for (let waitedMs = 0; open.size > 0 && waitedMs < lastAnswerMsMax; waitedMs += endStepMs) {
    await new Promise<void>((resolve) => timers.setTimer(endStepMs, resolve));
  }
}

/** Calls `fn` every `intervalMs`. Returns how to stop. */
function repeat(intervalMs: number, fn: () => void, { timers }: Runtime): () => void {
  let cancel = timers.setTimer(intervalMs, again);
  function again(): void {
    cancel = timers.setTimer(intervalMs, again);
    fn();
  }
  return () => cancel();
}

function addressText({ host, port }: SocketAddress): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
