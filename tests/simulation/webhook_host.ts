/** Where producers listen. @module */

/** The one host that may be asked by webhook. */
export const producersHost = "producers.sim";
