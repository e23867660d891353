import { expect } from "chai";
import type { StatusRequest } from "../../firmware/core/wire.js";
import { bundleOf, imageOf, type Rig, type RigOptions, rebuilt, setUpRig } from "./rig.js";

const HOUR_MS = 3_600_000;

const MINUTE_MS = 60_000;

describe("a trial run", () => {
  let rig: Rig;
  afterEach(() => rig.close());

  /** Runs until the device has reported the outcome of the update, and some seconds more. */
  async function outcomeOf(options: RigOptions): Promise<string> {
    rig = await setUpRig(options);
    rig.desk.device.powerOn();
    const isReported = () => rig.reports.some(({ status }) => status === "failed" || status === "success");
    await rig.desk.world.runUntil(isReported, { limitMs: HOUR_MS });
    await rig.desk.world.runFor(5_000);
    return (
      rig.reports.find(({ status }) => status === "failed" || status === "success")?.error_message ??
      "success"
    );
  }

  /** The old image runs again, and the server shows the update as rolled back. */
  async function expectRolledBack(): Promise<void> {
    expect(
      rig.events
        .filter(({ type }) => type === "booted")
        .map((event) => event.type === "booted" && event.partition.label)
        .slice(0, 3),
    ).deep.equal(["factory", "ota_0", "factory"]);
    expect(rig.desk.device.running?.label).equal("factory");
    expect((await rig.server.updates())[0]).include({ status: "failed", errorCode: "ROLLED_BACK" });
  }

  it("of an image that throws at once ends in a roll back", async () => {
    expect(await outcomeOf({ update: await imageOf("throws.ts", "1.1.0") })).match(/threw an error/);
    await expectRolledBack();
  });

  it("of an image that crashes after five seconds ends in a roll back", async () => {
    expect(await outcomeOf({ update: await imageOf("throws-later.ts", "1.1.0") })).match(/threw an error/);
    await expectRolledBack();
  });

  it("of an image that hangs is ended by the watchdog and rolled back", async () => {
    expect(await outcomeOf({ update: await imageOf("hangs.ts", "1.1.0") })).match(/hung .*task watchdog/);
    await expectRolledBack();
  });

  it("that the supply's brownout ends is begun once more, and passes", async () => {
    let brownOuts = 0;
    const outcome = await outcomeOf({
      onEvent: (event) => {
        if (event.type !== "booted" || event.partition.label !== "ota_0" || brownOuts > 0) return;
        brownOuts++;
        rig.desk.world.schedule(5_000, () => rig.desk.device.brownOut());
      },
    });
    expect(outcome).equal("success");
    expect(rig.events.flatMap((event) => (event.type === "booted" ? [event.resetReason] : []))).include(9);
    expect(rig.desk.device.running?.label).equal("ota_0");
  });

  it("of an image that never gets Wi-Fi ends in a roll back at its deadline", async () => {
    const outcome = await outcomeOf({
      onEvent: (event) => {
        if (event.type !== "booted") return;
        // the router is away while the new image runs
        if (event.partition.label === "ota_0") rig.desk.home.setUp(false);
        else rig.desk.home.setUp(true);
      },
    });
    expect(outcome).equal("the network was not joined within 300 s");
    await expectRolledBack();
  });

  it("of an image that does not reach the server ends in a roll back at its deadline", async () => {
    let isTrial = false;
    const outcome = await outcomeOf({
      onEvent: (event) => {
        if (event.type === "booted") isTrial = event.partition.label === "ota_0";
      },
      lie: async (_, honest) => (isTrial ? { status: 503 } : honest()),
    });
    expect(outcome).equal("the server was not reached within 300 s");
    await expectRolledBack();
  });

  it("that was rolled back is not repeated at once, and not more than three times", async () => {
    await outcomeOf({ update: await imageOf("throws.ts", "1.1.0") });
    const trials = () =>
      rig.events.filter((event) => event.type === "booted" && event.partition.label === "ota_0").length;
    await rig.desk.world.runFor(8 * MINUTE_MS);
    expect(trials()).equal(1);
    await rig.desk.world.runFor(12 * 60 * MINUTE_MS);
    expect(trials()).equal(3);
    expect(rig.watch.slots.get("ota_0")!.bytesWritten).equal(rig.updateImage.length);
  });

  it("that one power loss ends is repeated without a new download", async () => {
    let cuts = 0;
    const outcome = await outcomeOf({
      onEvent: (event) => {
        if (event.type !== "booted" || event.partition.label !== "ota_0" || cuts++ > 0) return;
        rig.desk.world.schedule(10_000, () => {
          rig.desk.device.powerOff();
          rig.desk.device.powerOn();
        });
      },
    });
    expect(outcome).equal("success");
    expect(cuts).equal(2);
    expect(rig.watch.slots.get("ota_0")!.bytesWritten).equal(rig.updateImage.length);
    expect((await rig.server.updates()).map(({ status }) => status)).deep.equal(["success"]);
  });

  it("that power losses end twice is reported as rolled back", async () => {
    const outcome = await outcomeOf({
      onEvent: (event) => {
        if (event.type !== "booted" || event.partition.label !== "ota_0") return;
        rig.desk.world.schedule(10_000, () => {
          rig.desk.device.powerOff();
          rig.desk.device.powerOn();
        });
      },
    });
    expect(outcome).match(/interrupted 2 times/);
  });

  it("has one outcome: what ended it is reported even if the server is reached only after another power cut", async () => {
    let isAway = false;
    const bootCount = () => rig.events.filter(({ type }) => type === "booted").length;
    rig = await setUpRig({
      update: await imageOf("hangs.ts", "1.1.0"),
      onEvent: (event) => {
        if (event.type === "booted" && event.partition.label === "ota_0") isAway = true;
      },
      lie: async (_, honest) => (isAway ? { status: 503 } : honest()),
    });
    const { device, world } = rig.desk;
    device.powerOn();
    await world.runUntil(() => bootCount() === 3, { limitMs: HOUR_MS });
    await world.runFor(MINUTE_MS);
    device.powerOff();
    isAway = false;
    rig.reports.length = 0;
    device.powerOn();
    await world.runUntil(() => rig.reports.some(({ status }) => status === "failed"), { limitMs: HOUR_MS });
    await world.runFor(5_000);
    expect(rig.reports.at(-1)?.error_message).match(/hung .*task watchdog/);
    expect(bootCount()).equal(4);
    await expectRolledBack();
  });
});

