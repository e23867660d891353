// The kind: the device is associated and has, or had, an address, and nothing gets through. It has to come back by itself once there is a way,
// be it through another access point or only after a restart of the driver; and it must not restart itself because a server is off.

import { expect } from "chai";
import { HOME } from "../../host-sim/desk/desk.js";
import type { Swallowing } from "../../host-sim/network/link-policy.js";
import { imageOf, type Rig, setUpRig } from "./rig.js";

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
const BY_ADDRESS = { server: "http://203.0.113.10:8080" };

describe("a device in a network that nothing gets through", () => {
  let rig: Rig;
  afterEach(() => rig.close());

  /** A device that is up to date in the network of the house. */
  async function settledDevice(options: Parameters<typeof setUpRig>[0] = {}): Promise<void> {
    rig = await setUpRig({ update: await imageOf("base", "0.9.0"), ...options });
    rig.desk.device.powerOn();
    await rig.desk.world.runUntil(() => rig.checks.length > 1, { limitMs: HOUR_MS });
    expect(rig.checks.length).above(1);
    rig.checks.length = 0;
    rig.trace.length = 0;
  }
  const count = (what: RegExp) => rig.trace.filter((line) => what.test(line)).length;
  const rejoins = () => count(/joining (the network anew|another)/);
  const restarts = () => count(/joining anew did not help: restarting/);
  const minutesUntilCheck = async (limitMs = 3 * HOUR_MS): Promise<number> => {
    const { world } = rig.desk;
    rig.checks.length = 0;
    const startMs = world.nowMs;
    await world.runUntil(() => rig.checks.length > 0, { limitMs });
    return (world.nowMs - startMs) / MINUTE_MS;
  };

  const losses: readonly (readonly [string, Swallowing])[] = [
    ["everything is lost", {}],
    ["what it sends is lost", { direction: "up" }],
    ["what is sent to it is lost", { direction: "down" }],
    ["only names are resolved", { exceptDns: true }],
    ["everything is lost behind the next 300 bytes", { afterBytes: 300 }],
  ];
  for (const [what, swallowing] of losses) {
    it(`goes to another access point of its network where ${what}`, async () => {
      await settledDevice();
      rig.desk.network.addAccessPoint({ ...HOME, rssi: -80 });
      rig.desk.home.segment.swallowing = swallowing;
      expect(await minutesUntilCheck()).below(45);
      expect(rig.desk.device.machine?.radio.joined).not.equal(rig.desk.home);
      expect(restarts()).equal(0);
    });

    it(`is back as soon as there is a way where ${what}, and has restarted once an hour at the most`, async () => {
      await settledDevice();
      rig.desk.home.segment.swallowing = swallowing;
      await rig.desk.world.runFor(12 * HOUR_MS);
      // after 1, 2 and 4 hours, but not while a name server or a host is heard
      expect(restarts()).equal("exceptDns" in swallowing ? 0 : 3);
      expect(rejoins()).above(5);
      rig.desk.home.segment.swallowing = undefined;
      expect(await minutesUntilCheck()).below(4);
      expect(count(/error: (?!nothing was heard)/)).equal(0);
    });
  }

  it("goes to another saved network where its own has no other access point", async () => {
    await settledDevice();
    const { network, home, world } = rig.desk;
    const second = network.addAccessPoint({ ssid: "second", password: "another password" });
    home.setUp(false);
    await world.runUntil(() => network.networks().some(({ ssid }) => ssid.startsWith("Skyslot ")), {
      limitMs: HOUR_MS,
    });
    const { phone } = rig.desk.person;
    void phone
      .join(network.networks().find(({ ssid }) => ssid.startsWith("Skyslot "))?.ssid ?? "")
      .then(() => phone.post("/api/join", "ssid=second&password=another%20password"))
      .catch(() => {});
    await minutesUntilCheck();
    home.setUp(true);
    second.segment.swallowing = {};
    expect(await minutesUntilCheck()).below(45);
    expect(rig.desk.device.machine?.radio.joined).equal(home);
  });

  it("joins anew where its lease has ended without a word", async () => {
    await settledDevice();
    const { home } = rig.desk;
    home.dhcp = "0.0.0.0";
    home.renumber();
    await rig.desk.world.runFor(30 * MINUTE_MS);
    expect(rejoins()).above(0);
    home.dhcp = true;
    expect(await minutesUntilCheck()).below(4);
  });

  // without a name to resolve, nobody's answer tells a server that is off from a network that is dead
  for (const [how, config, mostRestarts] of [
    ["is not restarted", {}, 0],
    ["that knows it by its address is restarted four times", BY_ADDRESS, 4],
  ] as const)
    it(`${how} because its server refuses connections for a day`, async () => {
      await settledDevice({ image: await imageOf("base", "1.0.0", "esp32", config) });
      let isOff = true;
      rig.desk.home.segment.policyOf = () => (isOff ? { refuse: true } : undefined);
      await rig.desk.world.runFor(24 * HOUR_MS);
      expect(rejoins()).above(3).and.below(35);
      expect(restarts()).equal(mostRestarts);
      isOff = false;
      expect(await minutesUntilCheck()).below(4);
    });

  it("is left alone while the server answers with errors only", async () => {
    await settledDevice({
      lie: async ({ path }, honest) =>
        path === "/api/ota/check" && rig?.checks.length > 2 ? { status: 500 } : honest(),
    });
    await rig.desk.world.runFor(12 * HOUR_MS);
    expect([rejoins(), restarts(), rig.desk.device.bootCount]).deep.equal([0, 0, 1]);
  });

  it("keeps to its trial: a new image is rolled back at its deadline, and not confused by cures", async () => {
    rig = await setUpRig({
      onEvent: (event) => {
        if (event.type !== "booted") return;
        rig.desk.home.segment.swallowing = event.partition.label === "ota_0" ? {} : undefined;
      },
    });
    rig.desk.device.powerOn();
    const isOver = () => rig.reports.some(({ status }) => status === "failed");
    await rig.desk.world.runUntil(isOver, { limitMs: HOUR_MS });
    expect(rig.reports.find(({ status }) => status === "failed")?.error_message).equal(
      "the server was not reached within 300 s",
    );
    expect(rejoins()).equal(0);
  });
});
