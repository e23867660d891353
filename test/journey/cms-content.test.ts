// The path of a picture: an operator uploads it and assigns it, a virtual device with a panel wakes, fetches it and draws it.

import { expect } from "chai";
import { pbmHeader } from "../../firmware/apps/cms/core/pbm.js";
import type { Light } from "../../host-sim/hardware/gpio.js";
import { imageOf, type Rig, START_TIME, setUpRig } from "./rig.js";

const MINUTE_MS = 60_000;
const SIDE = 200;
/** Wakes each quarter of an hour. */
const SLEEP = { seconds: 900, awakeSeconds: 10, firstAwakeSeconds: 120, longestSeconds: 120 };

type Panel = Extract<Light, { readonly type: "panel" }>;

/** Random dots, so that a row or a bit in the wrong place shows. */
function picture(seed: number): { readonly pbm: Uint8Array; readonly rows: Buffer } {
  const rows = Buffer.alloc((SIDE * SIDE) / 8);
  for (let i = 0, state = seed; i < rows.length; i++) {
    state = (state * 1_103_515_245 + 12_345) & 0x7fffffff;
    rows[i] = (state >> 16) & 0xff;
  }
  return { pbm: Buffer.concat([Buffer.from(pbmHeader(SIDE, SIDE)), rows]), rows };
}

describe("the journey of a picture", () => {
  let rig: Rig;
  let shown: Panel[];
  afterEach(() => rig.close());

  async function setUp(): Promise<void> {
    shown = [];
    const image = await imageOf("cms", "1.0.0", "esp32", { type: "cms", sleep: SLEEP });
    rig = await setUpRig({
      image,
      update: image,
      onLight: (light) => {
        if (light.type === "panel") shown.push(light);
      },
    });
    rig.desk.device.powerOn();
  }

  const assign = (image_id: number, target: object, more: object = {}) =>
    rig.server.admin("POST", "/api/content-admin/assignments", { image_id, target, ...more });
  const sleepCount = () =>
    rig.events.filter((event) => event.type === "restarted" && event.cause === "deepSleep").length;
  /** Until it has been awake `count` more times and sleeps again. */
  async function sleepAgain(count = 1): Promise<void> {
    const enough = sleepCount() + count;
    const limitMs = count * 60 * MINUTE_MS;
    expect(await rig.desk.world.runUntil(() => sleepCount() >= enough, { limitMs })).equal(true);
  }
  const isShown = ({ rows }: { readonly rows: Buffer }): boolean =>
    Buffer.from(shown.at(-1)!.rows).equals(rows);
  const deviceId = (): string => (rig.checks.at(-1) as unknown as { device_id: string }).device_id;
  /** The server's clock, some minutes from now. */
  const inMinutes = (minutes: number): string =>
    new Date(START_TIME * 1000 + rig.desk.world.nowMs + minutes * MINUTE_MS).toISOString();

  it("leads from the operator to the panels of a group, dot by dot, and follows the schedule", async () => {
    await setUp();
    await sleepAgain();
    const [usual, special] = [picture(1), picture(2)];
    const ids = [
      await rig.server.uploadPicture("Usual", usual.pbm),
      await rig.server.uploadPicture("Special", special.pbm),
    ] as const;
    expect(isShown(usual)).equal(false);

    await rig.server.admin("PATCH", `/api/devices/${deviceId()}`, { group: "berlin" });
    await assign(ids[0], { kind: "group", name: "berlin" });
    await sleepAgain();
    expect(isShown(usual), "the group's picture").equal(true);

    const drawn = shown.length;
    await assign(
      ids[1],
      { kind: "device", name: deviceId() },
      { from: inMinutes(60), until: inMinutes(120) },
    );
    await sleepAgain(2);
    expect(shown.length, "nothing is drawn before its time").equal(drawn);
    await sleepAgain(3);
    expect(isShown(special), "while the schedule says so").equal(true);
    await sleepAgain(5);
    expect(isShown(usual), "afterwards").equal(true);
    expect(shown.length, "each drawn once").equal(drawn + 6);
  });

  it("leads to the panels of its type, and not to those of another", async () => {
    await setUp();
    await sleepAgain();
    const usual = picture(1);
    await assign(await rig.server.uploadPicture("Usual", usual.pbm), { kind: "type", name: "cms" });
    await sleepAgain();
    expect(isShown(usual)).equal(true);
    await assign(await rig.server.uploadPicture("Other", picture(3).pbm), { kind: "type", name: "led" });
    await sleepAgain();
    expect(isShown(usual), "another type's picture changes nothing").equal(true);
  });
});
