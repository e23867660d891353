// The kind: names that are made of a type or an id, and cut where a protocol ends them. What tells two devices apart must not be cut off.

import { expect } from "chai";
import { utf8Length } from "../../../firmware/core/bytes.js";
import { accessPointName, deviceIdOf, ownDeviceId } from "../../../firmware/core/identity.js";

const MACS = [
  Uint8Array.of(0x24, 0x0a, 0xc4, 0xa1, 0xb2, 0xc3),
  Uint8Array.of(0x24, 0x0a, 0xc4, 0xa1, 0xb2, 0xc4),
] as const;

const TYPES = [
  "led",
  "a".repeat(17),
  "a".repeat(18),
  "a".repeat(24),
  "a".repeat(25),
  "kitchen-display-with-a-long-name",
  "x".repeat(64),
  "scales_bridge_tab5.rev-2",
  "ü".repeat(30),
  "💡".repeat(12),
  "💡".repeat(30),
  `${"a".repeat(23)}💡`,
  "-".repeat(40),
];

describe("the names of two devices of one type", () => {
  for (const type of TYPES) {
    it(`differ, and fit: ${type}`, () => {
      const [one, two] = MACS.map((mac) => deviceIdOf(type, mac)) as [string, string];
      expect(one).match(/^[A-Za-z0-9-]{1,24}-a1b2c3$/);
      expect(two).match(/-a1b2c4$/);
      expect(accessPointName(one)).match(/^Skyslot .*-a1b2c3$/);
      expect(accessPointName(two)).match(/^Skyslot .*-a1b2c4$/);
      expect(utf8Length(accessPointName(one))).most(32);
      expect(`${one}-3`.length, "the label of a name that was taken twice").most(63);
    });
  }

  it("are as they were where they fit", () => {
    expect(deviceIdOf("led", MACS[0])).equal("led-a1b2c3");
    expect(accessPointName("led-a1b2c3")).equal("Skyslot led-a1b2c3");
    expect(accessPointName(`${"a".repeat(17)}-a1b2c3`)).equal(`Skyslot ${"a".repeat(17)}-a1b2c3`);
    expect(deviceIdOf("scales_bridge.tab5", MACS[0])).equal("scales-bridge-tab5-a1b2c3");
    expect(deviceIdOf("💡", MACS[0]), "one character").equal("--a1b2c3");
  });

  it("differ also where their owner gave long ids", () => {
    const ids = ["livingroom-light-ceiling-left-01", "livingroom-light-ceiling-left-02"];
    for (const id of ids) expect(ownDeviceId({ "device.id": id })).equal(id);
    expect(new Set(ids.map(accessPointName)).size).equal(2);
    for (const id of ids) expect(utf8Length(accessPointName(id))).equal(32);
  });
});
