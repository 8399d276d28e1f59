/** How a simulated disk behaves from write to write: the odds are the seed's. @module */
import type { Prng } from "../../src/base/prng.ts";
import type { FaultRates } from "./options.ts";
import type { Scheduler } from "./scheduler.ts";
import type { DiskOperation } from "./sim_image.ts";
import type { WriteFate } from "./sim_store.ts";

/** One disk's mood. A full disk stays full for a while; other faults are of the moment. */
export type DiskWeather = { readonly prng: Prng; fullUntilMs: number };

/** A disk with room. */
export function newWeather(prng: Prng): DiskWeather {
  return { prng, fullUntilMs: 0 };
}

/** What happens to a write. `rates` `null`: nothing bad. */
export function drawFate(
  weather: DiskWeather,
  rates: FaultRates | null,
  operation: DiskOperation,
  scheduler: Scheduler,
): WriteFate {
  if (rates === null) {
    weather.fullUntilMs = 0;
    return "done";
  }
  const { prng } = weather;
  if (prng.chance(rates.crash)) return prng.chance(0.5) ? "crash-before" : "crash-after";
  if (prng.chance(rates.io)) return prng.chance(0.5) ? "io-before" : "io-after";
  if (prng.chance(rates.full)) weather.fullUntilMs = scheduler.nowMs + prng.between(1, 3_000);
  if (weather.fullUntilMs <= scheduler.nowMs) return "done";
  // Given up, the ballast leaves room for small changes; sometimes not even for those.
  const grows = operation.kind === "turn" &&
    operation.record.entries.length + operation.record.delayedPuts.length > 0;
  return grows || prng.chance(0.2) ? "full" : "done";
}
