// What the transmitter tells the receiver now and then: the payload of a data packet. An app with sensors puts its readings here, and raises the
// protocol version of both apps when the layout changes. Pure: values in, bytes out, and back.
//
//   u32 uptime, seconds │ u32 free heap, bytes │ u16 number of the telemetry since the boot          little-endian

export interface Telemetry {
  readonly uptimeSeconds: number;
  readonly freeHeapBytes: number;
  /** 0 to 65 535, and 0 again. */
  readonly count: number;
}

const BYTES = 10;

export function writeTelemetry({ uptimeSeconds, freeHeapBytes, count }: Telemetry): Uint8Array {
  const bytes = new Uint8Array(BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, uptimeSeconds, true);
  view.setUint32(4, freeHeapBytes, true);
  view.setUint16(8, count, true);
  return bytes;
}

/** `undefined`: it has another length. */
export function readTelemetry(payload: Uint8Array): Telemetry | undefined {
  if (payload.length !== BYTES) return undefined;
  const view = new DataView(payload.buffer, payload.byteOffset);
  return {
    uptimeSeconds: view.getUint32(0, true),
    freeHeapBytes: view.getUint32(4, true),
    count: view.getUint16(8, true),
  };
}
