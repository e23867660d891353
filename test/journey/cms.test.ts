// The `cms` app on a virtual device: what its panel shows from first start to a validated update, and how it sleeps in between.

import { expect } from "chai";
import { pbmHeader } from "../../firmware/apps/cms/core/pbm.js";
import type { CheckRequest } from "../../firmware/core/wire.js";
import { Flash } from "../../host-sim/hardware/flash/flash.js";
import type { Light } from "../../host-sim/hardware/gpio.js";
import { Nvs } from "../../host-sim/hardware/nvs/nvs.js";
import { home } from "../../host-sim/world/surroundings.js";
import { type Content, type ContentSource, contentOf, testCard } from "../../server/content/content.js";
import { Pusher } from "./pusher.js";
import { imageOf, type Rig, type RigOptions, releaseOf, setUpRig } from "./rig.js";

const HOUR_MS = 3_600_000;
const SIDE = 200;
const ROWS_BYTES = (SIDE * SIDE) / 8;
/** Awake for two minutes when new, then ten seconds each quarter of an hour. */
const SLEEP = { seconds: 900, awakeSeconds: 10, firstAwakeSeconds: 120, longestSeconds: 120 };

type Panel = Extract<Light, { readonly type: "panel" }>;

/** A picture for the panel: random dots, so that a row or a bit in the wrong place shows. */
function picture(seed: number): Content & { readonly rows: Uint8Array } {
  const rows = new Uint8Array(ROWS_BYTES);
  for (let i = 0, state = seed; i < rows.length; i++) {
    state = (state * 1_103_515_245 + 12_345) & 0x7fffffff;
    rows[i] = state >> 16;
  }
  return { ...contentOf(Buffer.concat([Buffer.from(pbmHeader(SIDE, SIDE)), rows])), rows };
}

