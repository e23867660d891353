// The packets by which paired devices tell each other what they run: written, and read from the air. Byte for byte the packed,
// little-endian C structure of pairs that were built without Skyslot, which is why one that was can be updated beside another that was not.
// It never changes: two versions of a pair that cannot exchange data any more still have to understand each other's versions.
//
//   0      1                  5                  6               10                    26                  38                 47
//   ├──────┼──────────────────┼──────────────────┼───────────────┼─────────────────────┼───────────────────┼──────────────────┤
//   │ type │ firmware_version │ protocol_version │ min_compatible│ device_type         │ build_date        │ build_time       │
//   │ u8   │ u32              │ u8               │ u32           │ char[16]            │ char[12]          │ char[9]          │
//   └──────┴──────────────────┴──────────────────┴───────────────┴─────────────────────┴───────────────────┴──────────────────┘
//
// A text ends at its first zero, or with its field: strncpy() leaves none behind a text that fills it.

/** The first byte: what the packet is for. Its content is the sender's identity in each. */
export const ANNOUNCE = 0x10;
export const REQUEST = 0x11;
export const RESPONSE = 0x12;

export type VersionPacketType = typeof ANNOUNCE | typeof REQUEST | typeof RESPONSE;

export const VERSION_PACKET_BYTES = 47;

const TYPE_AT = 10;
const DATE_AT = 26;
const TIME_AT = 38;

export interface FirmwareVersion {
  /** MAJOR * 10 000 + MINOR * 100 + PATCH: `versionNumber` of update/version.ts. 0 to 2³² − 1. */
  readonly firmwareVersion: number;
  /** Of what the two say to each other, 0 to 255: both have to speak the same. */
  readonly protocolVersion: number;
  /** The oldest version, as a number, that the other one may run. */
  readonly minCompatible: number;
  /** Such as `receiver`: 1 to 16 printable ASCII characters; of our own, 15 are sent. */
  readonly deviceType: string;
  /** As C's `__DATE__` and `__TIME__`; may be empty. */
  readonly buildDate: string;
  readonly buildTime: string;
}

export interface VersionPacket extends FirmwareVersion {
  readonly type: VersionPacketType;
}

/** Texts that are too long are cut, so that a zero is behind each; characters that are not printable ASCII are sent as `?`. */
export function writeVersionPacket(packet: VersionPacket): Uint8Array {
  const bytes = new Uint8Array(VERSION_PACKET_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, packet.type);
  view.setUint32(1, packet.firmwareVersion, true);
  view.setUint8(5, packet.protocolVersion);
  view.setUint32(6, packet.minCompatible, true);
  putText(bytes, TYPE_AT, DATE_AT, packet.deviceType);
  putText(bytes, DATE_AT, TIME_AT, packet.buildDate);
  putText(bytes, TIME_AT, VERSION_PACKET_BYTES, packet.buildTime);
  return bytes;
}

/** The packet in a frame; `undefined`: it is another one, has another length, or has texts that are none. Anyone may have sent it. */
export function readVersionPacket(frame: Uint8Array): VersionPacket | undefined {
  const type = frame[0];
  if (frame.length !== VERSION_PACKET_BYTES || !isVersionPacketType(type)) return undefined;
  const deviceType = textOf(frame, TYPE_AT, DATE_AT);
  const buildDate = textOf(frame, DATE_AT, TIME_AT);
  const buildTime = textOf(frame, TIME_AT, VERSION_PACKET_BYTES);
  if (!deviceType || buildDate === undefined || buildTime === undefined) return undefined;
  const view = new DataView(frame.buffer, frame.byteOffset);
  return {
    type,
    firmwareVersion: view.getUint32(1, true),
    protocolVersion: view.getUint8(5),
    minCompatible: view.getUint32(6, true),
    deviceType,
    buildDate,
    buildTime,
  };
}

const isVersionPacketType = (type: number | undefined): type is VersionPacketType =>
  type === ANNOUNCE || type === REQUEST || type === RESPONSE;

function putText(bytes: Uint8Array, start: number, end: number, text: string): void {
  const length = Math.min(text.length, end - start - 1);
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i);
    bytes[start + i] = isPrintable(code) ? code : 0x3f;
  }
}

function textOf(bytes: Uint8Array, start: number, end: number): string | undefined {
  let text = "";
  for (let i = start; i < end; i++) {
    const code = bytes[i] ?? 0;
    if (code === 0) break;
    if (!isPrintable(code)) return undefined;
    text += String.fromCharCode(code);
  }
  return text;
}

const isPrintable = (code: number): boolean => code >= 0x20 && code < 0x7f;
