// The page of a scenario: its devices, their links and how far they are, while it runs and at its end.

import type { Light, Sense } from "../hardware/gpio.js";
import { carryOut } from "../sim/web-view/control.js";
import { factsOf } from "../sim/web-view/facts.js";
import { SceneReader } from "../sim/web-view/scene-reader.js";
import { openView } from "../sim/web-view/view.js";
import type { ScenarioResult, ScenarioRun } from "./run.js";

export interface ScenarioView {
  readonly url: string;
  show(device: string, light: Light): void;
  sense(device: string, sense: Sense): void;
  /** What happens from now on, in a sentence. */
  step(text: string): void;
  end(result: Pick<ScenarioResult, "ok" | "failed" | "seconds">): void;
  close(): void;
}

/** @param port 0 or absent: any free one */
export async function openScenarioView(run: ScenarioRun, port = 0): Promise<ScenarioView> {
  const { desk, devices, published } = run;
  const subjects = devices.map(({ placed, device, watch }) => ({ device, watch, type: placed.type }));
  const reader = new SceneReader(desk, subjects, (type) => published.get(type));
  const view = await openView({
    facts: () => devices.map(({ device }) => ({ ...factsOf(device), name: device.name, pages: "" })),
    scene: () => reader.take(),
    act: (action) => carryOut(desk, action),
    port,
  });
  return {
    url: view.url,
    show: (device, light) => view.show(device, light),
    sense: (device, sense) => view.sense(device, sense),
    step(text) {
      reader.step = text;
    },
    end({ ok, failed, seconds }) {
      reader.end = ok ? "good" : "bad";
      reader.step = ok ? `all that is expected holds after ${seconds} s` : failed.join("; ");
    },
    close: () => view.close(),
  };
}
