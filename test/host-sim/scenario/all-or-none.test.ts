// Orders of a mesh for all nodes or none: what one node cannot run, none keeps.

import { expect } from "chai";
import type { ScenarioResult } from "../../../host-sim/scenario/run.js";
import { readScenario, type Scenario } from "../../../host-sim/scenario/scenario.js";
import { runOnServer } from "./run-on-server.js";

/** An order for all nodes or none. */
const forAll = (nodes: readonly object[], seconds: number, failsOn?: string): Scenario =>
  readScenario(
    JSON.stringify({
      seed: 7,
      devices: [{ name: "gateway", app: "gateway", table: "8mb-gateway" }, ...nodes],
      radio: { loss: 0.2 },
      steps: [
        { wait: 120 },
        { order: "pir", version: "1.1.0", rule: "all", ...(failsOn ? { failsOn } : {}) },
        { wait: seconds },
      ],
      expect: { versions: { gateway: "1.0.0", all: "1.0.0" }, serverShare: 1.05 },
    }),
  );
const PIR = { name: "node", type: "pir", app: "node", config: { role: "pir" } };
const bootsOf = ({ devices }: ScenarioResult) =>
  Object.fromEntries(devices.map(({ name, boots }) => [name, boots]));

describe("an order for all nodes or none", () => {
  it("takes the others back where the image does not work on one node", async () => {
    const result = await runOnServer(forAll([{ ...PIR, count: 2 }], 450, "node-2"));
    expect(result.failed).deep.equal([]);
    // node-1: the image before, the new one, the one before again; node-2 has tried it twice
    expect(bootsOf(result)).deep.equal({ gateway: 1, "node-1": 3, "node-2": 5 });
    expect(result.serverShare).equal(1);
  });

  it("starts nowhere where one node refuses the image", async () => {
    const odd = { ...PIR, name: "odd", chip: "esp32c3" };
    const result = await runOnServer(forAll([PIR, odd], 300));
    expect(result.failed).deep.equal([]);
    expect(bootsOf(result)).deep.equal({ gateway: 1, node: 1, odd: 1 });
    expect(result.frames.parts, "the other one had begun with it").greaterThan(0);
  });
});
