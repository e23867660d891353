// What a node does in its role, besides its updates: hears its sensor, says what that says, and does what others say. Pure. How a signal travels
// is not its business: radio-node.ts and mesh-node.ts carry it.
//
//   inputChanged ─► 30 ms without another ─► say            climate: every minute ─► readClimate ─► say, and a reading for the server
//   heard ─► led: on, off, toggled; watcher: a line in the log

import type { LogLevel } from "../../../core/effect.js";
import type { Readings } from "../../../core/wire.js";
import { type DhtKind, readDht } from "./dht.js";
import { INPUT_SIGNALS, type Role } from "./role.js";
import { describeSignal, type Signal } from "./signal.js";
import type { RoleEffect, RoleEvent } from "./vocabulary.js";

export interface RoleState {
  /** What the input was when it last was quiet; undefined: it has not been yet. */
  readonly isActive: boolean | undefined;
  /** What it was at the last edge. */
  readonly seen: boolean;
  readonly isLit: boolean;
  /** The last attempt to read the sensor has failed: that is logged once. */
  readonly hasFailed: boolean;
}

export interface RoleSettings {
  readonly role: Role;
  readonly dhtKind: DhtKind;
  /** Between two readings of the climate. */
  readonly sampleSeconds: number;
}

export type RoleOutput =
  | RoleEffect
  | { readonly type: "say"; readonly signal: Signal }
  | { readonly type: "reading"; readonly readings: Readings }
  | { readonly type: "log"; readonly level: LogLevel; readonly message: string };

export type RoleStep = readonly [RoleState, readonly RoleOutput[]];

export const initialRole: RoleState = Object.freeze({
  isActive: undefined,
  seen: false,
  isLit: false,
  hasFailed: false,
});

/** Buttons bounce for some 10 ms. */
const QUIET_MS = 30;
/** A DHT22 needs a second after power on, and two between readings. */
const FIRST_SAMPLE_MS = 3_000;
const MIN_SAMPLE_SECONDS = 3;

export const roleStarted = ({ role }: RoleSettings): readonly RoleOutput[] =>
  role === "dht" ? [{ type: "setTimer", timer: "role.sample", delayMs: FIRST_SAMPLE_MS }] : [];

export function roleStep(state: RoleState, event: RoleEvent, settings: RoleSettings): RoleStep {
  switch (event.type) {
    case "inputChanged":
      return [
        { ...state, seen: event.isActive },
        [{ type: "setTimer", timer: "role.input", delayMs: QUIET_MS }],
      ];
    case "timerFired":
      if (event.timer === "role.input") return inputQuiet(state, settings.role);
      return event.timer === "role.sample" ? [state, sampleNow(settings)] : [state, []];
    case "climateRead": {
      const climate = readDht(settings.dhtKind, event.bytes);
      return typeof climate === "string" ? climateFailed(state, climate) : climateRead(state, climate);
    }
    case "climateFailed":
      return climateFailed(state, event.message);
  }
}

/** The first look is where things are, not something that has happened. */
function inputQuiet(state: RoleState, role: Role): RoleStep {
  const { seen, isActive } = state;
  const name = INPUT_SIGNALS[role];
  const next = { ...state, isActive: seen };
  if (name === undefined || isActive === seen || (isActive === undefined && !seen)) return [next, []];
  return [next, [{ type: "say", signal: { role, values: { [name]: seen ? 1 : 0 } } }]];
}

const sampleNow = ({ sampleSeconds }: RoleSettings): readonly RoleOutput[] => [
  { type: "readClimate" },
  {
    type: "setTimer",
    timer: "role.sample",
    delayMs: Math.max(MIN_SAMPLE_SECONDS, sampleSeconds) * 1000,
  },
];

function climateRead(
  state: RoleState,
  { temperatureC, humidityPercent }: Exclude<ReturnType<typeof readDht>, string>,
): RoleStep {
  const values = { temperature: temperatureC, humidity: humidityPercent };
  return [
    { ...state, hasFailed: false },
    [
      { type: "reading", readings: { temperature_c: temperatureC, humidity_percent: humidityPercent } },
      { type: "say", signal: { role: "dht", values } },
    ],
  ];
}

/** An old reading is worse than none. */
function climateFailed(state: RoleState, message: string): RoleStep {
  const log: RoleOutput = { type: "log", level: "warn", message: `the DHT cannot be read: ${message}` };
  const none: RoleOutput = { type: "reading", readings: {} };
  return [{ ...state, hasFailed: true }, state.hasFailed ? [none] : [none, log]];
}

/** What another node says. */
export function signalHeard(state: RoleState, signal: Signal, { role }: RoleSettings): RoleStep {
  if (role === "watcher") {
    const message = `${signal.role}: ${describeSignal(signal)}`;
    return [state, [{ type: "log", level: "info", message }]];
  }
  const isLit = role === "led" ? lightAfter(state.isLit, signal) : state.isLit;
  return isLit === state.isLit ? [state, []] : [{ ...state, isLit }, [{ type: "writeLight", isOn: isLit }]];
}

function lightAfter(isLit: boolean, { values }: Signal): boolean {
  if (values.motion !== undefined) return values.motion === 1;
  if (values.button2 === 1) return false;
  return values.button === 1 ? !isLit : isLit;
}
