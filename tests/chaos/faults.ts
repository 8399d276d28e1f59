/** The faults that are injected into running brokers, by name. @module */

/** What a proof is told. */
export type ProofOptions = { readonly seed: number; readonly isReduced: boolean };

/** Name → proof; each answers its figures, or throws. */
export const faultProofs: Readonly<Record<string, (options: ProofOptions) => Promise<string>>> = {};
