// The scene that the page draws: who hangs on whom, and how far the updates are, seen on a pair that is updated from end to end.

import { expect } from "chai";
import { presetScenario } from "../../../../host-sim/scenario/presets.js";
import { runScenario, type ScenarioRun } from "../../../../host-sim/scenario/run.js";
import { type Scene, SceneReader } from "../../../../host-sim/sim/web-view/scene-reader.js";
import { openScenarioServer } from "../../../../server/demo/scenario-server.js";

const CHUNK_BYTES = 16 * 1024;

describe("the scene of a pair that is updated", function () {
  this.timeout(60_000);
  const scenes: Scene[] = [];

  before(async () => {
    let run: ScenarioRun | undefined;
    let reader: SceneReader | undefined;
    const open = await openScenarioServer(() => run?.desk.world.nowMs ?? 0);
    const tools = {
      ...open,
      onDesk: (started: ScenarioRun) => {
        run = started;
        const subjects = started.devices.map(({ placed, ...one }) => ({ ...one, type: placed.type }));
        reader = new SceneReader(started.desk, subjects, (type) => started.published.get(type));
        reader.step = "as it is";
      },
      onSecond: () => void (reader && scenes.push(reader.take())),
    };
    try {
      expect(await runScenario(presetScenario("pair", { nodes: 1, loss: 0.2, seed: 3 }), tools)).include({
        ok: true,
      });
    } finally {
      await open.close();
    }
  });

  const of = (name: string) => scenes.map(({ devices }) => devices.find((one) => one.name === name)!);
  const statesOf = (name: string): string[] =>
    of(name)
      .map(({ update }) => update.state)
      .filter((state, index, all) => state !== all[index - 1]);
  const linkTo = (scene: Scene, name: string) => scene.links.find(({ to }) => to === name);

  it("tells what each device runs, and where its update is", () => {
    expect(scenes[0]!.devices.map(({ name, type, chip, power }) => [name, type, chip, power])).deep.equal([
      ["receiver", "receiver", "esp32", "starting"],
      ["transmitter", "transmitter", "esp32", "starting"],
    ]);
    for (const name of ["receiver", "transmitter"]) {
      expect(statesOf(name), name).deep.equal(["none", "receiving", "trial", "done"]);
      expect(of(name).at(-1)).deep.include({ version: "1.1.0", power: "running" });
    }
    expect(scenes.at(-1)).include({ step: "as it is", end: "", speed: null, isPaused: false });
    expect(scenes.at(-1)!.offers).deep.equal(["receiver 1.1.0", "transmitter 1.1.0"]);
  });

  it("counts the bytes of the image that is under way, up to all of them", () => {
    const receiving = of("transmitter").flatMap(({ update }) =>
      update.state === "receiving" ? [update] : [],
    );
    const done = receiving.map(({ doneBytes }) => doneBytes);
    const [first] = receiving;
    expect(first).include({ version: "1.1.0" });
    // a block that was spoilt is erased and fetched again
    for (const [index, bytes] of done.entries()) expect(bytes).at.least((done[index - 1] ?? 0) - CHUNK_BYTES);
    expect(done.at(-1)).within(first!.totalBytes * 0.9, first!.totalBytes + 16);
    expect(done.length).greaterThan(5);
  });

  it("hangs the device without a network on the one that it speaks with, and tells how much is missed", () => {
    const last = scenes.at(-1)!;
    expect(linkTo(last, "receiver")).include({ from: "server", medium: "wifi", isUp: true });
    expect(linkTo(last, "transmitter")).include({ from: "receiver", medium: "espnow", isUp: true });
    expect(linkTo(scenes[0]!, "transmitter"), "nothing was said yet").equal(undefined);
    const busy = scenes.flatMap((scene) => {
      const link = linkTo(scene, "transmitter");
      return link && link.traffic > 20 ? [link.missed] : [];
    });
    expect(busy.length).greaterThan(5);
    expect(busy.reduce((sum, missed) => sum + missed, 0) / busy.length).within(0.1, 0.3);
  });
});
