import { expect } from "chai";
import {
  ACK,
  DATA,
  type DataPacket,
  MAX_PAYLOAD_BYTES,
  nextSequence,
  PROBE,
  readDataPacket,
  writeDataPacket,
} from "../../../../firmware/core/pair/data-packet.js";
import { MAX_FRAME_BYTES } from "../../../../firmware/core/radio/vocabulary.js";

const data = (payload: Uint8Array, sequence = 0xabcd): DataPacket => ({
  type: DATA,
  protocolVersion: 2,
  sequence,
  payload,
});

describe("packets of data between paired devices", () => {
  it("have these bytes", () => {
    expect(writeDataPacket(data(Uint8Array.of(7, 8, 9)))).deep.equal(
      Uint8Array.of(0x01, 2, 0xcd, 0xab, 7, 8, 9),
    );
    expect(writeDataPacket({ type: PROBE, sequence: 0x1234 })).deep.equal(Uint8Array.of(0x02, 0x34, 0x12));
    expect(writeDataPacket({ type: ACK, acknowledges: PROBE, sequence: 0x1234, rssi: -70 })).deep.equal(
      Uint8Array.of(0x03, 0x02, 0x34, 0x12, 0xba),
    );
  });

  it("are read as they were written", () => {
    const packets: readonly DataPacket[] = [
      data(Uint8Array.of(1, 2, 3)),
      data(new Uint8Array(0), 0),
      data(new Uint8Array(MAX_PAYLOAD_BYTES).fill(0xff), 0xffff),
      { type: PROBE, sequence: 0xfffe },
      { type: ACK, acknowledges: DATA, sequence: 0x8000, rssi: -1 },
      { type: ACK, acknowledges: PROBE, sequence: 0, rssi: 0 },
      { type: ACK, acknowledges: PROBE, sequence: 1, rssi: -128 },
    ];
    for (const packet of packets) {
      const bytes = writeDataPacket(packet);
      expect(bytes.length).most(MAX_FRAME_BYTES);
      expect(readDataPacket(bytes)).deep.equal(packet);
    }
  });

  it("are refused with a payload that fits no packet", () => {
    expect(() => writeDataPacket(data(new Uint8Array(MAX_PAYLOAD_BYTES + 1)))).to.throw(
      RangeError,
      "payload is 241 bytes, at most 240 fit a packet",
    );
    expect(readDataPacket(new Uint8Array(245).fill(DATA))).equal(undefined);
  });

  it("are not read from frames of another type or length", () => {
    for (const frame of [
      [],
      [0x00],
      [0x01],
      [0x01, 2, 3],
      [0x02],
      [0x02, 1],
      [0x02, 1, 2, 3],
      [0x03, 1, 2, 3],
      [0x03, 1, 2, 3, 4, 5],
      [0x03, 3, 2, 3, 4],
      [0x03, 0, 2, 3, 4],
      [0x04, 1, 2, 3, 4],
      [0x10, 1, 2],
    ])
      expect(readDataPacket(Uint8Array.from(frame)), `${frame}`).equal(undefined);
  });

  it("are counted from 65 535 on to 0", () => {
    expect(nextSequence(41)).equal(42);
    expect(nextSequence(0xffff)).equal(0);
  });
});
