// What Wi-Fi networks do to a station besides working: several access points of one name, kinds of security, DHCP that lends nothing or
// something else, traffic that is lost. The messages are those of the SDK's module, read from its source.

import { expect } from "chai";
import type { AccessPointOptions } from "../../../host-sim/network/access-point.js";
import type { Swallowing } from "../../../host-sim/network/link-policy.js";
import { Phone } from "../../../host-sim/network/phone.js";
import { createWorld, startDevice } from "./stub-machine.js";

const PASSWORD = "secret-password";

const joining = (station: string): string => `
import WiFi from "wifi";
import Net from "net";
new WiFi(${station}, (message, value) => {
  trace(value === undefined ? message : message + " " + value);
  if (message === "gotIP") trace(Net.get("IP") + " " + Net.get("BSSID"));
});`;

/** What a station is told that joins "home" by this password among these access points. */
async function told(
  accessPoints: readonly Partial<AccessPointOptions>[],
  station = `{ ssid: "home", password: "${PASSWORD}" }`,
) {
  const { world, network } = createWorld();
  for (const one of accessPoints) network.addAccessPoint({ ssid: "home", password: PASSWORD, ...one });
  const device = startDevice(network, joining(station));
  await world.runFor(60_000);
  return device.traces.join(", ");
}

describe("the virtual radio among several access points of one name", () => {
  const GOOD = { rssi: -70, bssid: "02:00:00:00:00:0b" };

  it("joins the strongest", async () => {
    expect(await told([GOOD, { rssi: -40, bssid: "02:00:00:00:00:0a" }])).contain("02:00:00:00:00:0A");
  });

  it("does not go on to the next where the strongest has another password, is open, is full or gives no address", async () => {
    expect(await told([{ rssi: -40, password: "another-password" }, GOOD])).equal("start, disconnect -1");
    expect(await told([{ rssi: -40, password: "" }, GOOD])).equal("start, disconnect 0");
    expect(await told([{ rssi: -40, stationCountMax: 0 }, GOOD])).equal("start, disconnect 0");
    expect(await told([{ rssi: -40, dhcp: false }, GOOD])).equal("start, connect");
    expect(await told([{ rssi: -40, dhcp: "0.0.0.0" }, GOOD])).equal("start, connect");
  });

  it("joins the one whose BSSID is given", async () => {
    const station = `{ ssid: "home", password: "${PASSWORD}", bssid: Uint8Array.of(2, 0, 0, 0, 0, 11).buffer, channel: 6 }`;
    expect(await told([{ rssi: -40, dhcp: false }, GOOD], station))
      .contain("gotIP")
      .contain("02:00:00:00:00:0B");
  });

  it("hears each of them in a scan", async () => {
    const { world, network } = createWorld();
    network.addAccessPoint({ ssid: "home", rssi: -40, channel: 1 });
    network.addAccessPoint({ ssid: "home", rssi: -70, channel: 11 });
    const device = startDevice(
      network,
      `import WiFi from "wifi";
      WiFi.mode = 1;
      WiFi.scan({}, (item) => trace(item && [item.channel, item.rssi, new Uint8Array(item.bssid).join(":")].join()));`,
    );
    await world.runFor(5_000);
    expect(device.traces).deep.equal(["1,-40,2:94:0:0:0:1", "11,-70,2:94:0:0:0:2", "null"]);
  });
});

