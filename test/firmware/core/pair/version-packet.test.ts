// The version packet byte for byte, as it was counted by hand. It is compared with a C compiler's structure in test/firmware/pair, as XS
// starts none.

import { expect } from "chai";
import {
  readVersionPacket,
  VERSION_PACKET_BYTES,
  writeVersionPacket,
} from "../../../../firmware/core/pair/version-packet.js";
import { PACKET, PACKETS } from "./version-packets.js";

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

const withByte = (at: number, byte: number): Uint8Array => {
  const bytes = writeVersionPacket(PACKET);
  bytes[at] = byte;
  return bytes;
};

describe("version packet", () => {
  it("has the bytes of the packed structure, as they were counted by hand", () => {
    expect(hex(writeVersionPacket(PACKET))).equal(
      "10" + // type
        "874e0000" + // 20 103
        "02" +
        "204e0000" + // 20 000
        "72656365697665720000000000000000" + // receiver
        "4e6f76203330203230323600" + // Nov 30 2026
        "31323a33343a353600", // 12:34:56
    );
  });

  for (const [what, packet] of Object.entries(PACKETS))
    it(`is read as it was written: ${what}`, () => {
      expect(readVersionPacket(writeVersionPacket(packet))).deep.equal(packet);
    });

  it("reads a text that fills its field up to the next field, as strncpy leaves no zero behind it", () => {
    const bytes = writeVersionPacket({ ...PACKET, deviceType: "sixteen-letters" });
    bytes[25] = "!".charCodeAt(0);
    expect(readVersionPacket(bytes)).deep.equal({ ...PACKET, deviceType: "sixteen-letters!" });
  });

  it("is read from the middle of a buffer", () => {
    const buffer = new Uint8Array(100).fill(0xaa);
    buffer.set(writeVersionPacket(PACKET), 13);
    expect(readVersionPacket(buffer.subarray(13, 13 + VERSION_PACKET_BYTES))).deep.equal(PACKET);
  });

  it("is not read from a frame with another length or type", () => {
    const bytes = writeVersionPacket(PACKET);
    for (const length of [0, 1, 5, 46]) expect(readVersionPacket(bytes.subarray(0, length))).equal(undefined);
    expect(readVersionPacket(Uint8Array.of(...bytes, 0))).equal(undefined);
    for (const type of [0, 0x01, 0x0f, 0x13, 0x30, 0xff])
      expect(readVersionPacket(withByte(0, type)), `type ${type}`).equal(undefined);
  });

  it("is not read if a text has a character that cannot be printed, in any field", () => {
    for (const at of [10, 12, 26, 36, 38, 45])
      for (const byte of [0x01, 0x0a, 0x1f, 0x7f, 0x80, 0xff])
        expect(readVersionPacket(withByte(at, byte)), `${byte} at ${at}`).equal(undefined);
  });

  it("is not read without a device type", () => {
    expect(readVersionPacket(withByte(10, 0))).equal(undefined);
  });

  it("ignores what is behind the zero of a text", () => {
    expect(readVersionPacket(withByte(25, 0xff))).deep.equal(PACKET);
  });

  it("is written with long texts cut before their last byte, and other characters replaced", () => {
    const bytes = writeVersionPacket({
      ...PACKET,
      deviceType: "a-very-long-device-type",
      buildDate: "naïve\n😀",
    });
    const read = readVersionPacket(bytes);
    expect(read?.deviceType).equal("a-very-long-dev");
    expect(read?.buildDate).match(/^na\?ve\?\?{1,2}$/);
    expect(bytes.length).equal(VERSION_PACKET_BYTES);
  });
});
