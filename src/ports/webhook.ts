/** Asking a program outside by HTTP. @module */

/**
 * What came of it. `answered`: with any status. `silent`: it was asked, and did not answer in time
 * or in bounds. `unreached`: nobody was asked.
 */
export type WebhookOutcome =
  | { readonly kind: "answered"; readonly status: number; readonly body: string }
  | { readonly kind: "silent"; readonly reason: string }
  | { readonly kind: "unreached"; readonly reason: string };

/** Signed requests to others. Redirects are not followed; time and size are bounded. */
export interface Webhook {
  /** Posts JSON text. Never rejects. */
  post(url: string, body: string): Promise<WebhookOutcome>;
}
