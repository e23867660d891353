// A device among others in its home network: how it is found there, and how it stays reachable when its app crashes.

import { expect } from "chai";
import { HOME } from "../../host-sim/desk/desk.js";
import { CLASS_IN, decodeDns, dnsMessage, encodeDns, RR } from "../../host-sim/network/dns-packet.js";
import { Phone } from "../../host-sim/network/phone.js";
import { imageOf, type Rig, setUpRig } from "./rig.js";

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
const MDNS = Object.freeze({ address: "224.0.0.251", port: 5353 });

describe("the journey of a device in its home network", () => {
  let rig: Rig;
  afterEach(() => rig.close());

  async function until(done: () => boolean): Promise<void> {
    expect(await rig.desk.world.runUntil(done, { limitMs: HOUR_MS })).equal(true);
  }

  /** Runs the world until a promise of a phone has settled. */
  async function settled<T>(promise: Promise<T>): Promise<T> {
    let isOver = false;
    const over = () => {
      isOver = true;
    };
    promise.then(over, over);
    await rig.desk.world.runUntil(() => isOver, { limitMs: MINUTE_MS });
    return promise;
  }

  async function joinedPhone(): Promise<Phone> {
    const { world, network } = rig.desk;
    const phone = new Phone({ world, network, name: "laptop", mac: "02:00:00:00:00:77" });
    await settled(phone.join(HOME.ssid, HOME.password));
    return phone;
  }

  it("is found by its name and its services with multicast DNS, until it is gone", async () => {
    rig = await setUpRig();
    rig.desk.device.powerOn();
    await until(() => rig.reports.some(({ status }) => status === "success"));
    await rig.desk.world.runFor(90_000);
    const laptop = await joinedPhone();
    const found: { name: string; data: Record<string, unknown> }[] = [];
    const socket = laptop.node.bindUdp(MDNS.port, ({ bytes }) => {
      for (const { name, data, ttl } of decodeDns(bytes)?.answers ?? [])
        if (ttl > 0) found.push({ name, data: { ...data } });
    })!;
    socket.groups.add(MDNS.address);
    const ask = async (name: string, type: number) => {
      found.length = 0;
      const question = dnsMessage({ questions: [{ name, type, class: CLASS_IN }] });
      socket.send(encodeDns(question), MDNS.address, MDNS.port);
      await rig.desk.world.runFor(2_000);
      return [...found];
    };
    const id = rig.trace.join("\n").match(/device (base-[0-9a-f]{6})/)![1]!;
    const address = rig.trace.join("\n").match(/address (\d+\.\d+\.\d+\.\d+)/)![1]!;
    const hosts = await ask(`${id}.local`, RR.A);
    expect(hosts.map(({ data }) => data.address)).include(address);
    for (const [type, port] of [
      ["_http._tcp.local", 80],
      ["_ota._tcp.local", 3232],
    ] as const) {
      const records = await ask(type, RR.PTR);
      expect(
        records.map(({ data }) => data.target),
        type,
      ).include(`${id}.${type}`);
      expect(records.find(({ data }) => "port" in data)?.data, type).include({ port, target: `${id}.local` });
      const text = records.find(({ data }) => "strings" in data)?.data.strings;
      expect(text, type).deep.equal(["version=1.1.0", "type=base"]);
    }
    rig.desk.device.powerOff();
    expect(await ask(`${id}.local`, RR.A)).deep.equal([]);
  });

  it("logs at its start what runs", async () => {
    rig = await setUpRig({ manual: true });
    rig.desk.device.powerOn();
    await rig.desk.world.runFor(1_000);
    const text = rig.trace.join("\n");
    expect(text).match(/base 1\.0\.0 on esp32 \(esp32\), device base-/);
    expect(text).match(/compiled at an unknown time, ESP-IDF v/);
    expect(text).match(/running factory \(factory\), boot partition factory, restarted by power-on/);
  });

  it("ends a crash loop of its app in safe mode, where an update still arrives and fixes it", async () => {
    rig = await setUpRig({
      image: await imageOf("crashes-when-ready.ts", "1.0.0", "esp32", { type: "base" }),
    });
    rig.desk.home.setUp(false);
    rig.desk.device.powerOn();
    await until(() => rig.trace.some((line) => line.includes("safe mode")));
    expect(rig.trace.filter((line) => line.includes("the app starts")).length).equal(6);
    expect(rig.desk.device.bootCount).equal(7);
    rig.desk.home.setUp(true);
    await until(() => rig.checks.length > 0);
    const phone = await joinedPhone();
    const address = rig.trace.join("\n").match(/address (\d+\.\d+\.\d+\.\d+)/)![1]!;
    const health = JSON.parse((await settled(phone.get("/api/health", address))).text);
    expect(health).include({ status: "safe-mode", safeMode: true, unhealthyBootCount: 5 });
    await until(() => rig.reports.some(({ status }) => status === "success"));
    expect(rig.desk.device.running?.label).equal("ota_0");
  });
});
