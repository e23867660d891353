// docs/scenarios.md: its example runs and ends well, its mistake is told as it says, and its table has every field.

import { expect } from "chai";
import { runScenario, type ScenarioRun } from "../../host-sim/scenario/run.js";
import { readScenario } from "../../host-sim/scenario/scenario.js";
import { openScenarioServer } from "../../server/demo/scenario-server.js";
import { readDocument } from "./document.js";
import { readBlocks } from "./markdown.js";

describe("docs/scenarios.md", function () {
  this.timeout(60_000);
  const markdown = readDocument("docs/scenarios.md");
  const [lamps, wrong] = readBlocks(markdown).flatMap(({ language, text }) =>
    language === "json" ? [text] : [],
  );
  /** What each row of the table is about. */
  const rows = [...markdown.matchAll(/^\| `([\w[\].]+)` /gm)].map(([, field]) => field!);

  it("has an example that ends as it expects", async () => {
    let run: ScenarioRun | undefined;
    const open = await openScenarioServer(() => run?.desk.world.nowMs ?? 0);
    try {
      const onDesk = (started: ScenarioRun) => {
        run = started;
      };
      const result = await runScenario(readScenario(lamps!), { ...open, onDesk });
      expect(result.failed).deep.equal([]);
      expect(result.devices.map(({ name, version }) => [name, version])).deep.equal([
        ["receiver", "1.0.0"],
        ["transmitter", "1.1.0"],
      ]);
    } finally {
      await open.close();
    }
  });

  it("tells what is wrong with a file as it says", () => {
    const [, message] = /^wrong\.json: (.*)$/m.exec(markdown) ?? [];
    expect(() => readScenario(wrong!)).throw(message);
  });

  it("has a row for each field, and none for another", () => {
    const step = (field: string) => (field === "steps[]" ? undefined : field.startsWith("steps[]."));
    const known = new Set<string>();
    for (const [where, value] of [
      ["", { surprise: 1 }],
      ["devices[].", { devices: [{ surprise: 1 }] }],
      ["radio.", { devices: [{ name: "a", app: "base" }], radio: { surprise: 1 } }],
      ["steps[].", { devices: [{ name: "a", app: "base" }], steps: [{ surprise: 1 }] }],
      ["expect.", { devices: [{ name: "a", app: "base" }], expect: { surprise: 1 } }],
    ] as const)
      for (const field of fieldsIn(() => readScenario(JSON.stringify(value)))) known.add(where + field);
    const ofSteps = ["version", "seconds", "rule"].map((name) => `steps[].${name}`);
    for (const inside of ["radio", "expect", "devices", "steps", ...ofSteps]) known.delete(inside);
    const told = rows.filter((field) => field !== "devices" && step(field) !== undefined);
    expect(told).members([...known]);
  });
});

/** What a refusal says that there may be. */
function fieldsIn(read: () => unknown): readonly string[] {
  try {
    read();
  } catch (error) {
    const [, fields = ""] = /here may be (.*)$/.exec((error as Error).message) ?? [];
    return fields.split(", ");
  }
  return [];
}
