// The `led` app on a virtual device: what its strip and its status LED show from first start to a validated update.

import { expect } from "chai";
import { HOME, OWNER_TOKEN } from "../../host-sim/desk/desk.js";
import type { Light } from "../../host-sim/hardware/gpio.js";
import { Phone } from "../../host-sim/network/phone.js";
import { imageOf, type Rig, type RigOptions, setUpRig } from "./rig.js";

const HOUR_MS = 3_600_000;
/** As in the app's manifest. */
const STRIP_PIN = 13;
const STATUS_PIN = 2;
const PIXEL_COUNT = 8;

interface Seen {
  readonly atMs: number;
  readonly light: Light;
}

const nameOf = (light: Light) => (light.type === "panel" ? "panel" : `${light.type} ${light.pin}`);

describe("the journey of an LED device", () => {
  let rig: Rig;
  let seen: Seen[];
  afterEach(() => rig.close());

  async function setUp(options: RigOptions = {}): Promise<void> {
    seen = [];
    rig = await setUpRig({
      image: await imageOf("led", "1.0.0", "esp32", { type: "led" }),
      update: await imageOf("led", "1.1.0", "esp32", { type: "led" }),
      onLight: (light) => seen.push({ atMs: rig.desk.world.nowMs, light }),
      ...options,
    });
    rig.desk.device.powerOn();
  }

  const frames = (from = 0) =>
    seen.slice(from).flatMap(({ light }) => (light.type === "strip" ? [light.pixels] : []));
  const levels = (from = 0) =>
    seen
      .slice(from)
      .flatMap(({ light, atMs }) => (light.type === "pin" ? [{ atMs, level: light.level }] : []));
  const isLit = (pixels: Uint8Array) => pixels.some((value) => value > 0);
  const until = (done: () => boolean) => rig.desk.world.runUntil(done, { limitMs: HOUR_MS });
  const reported = (step: string) => () => rig.reports.some((report) => report.step === step);

  it("plays its pattern from the first second on, on the pins of its manifest", async () => {
    await setUp();
    await rig.desk.world.runFor(3_000);
    expect(new Set(seen.map(({ light }) => nameOf(light)))).deep.equal(
      new Set([`pin ${STATUS_PIN}`, `strip ${STRIP_PIN}`]),
    );
    expect(new Set(frames().map(({ length }) => length))).deep.equal(new Set([PIXEL_COUNT * 3]));
    expect(frames().length, "frames").within(50, 80);
    expect(new Set(frames().map(String)).size, "different frames").above(40);
  });

  for (const chip of ["esp32c3", "esp32c6"] as const)
    it(`takes pins and pixels from its manifest by chip: ${chip}`, async () => {
      await setUp({ chip, image: await imageOf("led", "1.0.0", chip, { type: "led" }) });
      await rig.desk.world.runFor(2_000);
      expect(new Set(seen.map(({ light }) => nameOf(light)))).deep.equal(new Set(["pin 3", "strip 8"]));
      expect(frames().at(-1)).length(3);
    });

  it("is updated with the strip dark and the status LED blinking, and plays on in the new image", async () => {
    await setUp();
    expect(await until(reported("downloading"))).equal(true);
    const begun = seen.length;
    expect(await until(reported("armed"))).equal(true);
    expect(frames(begun).filter(isLit), "lit frames during the update").length(0);
    const changes = levels(begun).filter(({ level }, i, all) => i > 0 && level !== all[i - 1]!.level);
    expect(changes.length, "changes of the status LED").above(3);
    const restarted = seen.length;
    expect(await until(reported("validated"))).equal(true);
    await rig.desk.world.runFor(2_000);
    expect(rig.running()).equal("1.1.0 ota_0");
    expect(frames(restarted).filter(isLit).length, "lit frames in the new image").above(20);
    expect(levels().at(-1)!.level, "online: steadily on").equal(1);
  });

  it("blinks ten times when an update fails, and shows its pattern again", async () => {
    await setUp({
      lie: async (request, honest) => {
        const answer = await honest();
        return request.path.startsWith("/api/ota/download") ? { ...answer, status: 404 } : answer;
      },
    });
    const failed = () => rig.reports.some(({ status }) => status === "failed");
    expect(await until(failed)).equal(true);
    await rig.desk.world.runFor(3_000);
    const rapid = levels().filter(({ atMs }, i, all) => {
      const next = all[i + 1];
      return next !== undefined && all[i]!.level === 1 && Math.abs(next.atMs - atMs - 100) < 10;
    });
    expect(rapid.length).within(9, 11);
    expect(isLit(frames().at(-1)!)).equal(true);
  });

  it("keeps the owner's settings, and falls back to the build's when those are invalid", async () => {
    await setUp();
    await until(reported("validated"));
    const play = async (text: string) => {
      expect(rig.desk.device.machine?.nvs?.set("skyslot", "led", "str", text)).equal("ESP_OK");
      rig.desk.device.powerOff();
      rig.desk.device.powerOn();
      const from = seen.length;
      await rig.desk.world.runFor(2_000);
      return frames(from);
    };
    const chosen = await play(
      '{"pattern":"solid","pin":4,"count":3,"speed":1,"colour":"#ff0000","brightness":100}',
    );
    expect(chosen.map((pixels) => [...pixels]).at(-1)).deep.equal([254, 0, 0, 254, 0, 0, 254, 0, 0]);
    expect((await play('{"pin":6}')).at(-1)).length(PIXEL_COUNT * 3);
    expect(rig.trace.join("\n")).match(/Pin of the data line \(GPIO\): 6 is not one of 0, 4, 5/);
  });

  describe("with its settings page", () => {
    let tablet: Phone;
    let address: string;

    /** The device is at home with its newest firmware, and its page is open in the home network. */
    async function atHome(): Promise<void> {
      await setUp();
      await until(reported("validated"));
      await rig.desk.world.runFor(90_000);
      const { world, network } = rig.desk;
      tablet = new Phone({ world, network, name: "tablet", mac: "02:00:00:00:00:77" });
      await done(tablet.join(HOME.ssid, HOME.password));
      address = rig.trace.join("\n").match(/address (\d+\.\d+\.\d+\.\d+)/)![1]!;
    }

    async function done<T>(promise: Promise<T>): Promise<T> {
      let isOver = false;
      const over = () => {
        isOver = true;
      };
      promise.then(over, over);
      await rig.desk.world.runUntil(() => isOver, { limitMs: 60_000 });
      return promise;
    }

    async function change(values: object, token = OWNER_TOKEN) {
      const headers = { "content-type": "application/json", authorization: `Bearer ${token}` };
      const { status, text } = await done(
        tablet.post("/api/led", JSON.stringify(values), address, { headers }),
      );
      return { status, json: JSON.parse(text) };
    }

    it("shows a change at once, and after a restart", async () => {
      await atHome();
      expect((await change({ pattern: "solid", colour: "#0000ff", brightness: 100, count: 2 })).status).equal(
        200,
      );
      expect([...frames().at(-1)!]).deep.equal([0, 0, 254, 0, 0, 254]);
      expect((await change({ colour: "#00ff00" })).json.values).include({ pattern: "solid", count: 2 });
      expect([...frames().at(-1)!]).deep.equal([0, 254, 0, 0, 254, 0]);
      const from = seen.length;
      rig.desk.device.powerOff();
      rig.desk.device.powerOn();
      await rig.desk.world.runFor(1_000);
      expect([...frames(from).at(-1)!]).deep.equal([0, 254, 0, 0, 254, 0]);
    });

    it("does not change for a refused request, or one without the token", async () => {
      await atHome();
      await change({ pattern: "solid" });
      const from = seen.length;
      expect((await change({ pin: 6 })).status).equal(400);
      expect((await change({ pattern: "chase" }, "a-neighbour")).status).equal(403);
      await rig.desk.world.runFor(2_000);
      expect(frames(from)).deep.equal([]);
    });

    it("starts no strip in safe mode, though the setting can be corrected there", async () => {
      await atHome();
      expect(rig.desk.device.machine?.nvs?.set("skyslot", "unhealthy", "str", "5")).equal("ESP_OK");
      const from = seen.length;
      rig.desk.device.powerOff();
      rig.desk.device.powerOn();
      await rig.desk.world.runFor(20_000);
      expect((await change({ pattern: "solid", count: 3 })).status).equal(200);
      await rig.desk.world.runFor(2_000);
      expect(frames(from)).deep.equal([]);
      rig.desk.device.powerOff();
      rig.desk.device.powerOn();
      await rig.desk.world.runFor(2_000);
      expect(frames(from).at(-1)).length(9);
    });
  });
});

describe("the journey of a base device", () => {
  async function lights(config: object): Promise<Light[]> {
    const seen: Light[] = [];
    const rig = await setUpRig({
      image: await imageOf("base", "1.0.0", "esp32", config),
      onLight: (light) => seen.push(light),
    });
    rig.desk.device.powerOn();
    await rig.desk.world.runUntil(() => rig.reports.some(({ step }) => step === "downloading"), {
      limitMs: HOUR_MS,
    });
    await rig.close();
    return seen;
  }

  it("shows its state on the LED of its board where the build names a pin, and touches none where it does not", async () => {
    const seen = await lights({ statusLed: { pin: 5, activeLow: true } });
    expect(new Set(seen.map(nameOf))).deep.equal(new Set(["pin 5"]));
    const levels = seen.map((light) => (light.type === "pin" ? light.level : -1));
    expect(levels.length).above(10);
    expect(new Set(levels)).deep.equal(new Set([0, 1]));
    expect(await lights({})).deep.equal([]);
  });
});
