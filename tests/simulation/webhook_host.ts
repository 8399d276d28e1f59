/** Where producers listen. @module */

/** The one host that may be asked by webhook. */
export const producersHost = "producers.sim";

/** Mistakes of whoever carries webhooks. */
export type WebhookMistake =
  | "counts webhooks that reached nobody"
  | "hears the opposite of a webhook's verdict";
