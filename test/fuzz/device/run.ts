// The fuzz of a device: inputs in batches of one kind, each batch on a device of its own, so that a batch can be repeated alone. Counts what
// was answered, and what went wrong; every fault is brought down to the fewest inputs.

import { type FuzzApp, Ground, type GroundOptions } from "./ground.js";
import type { Kind } from "./kind.js";
import { KINDS } from "./kinds/index.js";
import { minimise, signatureOf } from "./minimise.js";
import { makeInput, runTrial, type Trial, type Verdict } from "./trial.js";

const BATCH = 200;

export interface DeviceFuzzOptions {
  readonly seed: string;
  readonly inputCount: number;
  /** Number of the first input. */
  readonly first?: number;
  /** One kind alone. */
  readonly only?: string | undefined;
  /** These inputs, on one device; of the kind that `only` names. */
  readonly replay?: readonly number[] | undefined;
  /** Inputs that one device is fed. */
  readonly batch?: number;
  readonly ground?: GroundOptions;
  /** Bytes of memory that the firmware uses now; absent: it cannot be measured. */
  readonly usedBytes?: (() => number) | undefined;
  /** Whether the run ends with this fault; default: with none. */
  readonly isOver?: (fault: string) => boolean;
  readonly onProgress?: (doneCount: number, faultCount: number) => void;
  readonly onTrace?: ((line: string) => void) | undefined;
}

export interface Finding {
  readonly kind: string;
  readonly fault: string;
  /** The fewest inputs that bring it about, in order. */
  readonly inputs: readonly number[];
  /** What the last of them is. */
  readonly text: string;
  /** How often it happened. */
  count: number;
}

export interface KindResult {
  inputCount: number;
  /** How many inputs were answered so. */
  readonly answers: Map<string, number>;
  restarts: number;
  hangs: number;
  growth: number;
  others: number;
}

export interface DeviceFuzzResult {
  readonly kinds: ReadonlyMap<string, KindResult>;
  readonly findings: readonly Finding[];
}

/** @throws Error if there is no such kind */
export async function fuzzDevice(options: DeviceFuzzOptions): Promise<DeviceFuzzResult> {
  const { inputCount, first = 0, replay, batch = BATCH } = options;
  const run = new DeviceRun(options);
  if (replay) await run.batch(run.kindOf(0), replay);
  else
    for (let at = first; at < first + inputCount && !run.isOver; ) {
      const end = Math.min(first + inputCount, (Math.floor(at / batch) + 1) * batch);
      const indices = Array.from({ length: end - at }, (_, n) => at + n);
      await run.batch(run.kindOf(Math.floor(at / batch)), indices);
      at = end;
    }
  return { kinds: run.kinds, findings: [...run.findings.values()] };
}

class DeviceRun {
  readonly kinds = new Map<string, KindResult>();
  readonly findings = new Map<string, Finding>();
  readonly #options: DeviceFuzzOptions;
  /** Of each app whose kinds have had a turn. */
  readonly #grounds = new Map<FuzzApp, Promise<Ground>>();
  readonly #round: readonly Kind[];
  isOver = false;
  #doneCount = 0;

  constructor(options: DeviceFuzzOptions) {
    this.#options = options;
    this.#round = roundOf(options.only);
  }

  kindOf(block: number): Kind {
    return this.#round[block % this.#round.length]!;
  }

  /** A device that fails is replaced for the inputs that are left. */
  async batch(kind: Kind, indices: readonly number[]): Promise<void> {
    const { seed, onTrace, usedBytes } = this.#options;
    const ground = await this.#groundOf(kind.app ?? "base");
    let left = indices;
    while (left.length > 0 && !this.isOver) {
      const trial: Trial = {
        ground,
        kind,
        seed,
        indices: left,
        usedBytes,
        onFed: (_index, answer) => this.#fed(kind, answer),
        onTrace,
      };
      const verdict = await runTrial(trial);
      if (verdict.fault === undefined) return;
      if (!verdict.isAfterwards) this.#fed(kind, "(fault)");
      await this.#failed(trial, verdict, verdict.fault);
      if (verdict.isAfterwards) return;
      left = left.slice(left.indexOf(verdict.index) + 1);
    }
  }

  #groundOf(app: FuzzApp): Promise<Ground> {
    const ground = this.#grounds.get(app) ?? Ground.make({ ...this.#options.ground, app });
    this.#grounds.set(app, ground);
    return ground;
  }

  #fed(kind: Kind, answer: string): void {
    const result = this.#resultOf(kind);
    result.inputCount += 1;
    result.answers.set(answer, (result.answers.get(answer) ?? 0) + 1);
    this.#doneCount += 1;
    this.#options.onProgress?.(this.#doneCount, this.findings.size);
  }

  async #failed(trial: Trial, verdict: Verdict, fault: string): Promise<void> {
    const { kind } = trial;
    this.#resultOf(kind)[columnOf(fault)] += 1;
    const signature = `${kind.name} ${signatureOf(fault)}`;
    const known = this.findings.get(signature);
    if (known) {
      known.count += 1;
      return;
    }
    const inputs = this.#options.replay ?? (await minimise(trial, verdict));
    const { text } = makeInput(trial, inputs.at(-1)!);
    this.isOver = this.#options.isOver?.(fault) === true;
    this.findings.set(signature, { kind: kind.name, fault, inputs, text, count: 1 });
  }

  #resultOf({ name }: Kind): KindResult {
    const known = this.kinds.get(name);
    if (known) return known;
    const made = { inputCount: 0, answers: new Map(), restarts: 0, hangs: 0, growth: 0, others: 0 };
    this.kinds.set(name, made);
    return made;
  }
}

/** Kinds in turn, each as often as its share says. */
function roundOf(only: string | undefined): readonly Kind[] {
  const kinds = only === undefined ? KINDS : KINDS.filter(({ name }) => name === only);
  if (kinds.length === 0)
    throw new Error(`there is no kind "${only}": ${KINDS.map(({ name }) => name).join(", ")}`);
  const round: Kind[] = [];
  const most = Math.max(...kinds.map(({ share }) => share));
  for (let turn = 0; turn < most; turn++) round.push(...kinds.filter(({ share }) => share > turn));
  return round;
}

type Column = "restarts" | "hangs" | "growth" | "others";

function columnOf(fault: string): Column {
  if (fault.startsWith("restart")) return "restarts";
  if (fault.startsWith("growth")) return "growth";
  return /any more$|^no check|still open|without an end|was answered/.test(fault) ? "hangs" : "others";
}
