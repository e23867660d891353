import { expect } from "chai";
import type { XsBridge } from "../../host-sim/xs/bridge.js";
import { buildXs } from "../../host-sim/xs/build.js";
import { xsEngine } from "../../host-sim/xs/engine.js";
import { imageOf, type Rig, START_TIME, setUpRig, writeJson } from "../journey/rig.js";
import { APPS } from "./apps.js";

const HOUR_MS = 3_600_000;
const KIB = 1024;
/** What an app may hold, above what it holds when idle, while it streams an update. */
const STREAMING_LIMIT_BYTES = 24 * KIB;
/** What an app may compute for each KiB of an update. */
const BYTECODE_LIMIT = 5_000;

const { program, bits } = buildXs();

/** A device that has come online inside XS and was told that there is no update. */
class Idle {
  emptyBytes = 0;
  bridge!: XsBridge;
  rig!: Rig;
  isOffered = false;
  bootCount = 0;

  async begin(app: string): Promise<this> {
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
      image: await imageOf(app, "1.0.0", "esp32", { type: app }),
      update: await imageOf(app, "1.1.0", "esp32", { type: app }),
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
  const figures: Figures[] = [];
  afterEach(() => idle.rig.close());
  after(() => print(figures));

  for (const app of APPS) {
    it(`${app} streams an update in 24 KiB above its idle state`, async () => {
      idle = await new Idle().begin(app);
      const before = idle.bridge.watch();
      const idleBytes = before.slotBytes + before.chunkBytes;
      idle.isOffered = true;
      await idle.until(() => idle.hasReported("verified"));
      const { bytecodeCount } = idle.bridge.use();
      expect(await idle.until(() => idle.hasReported("armed"))).equal(true);
      const use = idle.bridge.use();
      const imageKib = idle.rig.updateImage.length / KIB;
      const found: Figures = {
        app,
        imageKib: Math.round(imageKib),
        idleBytes: idleBytes - idle.emptyBytes,
        peakBytes: use.peakBytes - idleBytes,
        slotBytes: use.peakSlotBytes - before.slotBytes,
        chunkBytes: use.peakChunkBytes - before.chunkBytes,
        bytecodesPerKib: Math.round((use.bytecodeCount - bytecodeCount) / imageKib),
        stackSlots: use.peakStackCount,
      };
      figures.push(found);
      expect(found.peakBytes).within(KIB, STREAMING_LIMIT_BYTES);
      expect(found.bytecodesPerKib).within(100, BYTECODE_LIMIT);
      expect(idle.bootCount).equal(2);
    });
  }

  it("holds no more after an hour of checks than before", async () => {
    idle = await new Idle().begin("base");
    const before = idle.bridge.collect();
    await idle.rig.desk.world.runFor(HOUR_MS);
    const after = idle.bridge.collect();
    expect(idle.rig.checks.length).above(25);
    expect(after.slotBytes - before.slotBytes, "slots").within(-512, 512);
    expect(after.chunkBytes - before.chunkBytes, "chunks").within(-512, 512);
  });

  it("restarts a firmware that needs more than the machine has, and finishes the update all the same", async () => {
    idle = await new Idle().begin("base");
    const { slotBytes, chunkBytes } = idle.bridge.watch();
    idle.bridge.watch(slotBytes + chunkBytes + 4 * KIB);
    idle.isOffered = true;
    expect(await idle.until(() => idle.hasReported("validated"))).equal(true);
    const causes = idle.rig.events.flatMap((event) => (event.type === "restarted" ? [event.cause] : []));
    expect(causes).deep.equal(["outOfMemory", "restart"]);
  });
});

/** What an app needs; bytes above idle but for `idleBytes`, which is above an empty machine, code and pages included. */
interface Figures {
  readonly app: string;
  readonly imageKib: number;
  readonly idleBytes: number;
  readonly peakBytes: number;
  readonly slotBytes: number;
  readonly chunkBytes: number;
  readonly bytecodesPerKib: number;
  readonly stackSlots: number;
}

const COLUMNS: Readonly<Record<keyof Figures, string>> = {
  app: "app",
  imageKib: "image (KiB)",
  idleBytes: "idle (bytes)",
  peakBytes: "streaming: peak above idle (bytes)",
  slotBytes: "slots",
  chunkBytes: "chunks",
  bytecodesPerKib: "bytecodes per KiB of image",
  stackSlots: "stack (slots)",
};

function print(figures: readonly Figures[]): void {
  const names = Object.keys(COLUMNS) as (keyof Figures)[];
  const row = (cellOf: (name: keyof Figures) => string) =>
    `      ${names.map((name) => cellOf(name).padStart(COLUMNS[name].length)).join("  ")}\n`;
  process.stdout.write(
    `\n      XS ${bits}-bit; at most ${STREAMING_LIMIT_BYTES} bytes, ${BYTECODE_LIMIT} bytecodes\n`,
  );
  process.stdout.write(row((name) => COLUMNS[name]));
  for (const found of figures) process.stdout.write(row((name) => `${found[name]}`));
}
