import { expect } from "chai";
import type { XsBridge } from "../../host-sim/xs/bridge.js";
import { buildXs } from "../../host-sim/xs/build.js";
import { xsEngine } from "../../host-sim/xs/engine.js";
import { type Rig, START_TIME, setUpRig, writeJson } from "../journey/rig.js";

const HOUR_MS = 3_600_000;
const KIB = 1024;
/** What `base` may hold, above what it holds when idle, while it streams an update. */
const STREAMING_TARGET_BYTES = 24 * KIB;

const { program, bits } = buildXs();

/** A device that has come online inside XS and was told that there is no update. */
class Idle {
  emptyBytes = 0;
  bridge!: XsBridge;
  rig!: Rig;
  isOffered = false;
  bootCount = 0;

  async begin(): Promise<this> {
    const engine = xsEngine({
      program,
      onBoot: (bridge) => {
        this.bootCount += 1;
        this.bridge = bridge;
        const { slotBytes, chunkBytes } = bridge.collect();
        this.emptyBytes = slotBytes + chunkBytes;
      },
    });
    this.rig = await setUpRig({
      seed: 7,
      engine,
      lie: async (request, honest) =>
        this.isOffered || request.path !== "/api/ota/check" ? honest() : noUpdate(),
    });
    this.rig.desk.device.powerOn();
    await this.until(() => this.rig.checks.length === 1);
    // Started again with what it has saved: without the portal, as devices are nearly always.
    this.rig.desk.device.powerOff();
    this.rig.desk.device.powerOn();
    await this.until(() => this.rig.checks.length === 2);
    await this.rig.desk.world.runFor(30_000);
    return this;
  }

  until(done: () => boolean): Promise<boolean> {
    return this.rig.desk.world.runUntil(done, { limitMs: HOUR_MS });
  }

  hasReported = (step: string) => this.rig.reports.some((report) => report.step === step);
}

const noUpdate = async () => ({
  status: 200,
  headers: { "content-type": "application/json" },
  body: writeJson({ update_available: false, time: START_TIME }),
});

describe("memory and computation inside XS", () => {
  let idle: Idle;
  beforeEach(async () => {
    idle = await new Idle().begin();
  });
  afterEach(() => idle.rig.close());

  it("streams an update in 24 KiB above its idle state", async () => {
    const before = idle.bridge.watch();
    const idleBytes = before.slotBytes + before.chunkBytes;
    idle.isOffered = true;
    await idle.until(() => idle.hasReported("verified"));
    const { bytecodeCount } = idle.bridge.use();
    expect(await idle.until(() => idle.hasReported("armed"))).equal(true);
    const use = idle.bridge.use();
    const aboveIdleBytes = use.peakBytes - idleBytes;
    const imageKib = idle.rig.updateImage.length / KIB;
    print([
      `XS ${bits}-bit, ${use.bytesPerSlot} bytes a slot; base, image of ${Math.round(imageKib)} KiB`,
      `idle: ${idleBytes - idle.emptyBytes} bytes above an empty machine's ${idle.emptyBytes}, code and pages included`,
      `streaming: peak ${aboveIdleBytes} bytes above idle (slots ${use.peakSlotBytes - before.slotBytes}, chunks ${use.peakChunkBytes - before.chunkBytes}), target ${STREAMING_TARGET_BYTES}`,
      `streaming: ${Math.round((use.bytecodeCount - bytecodeCount) / imageKib)} bytecodes per KiB of image; stack at most ${use.peakStackCount} slots`,
    ]);
    expect(aboveIdleBytes).within(KIB, STREAMING_TARGET_BYTES);
    expect(idle.bootCount).equal(2);
  });

  it("holds no more after an hour of checks than before", async () => {
    const before = idle.bridge.collect();
    await idle.rig.desk.world.runFor(HOUR_MS);
    const after = idle.bridge.collect();
    expect(idle.rig.checks.length).above(25);
    expect(after.slotBytes - before.slotBytes, "slots").within(-512, 512);
    expect(after.chunkBytes - before.chunkBytes, "chunks").within(-512, 512);
  });

  it("restarts a firmware that needs more than the machine has, and finishes the update all the same", async () => {
    const { slotBytes, chunkBytes } = idle.bridge.watch();
    idle.bridge.watch(slotBytes + chunkBytes + 4 * KIB);
    idle.isOffered = true;
    expect(await idle.until(() => idle.hasReported("validated"))).equal(true);
    const causes = idle.rig.events.flatMap((event) => (event.type === "restarted" ? [event.cause] : []));
    expect(causes).deep.equal(["outOfMemory", "restart"]);
  });
});

function print(lines: readonly string[]): void {
  for (const line of lines) process.stdout.write(`      ${line}\n`);
}
