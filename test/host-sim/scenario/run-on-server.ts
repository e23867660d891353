// Runs a scenario against an update server of its own.

import { runScenario, type ScenarioResult, type ScenarioRun } from "../../../host-sim/scenario/run.js";
import type { Scenario } from "../../../host-sim/scenario/scenario.js";
import { openScenarioServer } from "../../../server/demo/scenario-server.js";

export async function runOnServer(scenario: Scenario): Promise<ScenarioResult> {
  let started: ScenarioRun | undefined;
  const open = await openScenarioServer(() => started?.desk.world.nowMs ?? 0);
  try {
    return await runScenario(scenario, {
      ...open,
      onDesk: (desk) => {
        started = desk;
      },
    });
  } finally {
    await open.close();
  }
}
