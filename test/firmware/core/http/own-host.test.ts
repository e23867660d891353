// The kind: names by which a device is reached and that it did not choose (its claimed one, those that routers add), and names that somebody
// else chose so that they look like one of these.

import { expect } from "chai";
import { isOwnHost, isOwnName } from "../../../../firmware/core/http/own-host.js";

const NAMES = ["base-0000a1", "base-0000a1-2"];
const own = (host: string) => isOwnHost(host, NAMES);

describe("the host of a request", () => {
  for (const host of [
    "base-0000a1",
    "base-0000a1.local",
    "BASE-0000A1.Local",
    "base-0000a1.local.",
    "base-0000a1.",
    "base-0000a1-2.local",
    "base-0000a1-2.fritz.box",
    "base-0000a1.lan",
    "base-0000a1.home",
    "base-0000a1.home.arpa",
    "base-0000a1.iot.home.arpa",
    "base-0000a1.internal",
    "base-0000a1.fritz.box",
    "base-0000a1.speedport.ip",
    "base-0000a1.local.lan",
    "192.168.1.20",
    "localhost",
    "", // of HTTP/1.0: with HTTP/1.1, which browsers speak, a head without a host is refused
  ])
    it(`is the device's own: ${host || "none"}`, () => expect(own(host)).equal(true));

  for (const host of [
    ".",
    ".local",
    "base-0000a2.local",
    "base-0000a1-3.local",
    "base-0000a1.attacker.example",
    "base-0000a1.com",
    "base-0000a1.box",
    "base-0000a1.xfritz.box",
    "base-0000a1.fritz.box.attacker.example",
    "base-0000a1.local.attacker.example",
    "base-0000a1.lan.com",
    "base-0000a1.local..",
    "attacker.local",
    "x.base-0000a1.local",
    "base-0000a1local",
    `base-0000a1.${"a.".repeat(200)}local`,
    "192.168.1.20.attacker.example",
    "localhost.attacker.example",
  ])
    it(`is a stranger's: ${host.slice(0, 60)}`, () => expect(own(host)).equal(false));

  it("is not the setup network's own by an address alone", () => {
    expect(isOwnName("1.1.1.1", NAMES)).equal(false);
    expect(isOwnName("base-0000a1.lan", NAMES)).equal(true);
  });
});
