// How a device without a network finds its gateway: it asks on one channel after another, and a gateway of its group says that it is there. A
// gateway also says so by itself now and then, for devices that listen. Pure: values in, bytes out, and back.
//
//   0x28 beacon   u8 type │ u8 version, 1 │ u32 group │ u8 channel, 0: not known      gateway ─► whoever asked, or all
//   0x29 seek     u8 type │ u8 version, 1 │ u32 group                                 device ─► all, or its gateway
//
// The channel is said because a radio also hears strong senders of the channel beside its own.
//
// A group keeps neighbours apart, nothing more: anyone can send these. What a gateway passes on proves itself (signatures, digests).

const BEACON = 0x28;
const SEEK = 0x29;
const VERSION = 1;
const SEEK_BYTES = 6;
const BEACON_BYTES = 7;
const MAX_CHANNEL = 13;

export type Beacon =
  | {
      readonly type: "beacon";
      /** See groupOf. */
      readonly group: number;
      /** 1 to 13 on which the gateway is; 0: it does not know. */
      readonly channel: number;
    }
  | { readonly type: "seek"; readonly group: number };

/** `undefined`: it is none, or of a later version. */
export function readBeacon(bytes: Uint8Array): Beacon | undefined {
  const [type, version] = bytes;
  if (version !== VERSION || (type !== BEACON && type !== SEEK)) return undefined;
  if (bytes.length < (type === BEACON ? BEACON_BYTES : SEEK_BYTES)) return undefined;
  const group = new DataView(bytes.buffer, bytes.byteOffset).getUint32(2, true);
  if (type === SEEK) return { type: "seek", group };
  const channel = bytes[SEEK_BYTES] ?? 0;
  return channel > MAX_CHANNEL ? undefined : { type: "beacon", group, channel };
}

export function writeBeacon(beacon: Beacon): Uint8Array {
  const isBeacon = beacon.type === "beacon";
  const bytes = new Uint8Array(isBeacon ? BEACON_BYTES : SEEK_BYTES);
  bytes[0] = isBeacon ? BEACON : SEEK;
  bytes[1] = VERSION;
  new DataView(bytes.buffer).setUint32(2, beacon.group, true);
  if (isBeacon) bytes[SEEK_BYTES] = beacon.channel;
  return bytes;
}

const OFFSET_BASIS = 0x811c9dc5;
const PRIME = 0x01000193;

/** The number of a group by its name: FNV-1a of its characters, 32 bits. */
export function groupOf(name: string): number {
  let hash = OFFSET_BASIS;
  for (let at = 0; at < name.length; at++) hash = Math.imul(hash ^ name.charCodeAt(at), PRIME);
  return hash >>> 0;
}