describe("the virtual radio and kinds of security", () => {
  for (const security of ["wpa2_psk", "wpa_wpa2_psk", "wpa3_psk", "wpa2_wpa3_psk"] as const)
    it(`joins ${security}`, async () => expect(await told([{ security }])).contain("gotIP"));

  for (const security of ["wep", "wpa_psk", "wpa2_enterprise", "owe"] as const)
    it(`does not join ${security}, and gives no reason`, async () =>
      expect(await told([{ security }])).equal("start, disconnect 0"));

  it("reports a wrong password of WPA3 without a reason", async () => {
    expect(await told([{ security: "wpa3_psk", password: "another-password" }])).equal("start, disconnect 0");
    expect(await told([{ security: "wpa2_wpa3_psk", password: "another-password" }])).equal(
      "start, disconnect 0",
    );
  });

  it("is told by the SDK's module only as far as that knows it", async () => {
    const { world, network } = createWorld();
    const kinds = [
      "none",
      "wep",
      "wpa_psk",
      "wpa2_psk",
      "wpa_wpa2_psk",
      "wpa2_enterprise",
      "wpa3_psk",
      "owe",
    ] as const;
    for (const [index, security] of kinds.entries())
      network.addAccessPoint({ ssid: security, security, rssi: -40 - index });
    const device = startDevice(
      network,
      `import WiFi from "wifi";
      WiFi.mode = 1;
      WiFi.scan({}, (item) => item && trace(item.authentication));`,
    );
    await world.runFor(5_000);
    const newer = "wpa_wpa2_psk";
    expect(device.traces).deep.equal(["none", "wep", "wpa_psk", "wpa2_psk", newer, newer, newer, newer]);
  });
});

describe("an address of the virtual network", () => {
  async function joined() {
    const { world, network } = createWorld();
    const router = network.addAccessPoint({ ssid: "home", password: PASSWORD });
    const device = startDevice(network, joining(`{ ssid: "home", password: "${PASSWORD}" }`));
    await world.runFor(10_000);
    device.traces.length = 0;
    return { world, network, router, device };
  }

  it("changes while the station stays: it is told by another gotIP", async () => {
    const { world, router, device } = await joined();
    router.renumber();
    await world.runFor(10_000);
    router.renumber("10.0.7");
    await world.runFor(10_000);
    expect(device.traces).deep.equal([
      "gotIP",
      "192.168.1.101 02:5E:00:00:00:01",
      "gotIP",
      "10.0.7.102 02:5E:00:00:00:01",
    ]);
  });

  it("is lost without a message, and ends the connections from it", async () => {
    const { world, network, router, device } = await joined();
    const host = network.addHost("server", "203.0.113.1");
    host.listen(80, () => {});
    const socket = device.machine.network.connect("203.0.113.1", 80);
    await world.runFor(1_000);
    expect(socket.state).equal("open");
    router.dhcp = "0.0.0.0";
    router.renumber();
    await world.runFor(600_000);
    expect([socket.failure, device.traces, device.machine.radio.stationAddress]).deep.equal([
      "reset",
      [],
      undefined,
    ]);
  });

  it("comes late from a router that reboots", async () => {
    const { world, router, device } = await joined();
    router.reboot({ downMs: 3_000, dhcpAfterMs: 60_000 });
    await world.runFor(10_000);
    expect(device.traces).deep.equal(["disconnect 0"]);
  });
});

describe("a virtual network that loses traffic", () => {
  /** Whether a name was resolved, and what a connection ended as. */
  async function through(swallowing: Swallowing | undefined) {
    const { world, network } = createWorld();
    const router = network.addAccessPoint({ ssid: "home" });
    const phone = new Phone({ world, network });
    const server = network.addHost("server.test", "203.0.113.1");
    network.serveHttp(server, 80, async () => ({ status: 200, headers: {}, body: new Uint8Array(500) }));
    let found = "";
    const run = async () => {
      await phone.join("home");
      router.segment.swallowing = swallowing;
      found = (await phone.resolve("server.test").catch(() => "nothing")) ?? "";
      const { body } = await phone.fetch("http://203.0.113.1/");
      return `${body.length} bytes`;
    };
    let page = "";
    void run().then(
      (text) => (page = text),
      () => (page = "nothing"),
    );
    await world.runUntil(() => page !== "", { limitMs: 120_000 });
    return `${found}, ${page}`;
  }

  it("loses all of it, or one way", async () => {
    expect(await through(undefined)).equal("203.0.113.1, 500 bytes");
    expect(await through({})).equal("nothing, nothing");
    expect(await through({ direction: "up" })).equal("nothing, nothing");
    expect(await through({ direction: "down" })).equal("nothing, nothing");
  });

  it("resolves names, or carries so many bytes", async () => {
    expect(await through({ exceptDns: true })).equal("203.0.113.1, nothing");
    expect(await through({ afterBytes: 300 })).equal("203.0.113.1, nothing");
    expect(await through({ afterBytes: 5_000 })).equal("203.0.113.1, 500 bytes");
  });
});
