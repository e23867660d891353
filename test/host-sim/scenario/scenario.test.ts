// Scenarios: what a file may say, and a small mesh and a pair that are run from end to end.

import { expect } from "chai";
import { sourceParts } from "../../../host-sim/scenario/count-frames.js";
import { presetScenario } from "../../../host-sim/scenario/presets.js";
import {
  isMeant,
  placedDevices,
  readScenario,
  type Scenario,
  ScenarioError,
} from "../../../host-sim/scenario/scenario.js";
import { runOnServer } from "./run-on-server.js";

const NODES = { name: "node", app: "transmitter", count: 3 };
const read = (fields: object): Scenario =>
  readScenario(JSON.stringify({ devices: [{ name: "gateway", app: "receiver" }, NODES], ...fields }));

describe("a file with a scenario", () => {
  it("names its devices, its steps and what must hold", () => {
    const scenario = read({
      name: "lamps",
      seed: 5,
      radio: { loss: 0.2 },
      steps: [
        { publish: "transmitter", version: "1.1.0" },
        { cutPower: "node-2" },
        { wait: 3 },
        { radio: { loss: 0 } },
        { until: "node", version: "1.1.0", seconds: 60 },
      ],
      expect: { versions: { node: "1.1.0" }, framesPerPart: 1.6 },
    });
    expect(placedDevices(scenario).map(({ name }) => name)).deep.equal([
      "gateway",
      "node-1",
      "node-2",
      "node-3",
    ]);
    expect(placedDevices(scenario).filter((one) => isMeant("node", one))).length(3);
    expect(scenario.radio).deep.equal({ loss: 0.2, duplication: 0, delayMs: 0 });
    expect(scenario.steps).deep.equal([
      { type: "publish", deviceType: "transmitter", version: "1.1.0" },
      { type: "cutPower", who: "node-2", seconds: 10 },
      { type: "wait", seconds: 3 },
      { type: "radio", terms: { loss: 0 } },
      { type: "until", who: "node", version: "1.1.0", seconds: 60 },
    ]);
  });

  for (const [fields, message] of [
    [{ devices: [] }, "devices: a scenario has 1 to 51 of them, this one has 0"],
    [
      { devices: [{ ...NODES, count: 51 }, NODES] },
      "devices: a scenario has 1 to 51 of them, this one has 54",
    ],
    [{ devices: [{ ...NODES, count: 1.5 }] }, "devices[0].count is not a whole number"],
    [{ devices: [NODES, NODES] }, 'devices: two have the name "node-1"'],
    [{ devices: [NODES, { app: "base" }] }, "devices[1].name is not a text, or missing"],
    [{ devices: [{ ...NODES, chip: "z80" }] }, 'devices[0].chip: "z80" is none of esp32, '],
    [{ devices: [{ ...NODES, table: "2mb" }] }, 'devices[0].table: "2mb" is none of 4mb, '],
    [{ devices: [{ ...NODES, config: [] }] }, "devices[0].config is not an object"],
    [{ devices: [{ ...NODES, far: ["moon"] }] }, 'devices[0].far: there is no device and no group "moon"'],
    [{ devices: [{ ...NODES, far: [7] }] }, "devices[0].far is not a list of texts"],
    [{ radio: { loss: 1.5 } }, "radio.loss is not a number from 0 to 1"],
    [{ radio: { los: 1 } }, "radio.los is not known: here may be loss, duplication, delayMs"],
    [{ sed: 1 }, "sed is not known: here may be name, seed, "],
    [{ steps: [{ jump: 1 }] }, "steps[0].jump is not known"],
    [{ steps: [{ wait: 1 }, { version: "1.0.0" }] }, "steps[1] has none of publish, "],
    [{ steps: [{ radio: { loss: 2 } }] }, "steps[0].radio.loss is not a number from 0 to 1"],
    [{ steps: [{ until: "node", version: "one" }] }, 'steps[0].version: "one" is not a version'],
    [{ steps: [{ cutPower: "moon" }] }, 'steps[0].cutPower: there is no device and no group "moon"'],
    [
      { steps: [{ publish: "transmitter", version: "1.1.0", failsOn: "moon" }] },
      'steps[0].failsOn: there is no device and no group "moon"',
    ],
    [{ steps: [{ publish: "cms", version: "1.0.0" }] }, 'steps[0].publish: no device is of the type "cms"'],
    [
      { expect: { versions: { nobody: "1.0.0" } } },
      'expect.versions: there is no device and no group "nobody"',
    ],
    [{ expect: { versions: { node: "one" } } }, 'expect.versions.node: "one" is not a version'],
  ] as const)
    it(`is refused in a sentence: ${message}`, () => {
      expect(() => read(fields)).throw(ScenarioError, message);
    });

  it("is refused if it is no JSON, or no object", () => {
    expect(() => readScenario("{")).throw(ScenarioError, "it is not JSON");
    expect(() => readScenario("[]")).throw(ScenarioError, "the scenario is not an object");
  });
});

describe("the parts of an image", () => {
  it("are counted chunk by chunk", () => {
    expect(sourceParts(16_384, 16_384)).equal(74);
    expect(sourceParts(16_384 + 225, 16_384)).equal(76);
    expect(sourceParts(0, 16_384)).equal(0);
  });
});

describe("a scenario", () => {
  it("brings a mesh its update: one download, at most 1.6 frames for each part", async () => {
    const result = await runOnServer(presetScenario("mesh", { nodes: 3, loss: 0.2, seed: 7 }));
    expect(result.failed).deep.equal([]);
    expect(result).include({ ok: true, serverShare: 1 });
    expect(result.framesPerPart).within(1, 1.6);
    expect(result.devices.filter(({ version }) => version === "1.1.0")).length(3);
  });

  it("fails, and says what does not hold", async () => {
    const scenario = presetScenario("mesh", { nodes: 1, loss: 0, seed: 1 });
    const result = await runOnServer({
      ...scenario,
      steps: [{ type: "wait", seconds: 60 }],
      expect: { versions: { node: "1.1.0" }, framesPerPart: 1.6 },
    });
    expect(result).include({ ok: false });
    expect(result.failed).deep.equal(["node runs 1.0.0, not 1.1.0"]);
  });
});
