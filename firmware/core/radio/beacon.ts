// How a device without a network finds its gateway: it asks on one channel after another, and a gateway of its group says that it is there. A
// gateway also says so by itself now and then, for devices that listen. Pure: values in, bytes out, and back.
//
//   0x28 beacon   u8 type │ u8 version, 1 │ u32 group │ u8 channel, 0: of no request      gateway ─► all
//   0x29 seek     u8 type │ u8 version, 1 │ u32 group │ u8 channel                        device ─► all, or its gateway
//
// A beacon repeats the channel of the request that it answers: it may wait in a radio's queue while the device goes to the next channel.
//
// A group keeps neighbours apart, nothing more: anyone can send these. What a gateway passes on proves itself (signatures, digests).

import { fnv1a } from "../fnv.js";

const BEACON = 0x28;
export const SEEK = 0x29;
const VERSION = 1;
const FRAME_BYTES = 7;
const MAX_CHANNEL = 13;

export interface Beacon {
  readonly type: "beacon" | "seek";
  /** See groupOf. */
  readonly group: number;
  /** 1 to 13, on which the device has asked; 0: nobody has asked. */
  readonly channel: number;
}

/** `undefined`: it is none, or of a later version. */
export function readBeacon(bytes: Uint8Array): Beacon | undefined {
  const [type, version] = bytes;
  if (version !== VERSION || (type !== BEACON && type !== SEEK) || bytes.length < FRAME_BYTES)
    return undefined;
  const group = new DataView(bytes.buffer, bytes.byteOffset).getUint32(2, true);
  const channel = bytes[FRAME_BYTES - 1]!;
  return channel > MAX_CHANNEL ? undefined : { type: type === BEACON ? "beacon" : "seek", group, channel };
}

export function writeBeacon({ type, group, channel }: Beacon): Uint8Array {
  const bytes = new Uint8Array(FRAME_BYTES);
  bytes[0] = type === "beacon" ? BEACON : SEEK;
  bytes[1] = VERSION;
  new DataView(bytes.buffer).setUint32(2, group, true);
  bytes[FRAME_BYTES - 1] = channel;
  return bytes;
}

/** The number of a group by its name. */
export const groupOf = (name: string): number => fnv1a(name);
