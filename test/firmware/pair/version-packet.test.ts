// The version packet, compared with the structure that a C compiler lays out.

import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import {
  readVersionPacket,
  type VersionPacket,
  writeVersionPacket,
} from "../../../firmware/core/pair/version-packet.js";
import { PACKET, PACKETS } from "../core/pair/version-packets.js";

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

describe("version packet, compared with a C compiler,", () => {
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
