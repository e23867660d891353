// A device in what homes really have: several access points of one name of which the strongest is broken, addresses that change, phones that
// stay in its setup network. The device has been set up in the good network first; "checks" are what its server has heard since.

import { expect } from "chai";
import { HOME } from "../../host-sim/desk/desk.js";
import type { AccessPointOptions } from "../../host-sim/network/access-point.js";
import { Phone } from "../../host-sim/network/phone.js";
import { type Rig, setUpRig } from "./rig.js";

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
/** A phone's connectivity check. */
const PROBE = "http://connectivitycheck.gstatic.com/generate_204";

describe("a device among networks", () => {
  let rig: Rig;
  afterEach(() => rig.close());

  /** A device that has joined the good network and updated itself there. */
  async function settledDevice(): Promise<void> {
    rig = await setUpRig({ manual: true });
    rig.desk.device.powerOn();
    await minutesUntil(() => setupNetwork() !== undefined);
    void rig.desk.person.setUp(setupNetwork() ?? "");
    const isDone = () => rig.reports.some(({ status }) => status === "success");
    expect(await rig.desk.world.runUntil(isDone, { limitMs: HOUR_MS })).equal(true);
    await rig.desk.world.runFor(2 * MINUTE_MS);
  }

  /** Name of the device's own network while it is open. */
  const setupNetwork = () =>
    rig.desk.network.networks().find(({ ssid, isUp }) => isUp && ssid.startsWith("Skyslot "))?.ssid;

  function restart(): void {
    rig.desk.device.powerOff();
    rig.checks.length = 0;
    rig.trace.length = 0;
    rig.desk.device.powerOn();
  }

  const isChecking = () => rig.checks.length > 0;
  const minutesUntil = async (done: () => boolean, limitMs = 2 * HOUR_MS): Promise<number> => {
    const { world } = rig.desk;
    const startMs = world.nowMs;
    await world.runUntil(done, { limitMs });
    return (world.nowMs - startMs) / MINUTE_MS;
  };

  const broken: readonly (readonly [string, Partial<AccessPointOptions>])[] = [
    ["gives no address", { dhcp: false }],
    ["gives the address 0.0.0.0", { dhcp: "0.0.0.0" }],
    ["has another password", { password: "another-password" }],
    ["is open", { password: "" }],
    ["is full", { stationCountMax: 0 }],
    ["throws it out after half a second", { keepsForMs: 500 }],
    ["throws it out after five seconds", { keepsForMs: 5_000, dhcp: true }],
    ["has WPA3 and another password", { security: "wpa3_psk", password: "another-password" }],
    ["asks for a user's name too", { security: "wpa2_enterprise" }],
  ];
  for (const [what, options] of broken)
    it(`joins the weaker access point of its network's name where the stronger one ${what}`, async () => {
      await settledDevice();
      rig.desk.network.addAccessPoint({ ...HOME, channel: 11, rssi: -30, ...options });
      restart();
      expect(await minutesUntil(isChecking)).below(3);
      await rig.desk.world.runFor(3 * MINUTE_MS);
      expect(rig.desk.device.machine?.radio.joined).equal(rig.desk.home);
    });

  it("joins none of two that are broken, and the good one as soon as it is back", async () => {
    await settledDevice();
    rig.desk.home.setUp(false);
    rig.desk.network.addAccessPoint({ ...HOME, rssi: -30, dhcp: false });
    rig.desk.network.addAccessPoint({ ...HOME, rssi: -40, password: "another-password" });
    restart();
    await rig.desk.world.runFor(20 * MINUTE_MS);
    expect(isChecking()).equal(false);
    rig.desk.home.setUp(true);
    expect(await minutesUntil(isChecking)).below(8);
    expect(rig.desk.device.bootCount).equal(3);
  });

  it("never joins an open network of its name, and says that there is one", async () => {
    await settledDevice();
    rig.desk.home.setUp(false);
    const twin = rig.desk.network.addAccessPoint({ ssid: HOME.ssid, rssi: -30 });
    restart();
    await rig.desk.world.runFor(20 * MINUTE_MS);
    expect(twin.segment.stations.size).equal(0);
    expect(rig.trace.join("\n")).match(/failed: open\. This network is open/);
  });

  it("is back after its router has rebooted, whose DHCP server starts late", async () => {
    for (const downMs of [2_000, 90_000]) {
      await settledDevice();
      rig.checks.length = 0;
      rig.desk.home.reboot({ downMs, dhcpAfterMs: 2 * MINUTE_MS });
      await rig.desk.world.runFor(downMs);
      rig.checks.length = 0;
      expect(await minutesUntil(isChecking), `${downMs} ms`).below(6);
      if (downMs < 90_000) await rig.close();
    }
  });

  it("tells its new address when that changes, and is reached there", async () => {
    await settledDevice();
    const { world, network, home } = rig.desk;
    const phone = new Phone({ world, network, name: "laptop", mac: "02:00:00:00:00:77" });
    const joined = phone.join(HOME.ssid, HOME.password);
    await world.runFor(MINUTE_MS);
    await joined;
    for (const prefix of [home.segment.prefix, "10.20.30", "192.168.77"]) {
      home.renumber(prefix);
      rig.checks.length = 0;
      await minutesUntil(isChecking);
      const address = rig.desk.device.machine?.radio.stationAddress;
      expect(address).match(new RegExp(`^${prefix.replaceAll(".", "\\.")}\\.`));
      expect(rig.checks.at(-1)).include({ address });
      const asked = phone.get("/api/health", address);
      await world.runFor(MINUTE_MS);
      expect(JSON.parse((await asked).text).link).include({ state: "online", address });
    }
    expect(rig.desk.device.bootCount).equal(2);
  });

  it("finishes an update although its address changes while it downloads", async () => {
    let count = 0;
    rig = await setUpRig({
      downloadPolicy: () => {
        if (++count % 2 === 0 && count < 8)
          rig.desk.world.schedule(300, () => rig.desk.home.renumber(`10.9.${count}`));
        return { bytesPerSecond: 400_000 };
      },
    });
    rig.desk.device.powerOn();
    const isOver = () => rig.reports.some(({ status }) => status === "success" || status === "failed");
    await rig.desk.world.runUntil(isOver, { limitMs: HOUR_MS });
    expect(rig.reports.at(-1)?.status).equal("success");
    expect(rig.trace.filter((line) => line.includes("address 10.9.")).length).above(1);
  });

  it("joins its network although phones stay in its setup network, silent or busy", async () => {
    for (const doing of ["nothing", "probing", "busy"]) {
      await settledDevice();
      const { world, network, home } = rig.desk;
      home.setUp(false);
      restart();
      await minutesUntil(() => setupNetwork() !== undefined);
      const portal = setupNetwork() ?? "";
      const stranger = new Phone({ world, network, name: "stranger", mac: "02:00:00:00:00:99" });
      const stay = (): void => {
        if (stranger.joinedSsid === undefined) void stranger.join(portal).catch(() => {});
        else if (doing === "busy") void stranger.get("/api/networks").catch(() => {});
        else if (doing === "probing") void stranger.fetch(PROBE, { redirectCountMax: 0 }).catch(() => {});
        else void stranger.resolve("example.com").catch(() => {});
        world.schedule(10_000, stay);
      };
      stay();
      await world.runFor(2 * MINUTE_MS);
      home.setUp(true);
      expect(await minutesUntil(isChecking), doing).below(doing === "busy" ? 13 : 5);
      if (doing !== "busy") await rig.close();
    }
  });
});
