// What a scenario is: devices in one house with one update server, what happens to them, and what must hold at the end. A JSON file, read
// here into something that can be run (run.ts); every mistake in it is a sentence. Never builds or starts anything.
//
//   { "name": "two lamps", "seed": 3, "limitSeconds": 3600,
//     "devices": [{ "name": "gateway", "app": "receiver", "table": "8mb-gateway" }, { "name": "node", "app": "transmitter", "count": 2 }],
//     "radio":   { "loss": 0.2, "duplication": 0.02, "delayMs": 5 },
//     "steps":   [{ "until": "all", "version": "1.0.0" }, { "publish": "transmitter", "version": "1.1.0" },
//                 { "cutPower": "node-1", "seconds": 20 }, { "until": "node", "version": "1.1.0" }],
//     "expect":  { "versions": { "node": "1.1.0", "gateway": "1.0.0" }, "framesPerPart": 1.6, "serverShare": 1.05 } }

import { parseVersion } from "../../firmware/core/update/version.js";
import { CHIPS, type Chip } from "../hardware/chips.js";

/** Devices in all: a gateway and fifty nodes. */
export const MAX_DEVICES = 51;
const DEFAULT_LIMIT_SECONDS = 2 * 3600;
const DAY_SECONDS = 24 * 3600;

/** Which partitions a device has: a file in partitions/. */
export type TableName = "4mb" | "8mb" | "8mb-gateway" | "16mb";
const TABLES: readonly string[] = Object.freeze(["4mb", "8mb", "8mb-gateway", "16mb"] satisfies TableName[]);

/** Devices that are alike; with a `count` their names are NAME-1, NAME-2 … */
export interface DeviceGroup {
  readonly name: string;
  readonly count: number;
  /** A folder of firmware/apps, or the path of a module file. */
  readonly app: string;
  /** Whose releases it takes. */
  readonly type: string;
  readonly version: string;
  readonly chip: Chip;
  readonly table: TableName;
  /** Of its build, besides what every build has. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Names of devices or groups whose radio it neither hears nor reaches. */
  readonly far: readonly string[];
}

export interface RadioTerms {
  /** Share of frames that a receiver misses, 0 to 1, each receiver for itself. */
  readonly loss: number;
  readonly duplication: number;
  /** Frames overtake each other by up to so much, ms. */
  readonly delayMs: number;
}

/** Each node that can, or all of them or none. */
export type OrderRule = "each" | "all";

export type Step =
  /** A signed release of this type is offered from now on. */
  | {
      readonly type: "publish";
      readonly deviceType: string;
      readonly version: string;
      readonly failsOn?: string;
    }
  /** Gateways are told to distribute a signed release, which no check is offered. */
  | {
      readonly type: "order";
      readonly deviceType: string;
      readonly version: string;
      readonly rule: OrderRule;
      /** A device, a group or all: there this version is reset whenever it has started on trial. */
      readonly failsOn?: string;
    }
  | { readonly type: "cutPower"; readonly who: string; readonly seconds: number }
  | { readonly type: "wait"; readonly seconds: number }
  /** All of these devices run this version and have validated it. */
  | { readonly type: "until"; readonly who: string; readonly version: string; readonly seconds: number }
  | { readonly type: "radio"; readonly terms: Partial<RadioTerms> };

export interface Expectations {
  /** By the name of a device or group: all of them run this version in the end, validated. */
  readonly versions: Readonly<Record<string, string>>;
  /** Frames of all kinds in the air for each part of the images, while these are on their way (count-frames.ts), at most. */
  readonly framesPerPart?: number;
  /** Bytes of images that the server sends, as a multiple of the images' sizes, at most. */
  readonly serverShare?: number;
}

export interface Scenario {
  readonly name: string;
  readonly seed: number;
  readonly limitSeconds: number;
  readonly devices: readonly DeviceGroup[];
  readonly radio: RadioTerms;
  readonly steps: readonly Step[];
  readonly expect: Expectations;
}

/** A scenario that cannot be run, in a sentence. */
export class ScenarioError extends Error {
  override readonly name = "ScenarioError";
}

/** One device of a scenario. */
export interface PlacedDevice extends DeviceGroup {
  readonly group: string;
}

/** Every device, by its own name. */
export const placedDevices = ({ devices }: Scenario): readonly PlacedDevice[] =>
  devices.flatMap((group) =>
    Array.from({ length: group.count }, (_, index) => ({
      ...group,
      group: group.name,
      name: group.count === 1 ? group.name : `${group.name}-${index + 1}`,
    })),
  );

