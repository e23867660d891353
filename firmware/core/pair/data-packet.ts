// What paired devices send each other once they know that they fit: data, and the probes that measure their link. Each is acknowledged by
// the firmware that has read it; that the radio acknowledges a frame says nothing about the firmware behind it.
//
//   DATA   0x01   u8 type │ u8 protocol │ u16 sequence │ payload, 0 to 240 bytes
//   PROBE  0x02   u8 type │ u16 sequence
//   ACK    0x03   u8 type │ u8 type of what it acknowledges │ u16 its sequence │ i8 rssi, dBm, at which it was heard
//
// Little-endian. Data names the protocol of its payload: a device that has just been updated is not misread before its version is known.

export const DATA = 0x01;
export const PROBE = 0x02;
export const ACK = 0x03;

const DATA_HEADER_BYTES = 4;
/** Longest payload of one packet. */
export const MAX_PAYLOAD_BYTES = 240;

export type DataPacket =
  | {
      readonly type: typeof DATA;
      /** 0 to 255. */
      readonly protocolVersion: number;
      /** Counts up, from anywhere, and is 0 again after 65 535. */
      readonly sequence: number;
      readonly payload: Uint8Array;
    }
  | { readonly type: typeof PROBE; readonly sequence: number }
  | {
      readonly type: typeof ACK;
      readonly acknowledges: typeof DATA | typeof PROBE;
      readonly sequence: number;
      readonly rssi: number;
    };

/** @throws RangeError if a payload is longer than MAX_PAYLOAD_BYTES */
export function writeDataPacket(packet: DataPacket): Uint8Array {
  switch (packet.type) {
    case DATA: {
      const { payload, protocolVersion, sequence } = packet;
      if (payload.length > MAX_PAYLOAD_BYTES)
        throw new RangeError(`payload is ${payload.length} bytes, at most ${MAX_PAYLOAD_BYTES} fit a packet`);
      const bytes = new Uint8Array(DATA_HEADER_BYTES + payload.length);
      bytes[0] = DATA;
      bytes[1] = protocolVersion;
      putSequence(bytes, 2, sequence);
      bytes.set(payload, DATA_HEADER_BYTES);
      return bytes;
    }
    case PROBE: {
      const bytes = Uint8Array.of(PROBE, 0, 0);
      putSequence(bytes, 1, packet.sequence);
      return bytes;
    }
    default: {
      const bytes = Uint8Array.of(ACK, packet.acknowledges, 0, 0, packet.rssi);
      putSequence(bytes, 2, packet.sequence);
      return bytes;
    }
  }
}

/** The packet in a frame; `undefined`: it is another one, or has another length. The payload is a view of the frame. */
export function readDataPacket(frame: Uint8Array): DataPacket | undefined {
  switch (frame[0]) {
    case DATA: {
      const isWhole =
        frame.length >= DATA_HEADER_BYTES && frame.length <= DATA_HEADER_BYTES + MAX_PAYLOAD_BYTES;
      if (!isWhole) return undefined;
      const payload = frame.subarray(DATA_HEADER_BYTES);
      return { type: DATA, protocolVersion: frame[1] ?? 0, sequence: sequenceAt(frame, 2), payload };
    }
    case PROBE:
      return frame.length === 3 ? { type: PROBE, sequence: sequenceAt(frame, 1) } : undefined;
    case ACK: {
      const acknowledges = frame[1];
      if (frame.length !== 5 || (acknowledges !== DATA && acknowledges !== PROBE)) return undefined;
      return { type: ACK, acknowledges, sequence: sequenceAt(frame, 2), rssi: ((frame[4] ?? 0) << 24) >> 24 };
    }
    default:
      return undefined;
  }
}

/** What follows a sequence number. */
export const nextSequence = (sequence: number): number => (sequence + 1) & 0xffff;

function putSequence(bytes: Uint8Array, at: number, sequence: number): void {
  bytes[at] = sequence;
  bytes[at + 1] = sequence >> 8;
}

const sequenceAt = (bytes: Uint8Array, at: number): number => (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8);
