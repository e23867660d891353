import { expect } from "chai";
import type { World } from "../../../host-sim/world/world.js";
import { createWorld, type StubDevice, startDevice } from "./stub-machine.js";

const LOG_STATION = `
import WiFi from "wifi";
import Net from "net";
import Timer from "timer";
const join = (options) => new WiFi(options, (message, value) => {
  trace(value === undefined ? message : message + " " + value);
  if (message === "gotIP") trace(Net.get("IP") + " " + Net.get("SSID") + " " + Net.get("DNS").join());
});
`;

async function tracesOf(world: World, device: StubDevice, ms: number): Promise<string[]> {
  await world.runFor(ms);
  return device.traces.splice(0);
}

describe("the virtual radio as a station", () => {
  it("joins, and reports the address when both protocols have one", async () => {
    const { world, network } = createWorld();
    network.addAccessPoint({ ssid: "home", password: "secret-password" });
    const device = startDevice(
      network,
      `${LOG_STATION} join({ ssid: "home", password: "secret-password" });`,
    );
    expect(await tracesOf(world, device, 5000)).to.deep.equal([
      "start",
      "connect",
      "gotIP",
      "192.168.1.100 home 192.168.1.1",
    ]);
  });

  it("reports a wrong password with -1, after five silent retries", async () => {
    const { world, network } = createWorld();
    network.addAccessPoint({ ssid: "home", password: "secret-password" });
    const device = startDevice(network, `${LOG_STATION} join({ ssid: "home", password: "wrong-password" });`);
    expect(await tracesOf(world, device, 20_000)).to.deep.equal(["start"]);
    expect(await tracesOf(world, device, 10_000)).to.deep.equal(["disconnect -1"]);
  });

  it("reports a missing network with 0", async () => {
    const { world, network } = createWorld();
    const device = startDevice(
      network,
      `${LOG_STATION} join({ ssid: "home", password: "secret-password" });`,
    );
    expect(await tracesOf(world, device, 20_000)).to.deep.equal(["start", "disconnect 0"]);
  });

  it("joins a hidden network by name; a scan shows it without one, if requested", async () => {
    const { world, network } = createWorld();
    network.addAccessPoint({ ssid: "hidden", hidden: true });
    network.addAccessPoint({ ssid: "seen", channel: 11, rssi: -70 });
    const device = startDevice(
      network,
      `${LOG_STATION}
      WiFi.mode = 1;
      WiFi.scan({ hidden: true }, (item) => {
        trace(item === null ? "end" : [item.ssid, item.channel, item.rssi, item.authentication].join());
        if (item === null) join({ ssid: "hidden" });
      });`,
    );
    const traces = await tracesOf(world, device, 8000);
    expect(traces.slice(0, 3)).to.deep.equal([",6,-55,none", "seen,11,-70,none", "end"]);
    expect(traces).to.include("gotIP");
  });

  it("does not join an open network with a password, nor a secured one without", async () => {
    const { world, network } = createWorld();
    network.addAccessPoint({ ssid: "open" });
    network.addAccessPoint({ ssid: "locked", password: "secret-password" });
    const device = startDevice(network, `${LOG_STATION} join({ ssid: "open", password: "some-password" });`);
    const other = startDevice(network, `${LOG_STATION} join({ ssid: "locked" });`, {
      name: "other",
      macEnd: 4,
    });
    await world.runFor(20_000);
    expect(device.traces).to.include("disconnect 0").and.not.include("connect");
    expect(other.traces).to.include("disconnect 0").and.not.include("connect");
  });

  it("notices that the router is gone, and finds it again on request", async () => {
    const { world, network } = createWorld();
    const router = network.addAccessPoint({ ssid: "home" });
    const device = startDevice(
      network,
      `${LOG_STATION}
      const wifi = join({ ssid: "home" });
      Timer.set(() => WiFi.connect({ ssid: "home" }), 30000);`,
    );
    await tracesOf(world, device, 5000);
    router.setUp(false);
    expect(await tracesOf(world, device, 7000)).to.deep.equal(["disconnect 0"]);
    router.setUp(true);
    expect(await tracesOf(world, device, 30_000)).to.include("gotIP");
  });

  it("has no address without DHCP, and takes a static one", async () => {
    const { world, network } = createWorld();
    network.addAccessPoint({ ssid: "home", dhcp: false });
    const device = startDevice(
      network,
      `import WiFi from "embedded:network/interface/wifi";
      import Timer from "timer";
      const wifi = new WiFi({ onChanged(property) { trace(property + " " + this.connection + " " + this.address); } });
      wifi.connect({ SSID: "home" });
      Timer.set(() => wifi.configure({ static:
        { address: "192.168.1.50", mask: "255.255.255.0", gateway: "192.168.1.1" } }), 10000);`,
    );
    expect(await tracesOf(world, device, 9000)).to.deep.equal(["connection 400 undefined"]);
    expect(await tracesOf(world, device, 9000)).to.deep.equal([
      "connection 500 192.168.1.50",
      "address 500 192.168.1.50",
    ]);
  });

  it("calls nothing of an earlier boot", async () => {
    const { world, network } = createWorld();
    const router = network.addAccessPoint({ ssid: "home" });
    const device = startDevice(network, `${LOG_STATION} join({ ssid: "home" });`);
    await tracesOf(world, device, 1700);
    expect(router.stationCount).to.equal(1);
    device.powerOff();
    expect(await tracesOf(world, device, 10_000)).to.deep.equal([]);
    expect(router.stationCount).to.equal(0);
  });
});

describe("the virtual radio as an access point", () => {
  const failing = async (options: string): Promise<string> => {
    const { world, network } = createWorld();
    const source = `import WiFi from "wifi";
      try { WiFi.accessPoint(${options}); trace("open"); } catch (error) { trace(error.message); }`;
    const device = startDevice(network, source);
    return (await tracesOf(world, device, 10)).join();
  };

  it("refuses what the SDK refuses", async () => {
    expect(await failing(`{ ssid: "a".repeat(33) }`)).to.equal("ssid too long - 32 bytes max");
    expect(await failing(`{ ssid: "a", password: "" }`)).to.equal("password too short - 8 bytes min");
    expect(await failing(`{ ssid: "a", password: "1234567" }`)).to.equal("password too short - 8 bytes min");
    expect(await failing(`{ ssid: "a", channel: 14 }`)).to.equal("invalid channel");
    expect(await failing(`{ ssid: "a" }`)).to.equal("open");
  });

  it("is a station too only if it was one before", async () => {
    const { world, network } = createWorld();
    const source = (first: string): string => `import WiFi from "wifi";
      ${first}
      WiFi.accessPoint({ ssid: "a", station: true });
      trace(WiFi.mode);`;
    const fresh = startDevice(network, source(""));
    const started = startDevice(network, source("WiFi.mode = 1;"), { name: "other", macEnd: 4 });
    await world.runFor(10);
    expect([fresh.traces, started.traces]).to.deep.equal([["2"], ["3"]]);
  });
});