describe("a restart between the record of an installation and the arming of its slot", () => {
  const ARM = "this.#native.skyslot_arm(nextLabel(this.#native))";
  let rig: Rig;
  afterEach(() => rig.close());

  /** Runs until the device, which hangs there when the JavaScript expression `hangs` holds, has reported the outcome of the update. */
  async function outcomeOf(hangs: string): Promise<StatusRequest> {
    const parts = (await bundleOf("1.0.0")).split(ARM);
    expect(parts.length).equal(2);
    const bundle = parts.join(`(${hangs}?(()=>{for(;;);})():${ARM})`);
    const image = await rebuilt("1.0.0", { bundle });
    rig = await setUpRig({ image });
    rig.desk.device.powerOn();
    const end = () => rig.reports.find(({ status }) => status === "failed" || status === "success");
    await rig.desk.world.runUntil(() => end() !== undefined, { limitMs: HOUR_MS });
    return end()!;
  }

  const bootedSlots = () =>
    rig.events.flatMap((event) => (event.type === "booted" ? [event.partition.label] : []));

  it("does not count against the image: its slot is armed again, and it has its trial", async () => {
    expect(await outcomeOf("this.#native.esp_reset_reason()!==6")).include({ status: "success" });
    expect(bootedSlots()).deep.equal(["factory", "factory", "ota_0"]);
    expect(rig.trace.join("\n")).match(/armed again: it was not started: a reset \(task-watchdog\)/);
  });

  it("leads to three more tries, and then is reported", async () => {
    expect(await outcomeOf("true")).include({ status: "failed", error_code: "ARM_FAILED" });
    expect(bootedSlots()).deep.equal(["factory", "factory", "factory", "factory", "factory"]);
    expect(rig.watch.slots.get("ota_0")!.bytesWritten).equal(rig.updateImage.length);
  });
});
