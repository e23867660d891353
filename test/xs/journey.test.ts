import { expect } from "chai";
import type { Engine } from "../../host-sim/engine/engine.js";
import { buildXs } from "../../host-sim/xs/build.js";
import { weightless, xsEngine } from "../../host-sim/xs/engine.js";
import { imageOf, setUpRig } from "../journey/rig.js";
import { APPS } from "./apps.js";

const HOUR_MS = 3_600_000;

/** A whole journey, from first start to the outcome of the update, and everything observable. */
async function journey(
  engine: Engine,
  app: string,
  updateApp = app,
): Promise<{ trace: string[]; reports: string[]; restarts: string[] }> {
  const rig = await setUpRig({
    seed: 7,
    engine,
    image: await imageOf(app, "1.0.0", "esp32", { type: app }),
    update: await imageOf(updateApp, "1.1.0", "esp32", { type: app }),
  });
  const isOver = () => rig.reports.some(({ status }) => status === "success" || status === "failed");
  try {
    rig.desk.device.powerOn();
    await rig.desk.world.runUntil(isOver, { limitMs: HOUR_MS });
    expect(isOver(), rig.trace.join("\n")).equal(true);
    return {
      trace: [...rig.trace, `${rig.desk.world.nowMs}`],
      reports: rig.reports.map((report) => JSON.stringify(report)),
      restarts: rig.events.flatMap((event) => (event.type === "restarted" ? [event.cause] : [])),
    };
  } finally {
    await rig.close();
  }
}

/** For a device that receives every kind of order. */
async function ordered(engine: Engine): Promise<{ trace: string[]; orders: unknown; restarts: string[] }> {
  const image = await imageOf("led", "1.0.0", "esp32", { type: "led" });
  const rig = await setUpRig({ seed: 7, engine, image, update: image });
  const until = (done: () => boolean) => rig.desk.world.runUntil(done, { limitMs: HOUR_MS });
  try {
    rig.desk.device.powerOn();
    await until(() => rig.checks.length === 2);
    await rig.desk.world.runFor(1_000);
    const [check] = rig.checks as unknown as { readonly device_id: string }[];
    const path = `/api/devices/${check?.device_id}/orders`;
    for (const order of [
      { kind: "identify" },
      { kind: "settings", settings: { pattern: "chase", checkSeconds: 60 } },
      // the server cannot know that 5 is too little
      { kind: "settings", settings: { checkSeconds: 5 } },
      { kind: "restart" },
    ])
      await rig.server.admin("POST", path, order);
    await rig.desk.world.runFor(HOUR_MS / 4);
    return {
      trace: [...rig.trace, `${rig.desk.world.nowMs}`, JSON.stringify(rig.checks)],
      orders: (await rig.server.admin("GET", path)).orders,
      restarts: rig.events.flatMap((event) => (event.type === "restarted" ? [event.cause] : [])),
    };
  } finally {
    await rig.close();
  }
}

describe("firmware inside XS", () => {
  const { program } = buildXs();
  let bootCount = 0;
  const xs = xsEngine({
    program,
    onBoot: () => {
      bootCount += 1;
    },
  });

  for (const app of APPS) {
    it(`${app} gives the same trace as in V8 with the same seed, to the millisecond`, async () => {
      const inV8 = await journey(weightless, app);
      bootCount = 0;
      expect(await journey(xs, app)).deep.equal(inV8);
      expect(inV8.trace.length).above(8);
      expect(inV8.restarts).deep.equal(["restart"]);
      expect(bootCount).equal(2);
    });
  }

  it("carries out orders like in V8, to the millisecond", async () => {
    const inV8 = await ordered(weightless);
    expect((inV8.orders as { state: string }[]).map(({ state }) => state)).deep.equal([
      "done",
      "refused",
      "done",
      "done",
    ]);
    expect(inV8.restarts).deep.equal(["restart"]);
    expect(await ordered(xs)).deep.equal(inV8);
  });

  for (const [app, cause] of [
    ["throws.ts", "uncaught"],
    ["throws-later.ts", "uncaught"],
    ["hangs.ts", "watchdog"],
  ] as const) {
    it(`rolls back a bad update, like in V8: ${app}`, async () => {
      const inV8 = await journey(weightless, "base", app);
      const inXs = await journey(xs, "base", app);
      expect(inXs.restarts).deep.equal(["restart", cause]);
      expect(inXs.restarts).deep.equal(inV8.restarts);
      expect(inXs.reports).deep.equal(inV8.reports);
    });
  }
});