/** Whether `who` is this device, its group, or everybody. */
export const isMeant = (who: string, { name, group }: PlacedDevice): boolean =>
  who === "all" || who === name || who === group;

/** @throws ScenarioError */
export function readScenario(text: string): Scenario {
  const value = parsed(text);
  const fields = new Fields(value, "", [
    "name",
    "seed",
    "limitSeconds",
    "devices",
    "radio",
    "steps",
    "expect",
  ]);
  const devices = fields.list("devices").map(deviceGroup);
  const count = devices.reduce((sum, group) => sum + group.count, 0);
  if (count < 1 || count > MAX_DEVICES)
    throw new ScenarioError(`devices: a scenario has 1 to ${MAX_DEVICES} of them, this one has ${count}`);
  const radio = new Fields(fields.get("radio") ?? {}, "radio", ["loss", "duplication", "delayMs"]);
  const scenario: Scenario = {
    name: fields.text("name", "scenario"),
    seed: fields.number("seed", 1, 0, 2 ** 31),
    limitSeconds: fields.number("limitSeconds", DEFAULT_LIMIT_SECONDS, 1, 30 * DAY_SECONDS),
    devices,
    radio: radioTerms(radio),
    steps: fields.list("steps").map(readStep),
    expect: readExpectations(fields.get("expect") ?? {}),
  };
  checkNames(scenario);
  return scenario;
}

function deviceGroup(value: unknown, index: number): DeviceGroup {
  const where = `devices[${index}]`;
  const fields = new Fields(value, where, [
    "name",
    "count",
    "app",
    "type",
    "version",
    "chip",
    "table",
    "config",
    "far",
  ]);
  const app = fields.text("app");
  const table = fields.text("table", "8mb");
  if (!TABLES.includes(table))
    throw new ScenarioError(`${where}.table: "${table}" is none of ${TABLES.join(", ")}`);
  const chip = fields.text("chip", "esp32");
  if (!Object.hasOwn(CHIPS, chip))
    throw new ScenarioError(`${where}.chip: "${chip}" is none of ${Object.keys(CHIPS).join(", ")}`);
  const config = fields.get("config") ?? {};
  if (!isObject(config)) throw new ScenarioError(`${where}.config is not an object`);
  return {
    name: fields.text("name"),
    count: wholeCount(fields.number("count", 1, 1, MAX_DEVICES), `${where}.count`),
    app,
    type: fields.text("type", app),
    version: version(fields.text("version", "1.0.0"), `${where}.version`),
    chip: chip as Chip,
    table: table as TableName,
    config,
    far: fields.texts("far"),
  };
}

function wholeCount(count: number, where: string): number {
  if (!Number.isInteger(count)) throw new ScenarioError(`${where} is not a whole number`);
  return count;
}

const radioTerms = (fields: Fields): RadioTerms => ({
  loss: fields.number("loss", 0, 0, 1),
  duplication: fields.number("duplication", 0, 0, 1),
  delayMs: fields.number("delayMs", 0, 0, 1000),
});

function readStep(value: unknown, index: number): Step {
  const where = `steps[${index}]`;
  const fields = new Fields(value, where, [
    "publish",
    "order",
    "rule",
    "failsOn",
    "cutPower",
    "wait",
    "until",
    "radio",
    "version",
    "seconds",
  ]);
  if (fields.has("publish"))
    return {
      type: "publish",
      deviceType: fields.text("publish"),
      version: version(fields.text("version"), `${where}.version`),
      ...failsOn(fields),
    };
  if (fields.has("order")) {
    const rule = fields.text("rule", "each");
    if (rule !== "each" && rule !== "all")
      throw new ScenarioError(`${where}.rule is "${rule}", neither each nor all`);
    return {
      type: "order",
      deviceType: fields.text("order"),
      version: version(fields.text("version"), `${where}.version`),
      rule,
      ...failsOn(fields),
    };
  }
  if (fields.has("cutPower"))
    return {
      type: "cutPower",
      who: fields.text("cutPower"),
      seconds: fields.number("seconds", 10, 0, DAY_SECONDS),
    };
  if (fields.has("wait")) return { type: "wait", seconds: fields.number("wait", 0, 0, DAY_SECONDS) };
  if (fields.has("until"))
    return {
      type: "until",
      who: fields.text("until"),
      version: version(fields.text("version"), `${where}.version`),
      seconds: fields.number("seconds", DEFAULT_LIMIT_SECONDS, 1, 30 * DAY_SECONDS),
    };
  if (!fields.has("radio"))
    throw new ScenarioError(`${where} has none of publish, order, cutPower, wait, until and radio`);
  const terms = fields.get("radio");
  const radio = new Fields(terms, `${where}.radio`, ["loss", "duplication", "delayMs"]);
  const all = radioTerms(radio);
  const given = Object.entries(all).filter(([name]) => radio.has(name));
  return { type: "radio", terms: Object.fromEntries(given) };
}

