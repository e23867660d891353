// What a node does in its role: event in, effects out.

import { expect } from "chai";
import type { Role } from "../../../../firmware/apps/node/core/role.js";
import {
  initialRole,
  type RoleOutput,
  type RoleSettings,
  type RoleState,
  roleStarted,
  roleStep,
  signalHeard,
} from "../../../../firmware/apps/node/core/role-part.js";
import type { Signal } from "../../../../firmware/apps/node/core/signal.js";
import type { RoleEvent } from "../../../../firmware/apps/node/core/vocabulary.js";

const settings = (role: Role): RoleSettings => ({ role, dhtKind: "dht22", sampleSeconds: 60 });
const QUIET: RoleEvent = { type: "timerFired", timer: "role.input" };
const edge = (isActive: boolean): RoleEvent => ({ type: "inputChanged", isActive });

class Node {
  state: RoleState = initialRole;
  readonly settings: RoleSettings;
  constructor(role: Role) {
    this.settings = settings(role);
  }
  take(...events: RoleEvent[]): RoleOutput[] {
    return events.flatMap((event) => {
      const [state, outputs] = roleStep(this.state, event, this.settings);
      this.state = state;
      return outputs.filter(({ type }) => type !== "setTimer");
    });
  }
  hear(values: Signal["values"], role = "pir"): RoleOutput[] {
    const [state, outputs] = signalHeard(this.state, { role, values }, this.settings);
    this.state = state;
    return [...outputs];
  }
}
const said = (role: string, values: Signal["values"]): RoleOutput => ({
  type: "say",
  signal: { role, values },
});

describe("a node's input", () => {
  for (const [role, name] of [
    ["pir", "motion"],
    ["button", "button"],
    ["button2", "button2"],
  ] as const)
    it(`of the role ${role} says ${name} 1 and 0, once for each change`, () => {
      const node = new Node(role);
      expect(node.take(edge(false), QUIET), "nothing has happened yet").deep.equal([]);
      expect(node.take(edge(true), QUIET)).deep.equal([said(role, { [name]: 1 })]);
      expect(node.take(QUIET)).deep.equal([]);
      expect(node.take(edge(false), QUIET)).deep.equal([said(role, { [name]: 0 })]);
    });

  it("is heard when it has been quiet for 30 ms: what bounces is one change, a spike none", () => {
    const node = new Node("button");
    node.take(edge(false), QUIET);
    expect(roleStep(node.state, edge(true), node.settings)[1]).deep.equal([
      { type: "setTimer", timer: "role.input", delayMs: 30 },
    ]);
    const bouncing = [edge(true), edge(false), edge(true), edge(false), edge(true)];
    expect(node.take(...bouncing, QUIET)).deep.equal([said("button", { button: 1 })]);
    expect(node.take(edge(false), edge(true), QUIET)).deep.equal([]);
  });

  it("that is active at the start is news", () => {
    expect(new Node("pir").take(edge(true), QUIET)).deep.equal([said("pir", { motion: 1 })]);
  });

  it("of a role without one says nothing", () => {
    for (const role of ["led", "dht", "watcher"] as const)
      expect(new Node(role).take(edge(true), QUIET), role).deep.equal([]);
  });
});

describe("a node's light", () => {
  const light = (isOn: boolean): RoleOutput => ({ type: "writeLight", isOn });

  it("is on while somebody moves", () => {
    const node = new Node("led");
    expect(node.hear({ motion: 1 })).deep.equal([light(true)]);
    expect(node.hear({ motion: 1 })).deep.equal([]);
    expect(node.hear({ motion: 0 })).deep.equal([light(false)]);
  });

  it("is toggled by a button, when it is pressed, and put out by the second", () => {
    const node = new Node("led");
    expect(node.hear({ button: 1 })).deep.equal([light(true)]);
    expect(node.hear({ button: 0 })).deep.equal([]);
    expect(node.hear({ button: 1 })).deep.equal([light(false)]);
    expect(node.hear({ button2: 1 })).deep.equal([]);
    node.hear({ button: 1 });
    expect(node.hear({ button2: 0 })).deep.equal([]);
    expect(node.hear({ button2: 1 })).deep.equal([light(false)]);
  });

  it("does nothing about a climate, and other roles nothing about a button", () => {
    expect(new Node("led").hear({ temperature: 20, humidity: 50 })).deep.equal([]);
    for (const role of ["pir", "button", "dht"] as const)
      expect(new Node(role).hear({ button: 1 })).deep.equal([]);
  });
});

describe("a watcher", () => {
  it("logs what the others say, and nothing else", () => {
    const node = new Node("watcher");
    expect(node.hear({ temperature: 21.5, humidity: 46 }, "dht")).deep.equal([
      { type: "log", level: "info", message: "dht: temperature 21.5, humidity 46" },
    ]);
  });
});

describe("a node's climate", () => {
  const SAMPLE: RoleEvent = { type: "timerFired", timer: "role.sample" };
  const bytes = (...values: number[]): RoleEvent => ({ type: "climateRead", bytes: Uint8Array.from(values) });

  it("is read three seconds after the start and then every minute, no role's else", () => {
    expect(roleStarted(settings("dht"))).deep.equal([
      { type: "setTimer", timer: "role.sample", delayMs: 3_000 },
    ]);
    for (const role of ["pir", "led", "watcher"] as const) expect(roleStarted(settings(role))).deep.equal([]);
    expect(roleStep(initialRole, SAMPLE, settings("dht"))[1]).deep.equal([
      { type: "readClimate" },
      { type: "setTimer", timer: "role.sample", delayMs: 60_000 },
    ]);
    const hasty = { ...settings("dht"), sampleSeconds: 0 };
    expect(roleStep(initialRole, SAMPLE, hasty)[1][1], "two seconds are the sensor's least").include({
      delayMs: 3_000,
    });
  });

  it("goes to the server with the next check, and to the other nodes", () => {
    // 65.2 % and 35.1 °C: the data sheet's own example
    expect(new Node("dht").take(bytes(0x02, 0x8c, 0x01, 0x5f, 0xee))).deep.equal([
      { type: "reading", readings: { temperature_c: 35.1, humidity_percent: 65.2 } },
      said("dht", { temperature: 35.1, humidity: 65.2 }),
    ]);
  });

  it("that cannot be read is taken back, and logged once", () => {
    const node = new Node("dht");
    const none: RoleOutput = { type: "reading", readings: {} };
    const failed: RoleEvent = { type: "climateFailed", message: "pin 25: no answer" };
    expect(node.take(failed)).deep.equal([
      none,
      { type: "log", level: "warn", message: "the DHT cannot be read: pin 25: no answer" },
    ]);
    expect(node.take(failed, bytes(1, 2, 3, 4, 5))).deep.equal([none, none]);
    node.take(bytes(0x02, 0x8c, 0x01, 0x5f, 0xee));
    expect(node.take(failed).at(-1)).include({ type: "log" });
  });
});
