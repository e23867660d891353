import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import {
  ANNOUNCE,
  REQUEST,
  RESPONSE,
  readVersionPacket,
  VERSION_PACKET_BYTES,
  type VersionPacket,
  writeVersionPacket,
} from "../../../../firmware/core/pair/version-packet.js";

const PACKET: VersionPacket = {
  type: ANNOUNCE,
  firmwareVersion: 20_103,
  protocolVersion: 2,
  minCompatible: 20_000,
  deviceType: "receiver",
  buildDate: "Nov 30 2026",
  buildTime: "12:34:56",
};

const PACKETS: Readonly<Record<string, VersionPacket>> = {
  "an announcement": PACKET,
  "a request": { ...PACKET, type: REQUEST, deviceType: "transmitter" },
  "a response of the greatest numbers": {
    ...PACKET,
    type: RESPONSE,
    firmwareVersion: 0xffffffff,
    protocolVersion: 255,
    minCompatible: 0xfffffffe,
  },
  "texts that fill their fields but for the zero": {
    ...PACKET,
    deviceType: "transmitter-a1b",
    buildDate: "Nov 30 2026",
  },
  "a build without a date": { ...PACKET, buildDate: "", buildTime: "" },
};

/** As in the firmware of pairs that were built without us: the compiler lays the structure out. */
const C = `
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
typedef struct {
  uint8_t type;
  uint32_t firmware_version;
  uint8_t protocol_version;
  uint32_t min_compatible;
  char device_type[16];
  char build_date[12];
  char build_time[9];
} __attribute__((packed)) version_packet_t;
int main(int argc, char **argv) {
  version_packet_t packet;
  memset(&packet, 0, sizeof packet);
  packet.type = atoi(argv[1]);
  packet.firmware_version = strtoul(argv[2], 0, 10);
  packet.protocol_version = atoi(argv[3]);
  packet.min_compatible = strtoul(argv[4], 0, 10);
  strncpy(packet.device_type, argv[5], sizeof packet.device_type);
  strncpy(packet.build_date, argv[6], sizeof packet.build_date);
  strncpy(packet.build_time, argv[7], sizeof packet.build_time);
  for (size_t i = 0; i < sizeof packet; i++) printf("%02x", ((uint8_t *)&packet)[i]);
  return 0;
}
`;

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

  describe("compared with a C compiler", () => {
    const folder = mkdtempSync(join(tmpdir(), "skyslot-packet-"));
    const program = join(folder, "packet");
    before(function () {
      try {
        execFileSync("cc", ["--version"], { stdio: "ignore" });
      } catch {
        console.log("      skipped: there is no C compiler");
        return this.skip();
      }
      writeFileSync(`${program}.c`, C);
      execFileSync("cc", ["-std=gnu11", "-o", program, `${program}.c`]);
    });
    after(() => rmSync(folder, { recursive: true, force: true }));

    const compiled = (packet: VersionPacket): string => {
      const { type, firmwareVersion, protocolVersion, minCompatible, deviceType, buildDate, buildTime } =
        packet;
      const numbers = [type, firmwareVersion, protocolVersion, minCompatible].map(String);
      return execFileSync(program, [...numbers, deviceType, buildDate, buildTime], { encoding: "utf8" });
    };

    for (const [what, packet] of Object.entries(PACKETS))
      it(`has its bytes: ${what}`, () => {
        const bytes = compiled(packet);
        expect(hex(writeVersionPacket(packet))).equal(bytes);
        expect(readVersionPacket(Buffer.from(bytes, "hex"))).deep.equal(packet);
      });

    it("reads a text that fills its field, behind which strncpy leaves no zero, up to the next field", () => {
      const sent = {
        ...PACKET,
        deviceType: "sixteen-letters!",
        buildDate: "Nov 30 2026x",
        buildTime: "123456789",
      };
      expect(readVersionPacket(Buffer.from(compiled(sent), "hex"))).deep.equal(sent);
    });
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
