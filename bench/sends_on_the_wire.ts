/** What a RocketMQ client's sends are on the wire, for benches. @module */
import { encodeCommand } from "../src/protocol/remoting/command_frames.ts";

/** Chunk of `count` V2 sends with JSON headers, of bodies of `bodyBytes`. */
export function sendsOnTheWire(topic: string, count: number, bodyBytes: number): Uint8Array {
  const body = new Uint8Array(bodyBytes).fill(120);
  const frames: Uint8Array[] = [];
  for (let opaque = 0; opaque < count; opaque++) {
    const command = {
      ...{ code: 310, language: "JAVA", version: 479, opaque, flag: 0, remark: undefined },
      extFields: {
        ...{ a: "please_rename_unique_group_name", b: topic, c: "TBW102", d: "4" },
        ...{ e: "3", f: "0", g: "1700000000000", h: "0", j: "0", k: "false", m: "false" },
        i: "KEYS\x01order-1234\x02UNIQ_KEY\x017F0000010DC818B4AAC20A1B2C3D0001\x02" +
          "WAIT\x01true\x02TAGS\x01TagA\x02",
        n: "curlew",
      },
      serializer: "json",
    } as const;
    frames.push(...encodeCommand(command, body));
  }
  return new Uint8Array(frames.flatMap((frame) => [...frame]));
}