const failsOn = (fields: Fields): { readonly failsOn?: string } =>
  fields.has("failsOn") ? { failsOn: fields.text("failsOn") } : {};

function readExpectations(value: unknown): Expectations {
  const fields = new Fields(value, "expect", ["versions", "framesPerPart", "serverShare"]);
  const versions = fields.get("versions") ?? {};
  if (!isObject(versions)) throw new ScenarioError("expect.versions is not an object");
  for (const [who, text] of Object.entries(versions)) version(String(text), `expect.versions.${who}`);
  return {
    versions: versions as Record<string, string>,
    ...(fields.has("framesPerPart") ? { framesPerPart: fields.number("framesPerPart", 0, 0, 1e6) } : {}),
    ...(fields.has("serverShare") ? { serverShare: fields.number("serverShare", 0, 0, 1e6) } : {}),
  };
}

/** A name has to be a device's or a group's. */
function checkNames(scenario: Scenario): void {
  const devices = placedDevices(scenario);
  const names = devices.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new ScenarioError(`devices: two have the name "${twice}"`);
  const named: (readonly [where: string, who: string])[] = [
    ...scenario.devices.flatMap(({ far }, index) =>
      far.map((who) => [`devices[${index}].far`, who] as const),
    ),
    ...scenario.steps.flatMap((step, index) =>
      "who" in step ? [[`steps[${index}].${step.type}`, step.who] as const] : [],
    ),
    ...scenario.steps.flatMap((step, index) =>
      "failsOn" in step && step.failsOn !== undefined
        ? [[`steps[${index}].failsOn`, step.failsOn] as const]
        : [],
    ),
    ...Object.keys(scenario.expect.versions).map((who) => ["expect.versions", who] as const),
  ];
  for (const [where, who] of named)
    if (!devices.some((device) => isMeant(who, device)))
      throw new ScenarioError(`${where}: there is no device and no group "${who}"`);
  for (const [index, step] of scenario.steps.entries())
    if ("deviceType" in step && !devices.some(({ type }) => type === step.deviceType))
      throw new ScenarioError(`steps[${index}].${step.type}: no device is of the type "${step.deviceType}"`);
}

function version(text: string, where: string): string {
  if (!parseVersion(text))
    throw new ScenarioError(`${where}: "${text}" is not a version: write it as 1.2.3 or 1.2.3+45`);
  return text;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new ScenarioError(`it is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The fields of one object of the file, of which none may be unknown. What is wrong with one begins with its path. */
class Fields {
  readonly #fields: Readonly<Record<string, unknown>>;
  readonly #where: string;

  /** @param where path of the object; "": it is the whole file */
  constructor(value: unknown, where: string, known: readonly string[]) {
    if (!isObject(value)) throw new ScenarioError(`${where || "the scenario"} is not an object`);
    this.#fields = value;
    this.#where = where;
    const unknown = Object.keys(value).find((name) => !known.includes(name));
    if (unknown !== undefined)
      throw new ScenarioError(`${this.#pathOf(unknown)} is not known: here may be ${known.join(", ")}`);
  }

  has(name: string): boolean {
    return this.get(name) !== undefined;
  }

  get(name: string): unknown {
    return Object.hasOwn(this.#fields, name) ? this.#fields[name] : undefined;
  }

  text(name: string, otherwise?: string): string {
    const value = this.get(name) ?? otherwise;
    if (!isText(value)) throw new ScenarioError(`${this.#pathOf(name)} is not a text, or missing`);
    return value;
  }

  number(name: string, otherwise: number, low: number, high: number): number {
    const value = this.get(name) ?? otherwise;
    if (typeof value !== "number" || !(value >= low && value <= high))
      throw new ScenarioError(`${this.#pathOf(name)} is not a number from ${low} to ${high}`);
    return value;
  }

  list(name: string): readonly unknown[] {
    const value = this.get(name) ?? [];
    if (!Array.isArray(value)) throw new ScenarioError(`${this.#pathOf(name)} is not a list`);
    return value;
  }

  texts(name: string): readonly string[] {
    const values = this.list(name);
    if (!values.every(isText)) throw new ScenarioError(`${this.#pathOf(name)} is not a list of texts`);
    return values;
  }

  #pathOf(name: string): string {
    return this.#where === "" ? name : `${this.#where}.${name}`;
  }
}

const isText = (value: unknown): value is string => typeof value === "string" && value !== "";
