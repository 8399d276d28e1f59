/**
 * Webhooks by the runtime's `fetch`. Each request is signed, so that its receiver knows who asks:
 *
 *     Curlew-Timestamp: 1700000000000
 *     Curlew-Signature: sha256=<HMAC-SHA256 over "timestamp.body", in hex>
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { createHmac } from "node:crypto";
import type { Clock } from "../base/clock.ts";
import { limits } from "../base/limits.ts";
import type { Webhook, WebhookOutcome } from "../ports/webhook.ts";

/** Webhooks signed with this secret, which their receivers know too. */
export function webhookWith(secret: string, clock: Clock): Webhook {
  return {
    async post(url, body): Promise<WebhookOutcome> {
      const timestamp = String(clock.wallMs());
      const signature = createHmac("sha256", secret).update(`${timestamp}.${body}`).digest("hex");
      const late = AbortSignal.timeout(limits.webhookMsMax);
      try {
        const response = await fetch(url, {
          method: "POST",
          body,
          redirect: "manual",
          signal: late,
          headers: {
            "content-type": "application/json",
            "curlew-timestamp": timestamp,
            "curlew-signature": `sha256=${signature}`,
          },
        });
        return await answerOf(response);
      } catch (thrown) {
        const reason = thrown instanceof Error ? thrown.message : String(thrown);
        // Whoever took the connection and says nothing was asked all the same.
        return { kind: late.aborted ? "silent" : "unreached", reason };
      }
    },
  };
}

async function answerOf(response: Response): Promise<WebhookOutcome> {
  const { status, body } = response;
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  try {
    for await (const chunk of body ?? []) {
      bytes += chunk.length;
      if (bytes > limits.webhookAnswerBytesMax) {
        return { kind: "silent", reason: `the answer is longer than ${bytes} bytes` };
      }
      chunks.push(chunk);
    }
  } catch (thrown) {
    return { kind: "silent", reason: `the answer was cut: ${String(thrown)}` };
  }
  return { kind: "answered", status, body: new TextDecoder().decode(Buffer.concat(chunks)) };
}
