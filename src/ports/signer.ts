/**
 * Signs short texts with a secret of this broker, so that what we hand out cannot be forged.
 *
 * @module
 */

/** The secret stays inside. */
export interface Signer {
  /** A signature of `text`: 22 letters, digits, `-` and `_`. */
  sign(text: string): string;
  /** Whether `signature` is the one of `text`, in a time that tells nothing about it. */
  verify(text: string, signature: string): boolean;
}