describe("the journey of a device with a panel", () => {
  let rig: Rig;
  let shown: Panel[];
  let assigned: Content | undefined;
  /** Time awake of each boot that ended in sleep. */
  let awakeMs: number[];
  let checkedAtMs: number[];
  let requests: { readonly path: string; readonly etag: string | undefined; readonly atMs: number }[];
  afterEach(() => rig.close());

  async function setUp(options: RigOptions = {}, version = "1.0.0"): Promise<void> {
    shown = [];
    requests = [];
    checkedAtMs = [];
    awakeMs = [];
    let bootedAtMs = 0;
    const content: ContentSource = { find: async () => assigned };
    rig = await setUpRig({
      image: await imageOf("cms", version, "esp32", { type: "cms", sleep: SLEEP }),
      update: await imageOf("cms", "1.0.0", "esp32", { type: "cms", sleep: SLEEP }),
      content,
      onEvent: (event) => {
        const { nowMs } = rig.desk.world;
        if (event.type === "booted") bootedAtMs = nowMs;
        if (event.type === "restarted" && event.cause === "deepSleep") awakeMs.push(nowMs - bootedAtMs);
      },
      onLight: (light) => {
        if (light.type === "panel") shown.push(light);
      },
      lie: async (request, honest) => {
        if (request.path === "/api/ota/check") checkedAtMs.push(rig.desk.world.nowMs);
        if (request.path.startsWith("/api/content/")) {
          const etag = request.headers["if-none-match"];
          requests.push({ path: request.path, etag, atMs: rig.desk.world.nowMs });
        }
        return honest();
      },
      ...options,
    });
    rig.desk.device.powerOn();
  }

  const run = (ms: number) => rig.desk.world.runFor(ms);
  const until = (done: () => boolean, limitMs = HOUR_MS) => rig.desk.world.runUntil(done, { limitMs });
  const panel = () => shown.at(-1)!;
  const sleeps = () =>
    rig.events.filter((event) => event.type === "restarted" && event.cause === "deepSleep");
  const wakes = () => rig.events.filter((event) => event.type === "booted" && event.resetReason === 8);
  /** Read from the flash: a sleeping device has nothing else. */
  const stored = (key: string) => {
    const { flash, partitions } = rig.desk.device;
    const { offset, size } = partitions.find(({ label }) => label === "nvs")!;
    return Nvs.mount(new Flash(flash.sizeBytes, flash.bytes), offset, size).nvs!.get("skyslot", key, "str")
      .value;
  };
  const lastCheck = () => rig.checks.at(-1) as unknown as CheckRequest;

  it("shows setup instructions, then the server's picture, bit for bit", async () => {
    const first = picture(1);
    assigned = first;
    await setUp({ manual: true });
    await run(30_000);
    expect(shown.length, "black, white, the card").equal(3);
    expect(shown[0]!.rows.every((byte) => byte === 0xff)).equal(true);
    expect(shown[1]!.rows.every((byte) => byte === 0)).equal(true);
    expect(panel().rows.some((byte) => byte !== 0)).equal(true);
    rig.desk.person.watchForPortals();
    expect(await until(() => shown.length === 6)).equal(true);
    expect(panel()).include({ width: SIDE, height: SIDE });
    expect(Buffer.from(panel().rows).equals(first.rows)).equal(true);
    expect(requests[0]!.path).match(/^\/api\/content\/cms-[0-9a-f]{6}$/);
  });

  it("sleeps, wakes, requests with the ETag, and redraws only when there is another picture", async () => {
    assigned = picture(1);
    await setUp();
    expect(await until(() => sleeps().length === 3)).equal(true);
    expect(wakes().length).equal(2);
    expect(requests.map(({ etag }) => etag)).deep.equal([undefined, assigned.etag, assigned.etag]);
    const drawn = shown.length;
    const next = picture(2);
    assigned = next;
    expect(await until(() => sleeps().length === 4)).equal(true);
    expect(shown.length).equal(drawn + 3);
    expect(Buffer.from(panel().rows).equals(next.rows)).equal(true);
    expect(lastCheck().reset_reason).equal("deep-sleep");
  });

  it("is awake for seconds only, and checks with the server each time", async () => {
    assigned = picture(1);
    await setUp();
    expect(await until(() => sleeps().length === 1)).equal(true);
    const before = rig.checks.length;
    expect(await until(() => sleeps().length === 11, 4 * HOUR_MS)).equal(true);
    for (const ms of awakeMs.slice(1)) expect(ms / 1000, "seconds awake").within(10, 15);
    expect(awakeMs).length(11);
    expect(rig.checks.length - before).equal(10);
    expect(stored("unhealthy"), "waking is no crash").equal(undefined);
    expect(stored("panel")).equal(assigned.etag);
  });

  it("checks every two minutes while it is awake, on mains power", async () => {
    assigned = picture(1);
    const config = { type: "cms", sleep: { ...SLEEP, seconds: 0 } };
    await setUp({ image: await imageOf("cms", "1.0.0", "esp32", config) });
    expect(await until(() => checkedAtMs.length === 12)).equal(true);
    const gaps = checkedAtMs.slice(1).map((ms, index) => (ms - checkedAtMs[index]!) / 1000);
    for (const gap of gaps) expect(gap, "120 s, and a tenth more or less").within(107, 133);
    expect(sleeps()).length(0);
  });

  it("checks once right after each wake, in seconds", async () => {
    assigned = picture(1);
    await setUp();
    expect(await until(() => sleeps().length === 1)).equal(true);
    for (let count = 1; count <= 4; count++) {
      const before = checkedAtMs.length;
      expect(await until(() => wakes().length === count)).equal(true);
      const wokenAtMs = rig.desk.world.nowMs;
      expect(await until(() => sleeps().length === count + 1)).equal(true);
      expect(checkedAtMs.length - before).equal(1);
      const waitedMs = checkedAtMs.at(-1)! - wokenAtMs;
      expect(waitedMs / 1000, "from waking to the check").within(0, 8);
      expect(requests.at(-1)!.atMs, "the picture follows").least(checkedAtMs.at(-1)!);
    }
  });

  it("reports temperature, humidity and battery with each check, and omits what is missing", async () => {
    assigned = picture(1);
    let hasSensor = true;
    await setUp({ surroundings: (atMs) => ({ ...home(atMs), hasSensor, batteryMillivolts: 3_800 }) });
    expect(await until(() => sleeps().length === 1)).equal(true);
    expect(lastCheck()).include({ temperature_c: 18.5, humidity_percent: 51, battery_percent: 50 });
    hasSensor = false;
    expect(await until(() => sleeps().length === 2)).equal(true);
    expect(lastCheck())
      .include({ battery_percent: 50 })
      .and.not.any.keys("temperature_c", "humidity_percent");
    expect(rig.trace.join("\n")).include("sensor cannot be read: Error: write failed");
  });

  it("shows its name while nothing is assigned, and does not draw that twice", async () => {
    assigned = undefined;
    await setUp();
    expect(await until(() => sleeps().length === 3)).equal(true);
    const cards = new Set(shown.map(({ rows }) => Buffer.from(rows).toString("hex")));
    expect(cards.size, "black, white, how to set it up, who it is").equal(4);
    expect(shown.length).equal(6);
    expect(stored("panel")).match(/^Skyslot\ncms-[0-9a-f]{6}\n[0-9.]+\ncms 1\.0\.0\nNo picture is assigned$/);
  });

  it("keeps the last valid picture when the next one is invalid", async () => {
    const good = picture(1);
    assigned = good;
    await setUp();
    expect(await until(() => sleeps().length === 1)).equal(true);
    const drawn = shown.length;
    const small = await testCard(96, 96).find({ id: "x" });
    for (const wrong of [
      small!,
      contentOf(new Uint8Array(ROWS_BYTES + 11)),
      contentOf(Buffer.concat([good.pbm, Buffer.alloc(5)])),
      contentOf(new Uint8Array(100_000)),
    ]) {
      assigned = wrong;
      const count = sleeps().length;
      expect(await until(() => sleeps().length === count + 1)).equal(true);
    }
    expect(shown.length).equal(drawn);
    const refusals = rig.trace.filter((line) => line.includes("picture refused"));
    expect(refusals).length(4);
    expect(Buffer.from(panel().rows).equals(good.rows)).equal(true);
  });

  it("redraws once after a power cut while it stored what it had drawn, and then no more", async () => {
    const only = picture(1);
    assigned = only;
    await setUp();
    const isDrawn = () => shown.length > 0 && Buffer.from(panel().rows).equals(only.rows);
    rig.desk.device.flash.onOperation = (_operation, when) => {
      if (when === "before" && isDrawn()) {
        rig.desk.device.flash.onOperation = undefined;
        rig.desk.device.flash.cutPower();
      }
    };
    expect(await until(() => rig.events.some(({ type }) => type === "powerCut"))).equal(true);
    const drawn = shown.length;
    rig.desk.device.powerOn();
    expect(await until(() => sleeps().length === 2)).equal(true);
    expect(shown.length).equal(drawn + 3);
    expect(isDrawn()).equal(true);
  });

  it("finds a sensor that is connected later, without a restart", async () => {
    assigned = picture(1);
    let hasSensor = false;
    const config = { type: "cms", sleep: { ...SLEEP, seconds: 0 }, refreshSeconds: 60 };
    await setUp({
      image: await imageOf("cms", "1.0.0", "esp32", config),
      surroundings: (atMs) => ({ ...home(atMs), hasSensor }),
    });
    expect(await until(() => rig.checks.length === 3)).equal(true);
    expect(lastCheck()).not.any.keys("temperature_c");
    hasSensor = true;
    expect(await until(() => rig.checks.length === 5)).equal(true);
    expect(lastCheck()).include({ temperature_c: 18.5 });
    expect(sleeps()).length(0);
  });

  it("shows the new picture in the end, whichever write of its state the power cut hits", async function () {
    this.timeout(180_000);
    assigned = picture(1);
    await setUp();
    expect(await until(() => sleeps().length === 1)).equal(true);
    const asleep = rig.desk.device.flash.bytes.slice();
    const next = picture(2);
    assigned = next;
    let cutCount = 0;
    for (let isOver = false; !isOver; ) {
      await rig.close();
      const flash = new Flash(asleep.length, asleep);
      await setUp({ flash, image: undefined });
      let operationCount = 0;
      flash.onOperation = (_operation, when) => {
        if (when === "before" && operationCount++ === cutCount) flash.cutPower();
      };
      expect(
        await until(() => rig.events.some(({ type }) => type === "powerCut") || sleeps().length > 0),
      ).equal(true);
      isOver = sleeps().length > 0;
      flash.onOperation = undefined;
      if (!isOver) {
        cutCount += 1;
        rig.desk.device.powerOn();
        expect(await until(() => sleeps().length === 1), `cut ${cutCount}`).equal(true);
      }
      const { etag } = requests.at(-1)!;
      if (shown.length > 0)
        expect(Buffer.from(panel().rows).equals(next.rows), `cut ${cutCount}`).equal(true);
      else expect(etag, `cut ${cutCount}: nothing was to be drawn`).equal(next.etag);
      expect(stored("panel"), `cut ${cutCount}`).equal(next.etag);
    }
    expect(cutCount).above(10);
  });

  it("accepts a push while it is awake, and sleeps only after its trial", async () => {
    assigned = picture(1);
    const config = { type: "cms", sleep: SLEEP, pushToken: "let me in, please" };
    const pushed = await imageOf("cms", "1.1.0", "esp32", config);
    await setUp({ image: await imageOf("cms", "1.0.0", "esp32", config) });
    const pusher = new Pusher(rig.desk, () => lastCheck().address!);
    expect(await until(() => wakes().length === 1 && rig.checks.at(-1)?.slot_state === "factory")).equal(
      true,
    );
    await run(5_000);
    const headers = { "x-skyslot-release": await releaseOf(pushed) };
    const { status, text } = await pusher.push(pushed, { token: config.pushToken, headers });
    expect(status, text).equal(200);
    const slept = sleeps().length;
    expect(await until(() => rig.trace.some((line) => line.includes("image validated")))).equal(true);
    expect(sleeps().length, "asleep before it was validated").equal(slept);
    expect(await until(() => sleeps().length === slept + 2)).equal(true);
    expect(lastCheck()).include({ current_version: "1.1.0", slot: "ota_0", slot_state: "valid" });
  });

  it("updates when it wakes, stays awake for the trial, and sleeps again once validated", async () => {
    assigned = picture(1);
    await setUp({ update: await imageOf("cms", "1.1.0", "esp32", { type: "cms", sleep: SLEEP }) });
    expect(await until(() => rig.reports.some(({ step }) => step === "validated"))).equal(true);
    expect(sleeps(), "asleep before the update was over").length(0);
    expect(rig.running()).equal("1.1.0 ota_0");
    expect(await until(() => sleeps().length === 2)).equal(true);
    expect(lastCheck()).include({ current_version: "1.1.0", reset_reason: "deep-sleep" });
    expect(rig.events.filter(({ type }) => type === "uncaught")).length(0);
  });

  it("gets an update that is released while it sleeps", async () => {
    assigned = picture(1);
    let isReleased = false;
    await setUp({
      update: await imageOf("cms", "1.1.0", "esp32", { type: "cms", sleep: SLEEP }),
      lie: async (request, honest) => {
        const answer = await honest();
        if (isReleased || request.path !== "/api/ota/check") return answer;
        const { time } = JSON.parse(new TextDecoder().decode(answer.body));
        return {
          ...answer,
          body: new TextEncoder().encode(JSON.stringify({ update_available: false, time })),
        };
      },
    });
    expect(await until(() => sleeps().length === 2)).equal(true);
    isReleased = true;
    expect(await until(() => rig.reports.some(({ step }) => step === "validated"))).equal(true);
    expect(sleeps().length).equal(2);
    expect(rig.running()).equal("1.1.0 ota_0");
  });

  it("still updates when the panel does not answer", async () => {
    assigned = picture(1);
    await setUp({
      update: await imageOf("cms", "1.1.0", "esp32", { type: "cms", sleep: SLEEP }),
      surroundings: (atMs) => ({ ...home(atMs), hasPanel: false }),
    });
    expect(await until(() => rig.reports.some(({ step }) => step === "validated"))).equal(true);
    expect(rig.trace.join("\n")).include("panel: Error: time out");
    expect(shown).length(0);
  });

  it("sleeps even if the server is gone, and reconnects to it later", async () => {
    assigned = picture(1);
    let isGone = false;
    await setUp({
      lie: async (_request, honest) => (isGone ? { status: 503 } : honest()),
    });
    expect(await until(() => sleeps().length === 1)).equal(true);
    isGone = true;
    expect(await until(() => sleeps().length === 3)).equal(true);
    for (const ms of awakeMs.slice(1)) expect(ms / 1000, "seconds awake").within(120, 125);
    isGone = false;
    const checked = rig.checks.length;
    expect(await until(() => sleeps().length === 4)).equal(true);
    expect(rig.checks.length).above(checked);
  });
});
