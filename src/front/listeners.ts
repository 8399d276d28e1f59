/** Which protocol listens where. @module */
import type { Settings } from "../config/schema.ts";
import { BrokerError } from "../model/errors.ts";
import { regionName } from "../model/names.ts";
import type { HttpServer } from "../ports/http.ts";
import type { Connection } from "../ports/sockets.ts";
import type { RemotingSettings } from "../protocol/remoting/call.ts";
import { advertisedTo } from "../protocol/remoting/peer.ts";
import { RemotingSessions, silenceLookMs } from "../protocol/remoting/sessions.ts";
import type { Runtime } from "../runtime/mod.ts";
import { addressText, advertisedNetworksOf, dialled } from "./addresses.ts";
import { crowdLookMs, CrowdMemory } from "./crowd_memory.ts";
import { serveHttp, stopHttp } from "./http.ts";
import type { ListenerParts } from "./parts.ts";
import { openRemotingDoors, type RemotingDoors } from "./remoting_doors.ts";
import { openTlsKeys, type TlsKeys, tlsLookMs } from "./tls_keys.ts";

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
  const { settings, runtime, log } = parts;
  const { clock, files, tls } = runtime;
  const sessionSettings = sessionSettingsOf(settings);
  const keys = await openTlsKeys({ settings, files, tls, clock, log });
  const sessions = sessionsOf(parts, sessionSettings);
  const remoting = await openRemotingDoors(parts, sessions, keys);
  let http: HttpServer;
  try {
    http = await serveHttp(parts, settings.tlsHttp ? keys : null, (remoteHost, dialledHost) => {
      const told = advertisedTo(remoteHost, sessionSettings);
      const places = told === null
        ? remoting.addresses.map((address) => dialled(address, dialledHost))
        : [told];
      return places.map(addressText);
    });
  } catch (thrown) {
    await remoting.close();
    throw thrown;
  }
  const stopLooking = repeat(silenceLookMs, () => sessions.endSilent(), runtime);
  const stopCollecting = collectForCrowds(runtime, remoting);
  const httpKeys = settings.tlsHttp ? http : null;
  const stopTlsLooking = repeat(tlsLookMs, () => void lookAtKeys(keys, httpKeys), runtime);
  return {
    http: addressText(http.address),
    remoting: addressText(remoting.addresses[0] ?? { host: settings.host, port: 0 }),
    async stop(drained) {
      stopLooking();
      stopTlsLooking();
      stopCollecting();
      sessions.stop();
      // What is parked is answered by the drain, so HTTP may wait for it while it happens.
      await Promise.all([remoting.close(), stopHttp(http), drained]);
      await endAll(remoting.open, runtime);
      remoting.destroyConnections();
    },
  };
}

function collectForCrowds(runtime: Runtime, { open, traffic }: RemotingDoors): () => void {
  if (runtime.memory === null) return () => {};
  const crowd = new CrowdMemory(runtime.memory);
  return repeat(crowdLookMs, () => crowd.look(open.size, traffic.chunks), runtime);
}

/** Remoting asks for the newest keys itself, once a connection; an HTTP server is told of them. */
async function lookAtKeys(keys: TlsKeys | null, http: HttpServer | null): Promise<void> {
  const before = keys?.context;
  await keys?.look();
  if (keys && keys.context !== before) await http?.replaceTls(keys.context.identity);
}

function sessionSettingsOf(settings: Settings): RemotingSettings {
  const { clusterName, brokerName, advertise, autoCreateTopics, traceTopic } = settings;
  return {
    clusterName,
    brokerName,
    advertise,
    advertiseNetworks: advertisedNetworksOf("advertiseNetworks", settings.advertiseNetworks),
    autoCreateTopics,
    region: regionName,
    traceOn: traceTopic,
  };
}

function sessionsOf(
  { broker, log, runtime }: ListenerParts,
  settings: RemotingSettings,
): RemotingSessions {
  return new RemotingSessions({
    broker,
    settings,
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
