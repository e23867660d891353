// The line between a firmware that runs in XS and the virtual SDK modules that stay in Node: each call of the firmware becomes a
// call of the real module, each callback a call into XS. Objects of Node are wrappers in XS, functions of XS are wrappers in
// Node; plain data and buffers are copied, and what a module writes into a buffer argument is copied back.

import { readFileSync } from "node:fs";
import { ROOMY_HEAP, type XsHeap } from "./heap.js";
import { type CallToXs, KnownObjects } from "./known-objects.js";
import { Constructed, Operations } from "./operations.js";
import { type BundleParts, MAIN, splitBundle } from "./split-bundle.js";
import { FrameReader, FrameWriter } from "./value-codec.js";
import { MachineEnded, XsWorker } from "./worker.js";

/** What a bridge needs of the device. */
export interface BridgeHost {
  /** Exports of a module of the SDK; undefined: there is none of that name. */
  moduleOf(specifier: string): object | undefined;
  uptimeMs(): number;
  random(): number;
  trace(text: string): void;
  /** What XS itself prints on a chip's serial line: that memory could not be had, and how much. */
  report?(text: string): void;
  /** Promise jobs wait: call runPromiseJobs in a later turn. */
  promiseJobsQueued(): void;
  /** Whether this is the device's global object. */
  isGlobal(value: object): boolean;
  /** Whether firmware may catch this; anything else ends the boot. */
  isForFirmware(error: unknown): boolean;
}

export interface BridgeOptions {
  /** The program that build.ts made. */
  readonly program: string;
  /** Bytecodes that one turn may take; absent: any number. */
  readonly turnBudget?: number;
  /** Absent: more than any firmware needs. */
  readonly heap?: XsHeap;
  /** Whether all but the app's main is preloaded; absent: yes. The SDK's modules always are. */
  readonly isPreloaded?: boolean;
  /** The SDK's own JavaScript of some of its modules, by specifier: runs inside XS too, instead of being answered by Node. */
  readonly sources?: ReadonlyMap<string, string>;
  /** Whether functions have `name` and `length`, and errors a `stack`; absent: no, as in a firmware with the SDK's "strip". */
  readonly keepsNames?: boolean;
}

/** What the machine in XS has used, in bytes unless said otherwise. What only the bridge needs is left out. */
export interface XsUse {
  /** Since the machine was made. */
  readonly bytecodeCount: number;
  readonly slotBytes: number;
  readonly chunkBytes: number;
  /** Since watch was called, measured after a garbage collection at each call out of XS. */
  readonly peakSlotBytes: number;
  readonly peakChunkBytes: number;
  /** The largest sum of both. */
  readonly peakBytes: number;
  /** Of XS's stack, in slots, since the start. */
  readonly peakStackCount: number;
  /** 16 on the ESP32. */
  readonly bytesPerSlot: number;
  /** What slots and chunks have taken of what there is for them: what was needed at once, rounded up to an increment. */
  readonly claimedSlotBytes: number;
  readonly claimedChunkBytes: number;
  /** What neither has ever taken; undefined where there is no limit. */
  readonly unclaimedBytes: number | undefined;
}

const PRELUDE = "skyslot:prelude";
const NO_LIMIT = 0xffffffff;
const preludeText = readFileSync(new URL("./prelude.js", import.meta.url), "utf8");

export class XsBridge {
  readonly #worker: XsWorker;
  readonly #host: BridgeHost;
  readonly #known: KnownObjects;
  readonly #operations: Operations;
  readonly #isPreloaded: boolean;
  readonly #sources: ReadonlyMap<string, string>;
  #parts: BundleParts = { sdkModules: [], modules: new Map() };
  #depth = 0;

  constructor(host: BridgeHost, options: BridgeOptions) {
    this.#host = host;
    this.#isPreloaded = options.isPreloaded ?? true;
    this.#sources = options.sources ?? new Map();
    this.#known = new KnownObjects({
      isGlobal: (value) => host.isGlobal(value),
      callXs: (call) => this.#call(call),
    });
    this.#operations = new Operations(this.#known, (specifier) => this.#import(specifier));
    this.#worker = new XsWorker(options.program);
    this.#worker.send(this.#creation(options));
  }

  /**
   * Preloads what is preloaded of a bundle, one ES module, and runs its main to the end of its body in a separate machine. Once.
   * Errors are the firmware's.
   */
  run(bundle: string): void {
    this.preload(bundle);
    this.#command("I", (frame) => frame.raw(Buffer.from(MAIN)));
  }

  /** The first half of run. */
  preload(bundle: string): void {
    this.#parts = splitBundle(bundle);
    const known = this.#parts.sdkModules.filter((specifier) => this.#textOf(specifier) !== undefined);
    const own = [...this.#parts.modules.keys()];
    const preloaded = this.#isPreloaded ? own.filter((name) => name !== MAIN) : [];
    const others = own.filter((name) => !preloaded.includes(name));
    this.#command("P", (frame) => {
      for (const names of [[PRELUDE, ...known, ...preloaded], others]) {
        frame.uint32(names.length);
        for (const name of names) frame.text(name);
      }
    });
  }

  runPromiseJobs(): void {
    this.#command("J");
  }

  /** Collects garbage and returns what is left. */
  collect(): XsUse {
    return this.#use("G");
  }

  use(): XsUse {
    return this.#use("S");
  }

  /** From now on garbage is collected at each call; above `limitBytes` of slots and chunks the machine is out of memory. */
  watch(limitBytes = 0): XsUse {
    return this.#use("W", (frame) => frame.uint32(limitBytes));
  }

  close(): void {
    this.#worker.close();
  }

  #call({ number, isConstruct, self, parameters }: CallToXs): unknown {
    let lent: readonly object[] = [];
    try {
      return this.#command(isConstruct ? "K" : "C", (frame) => {
        lent = this.#known.lending(() => {
          frame.uint32(number).value(self).byte(parameters.length);
          for (const parameter of parameters) frame.value(parameter);
        });
      });
    } finally {
      for (const options of lent) this.#known.released(options);
    }
  }

  // ── commands and answers ────────────────────────────────────────────────────────────────────────────────────────────────

  #command(tag: string, write?: (frame: FrameWriter) => void): unknown {
    if (this.#depth === 0) this.#forget();
    const frame = new FrameWriter(this.#known).tag(tag);
    write?.(frame);
    this.#worker.send(frame.bytes);
    this.#depth += 1;
    try {
      return this.#answer();
    } finally {
      this.#depth -= 1;
    }
  }

  /** Carries out what XS asks for until it is done. */
  #answer(): unknown {
    for (;;) {
      const reader = new FrameReader(this.#worker.receive(), this.#known);
      const tag = String.fromCharCode(reader.byte());
      switch (tag) {
        case ".":
          return reader.value();
        case "!":
          throw reader.value();
        case "O":
          this.#operate(reader);
          break;
        case "D":
          this.#describe(reader.uint32());
          break;
        case "L":
          this.#load(reader.text());
          break;
        case "N":
          this.#reply((frame) => frame.number(this.#host.uptimeMs()));
          break;
        case "R":
          this.#reply((frame) => frame.number(this.#host.random()));
          break;
        case "P":
          this.#host.promiseJobsQueued();
          break;
        case "T":
          this.#host.trace(reader.text());
          break;
        case "E":
          this.#host.report?.(reader.text().trim());
          break;
        case "X":
          throw new MachineEnded(reader.text());
        default:
          throw new Error(`XS sent a frame with the unknown tag "${tag}"`);
      }
    }
  }

  #creation({ heap = ROOMY_HEAP, turnBudget = 0, keepsNames = false }: BridgeOptions): Buffer {
    const numbers = [
      turnBudget,
      Number(keepsNames),
      heap.staticBytes,
      heap.chunkBytes,
      heap.slotBytes,
      heap.initialChunkBytes,
      heap.chunkIncrementBytes,
      heap.initialSlotCount,
      heap.slotIncrementCount,
      heap.stackCount,
    ];
    const frame = new FrameWriter(this.#known).tag("B");
    for (const number of numbers) frame.uint32(number);
    return frame.bytes;
  }

  #reply(write: (frame: FrameWriter) => void): void {
    const frame = new FrameWriter(this.#known).tag("/");
    write(frame);
    this.#worker.send(frame.bytes);
  }

  #use(tag: string, write?: (frame: FrameWriter) => void): XsUse {
    this.#forget();
    const frame = new FrameWriter(this.#known).tag(tag);
    write?.(frame);
    this.#worker.send(frame.bytes);
    const reader = new FrameReader(this.#worker.receive(), this.#known, 1);
    const use = {
      bytecodeCount: reader.number(),
      slotBytes: reader.uint32(),
      chunkBytes: reader.uint32(),
      peakSlotBytes: reader.uint32(),
      peakChunkBytes: reader.uint32(),
      peakBytes: reader.uint32(),
      peakStackCount: reader.uint32(),
      bytesPerSlot: reader.uint32(),
      claimedSlotBytes: reader.uint32(),
      claimedChunkBytes: reader.uint32(),
    };
    const unclaimedBytes = reader.uint32();
    return { ...use, unclaimedBytes: unclaimedBytes === NO_LIMIT ? undefined : unclaimedBytes };
  }

  // ── modules ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

  #load(specifier: string): void {
    const text = this.#textOf(specifier);
    if (text === undefined) this.#worker.send(new FrameWriter(this.#known).tag("\\").bytes);
    else this.#reply((frame) => frame.raw(Buffer.from(text)));
  }

  #textOf(specifier: string): string | undefined {
    if (specifier === PRELUDE) return preludeText;
    const source = this.#parts.modules.get(specifier) ?? this.#sources.get(specifier);
    if (source !== undefined) return source;
    const found = this.#host.moduleOf(specifier);
    if (found === undefined) return undefined;
    const exports = Object.keys(found).map((name) =>
      name === "default" ? "export default exports.default;" : `export const ${name} = exports.${name};`,
    );
    return `import { namespace } from "${PRELUDE}"; const exports = namespace("${specifier}"); ${exports.join(" ")}`;
  }

  #import(specifier: string): object {
    return { ...this.#host.moduleOf(specifier), [Symbol.toStringTag]: specifier };
  }

  // ── operations ──────────────────────────────────────────────────────────────────────────────────────────────────────────

  #describe(number: number): void {
    this.#reply((frame) => this.#operations.describe(this.#known.objectOf(number), frame));
  }

  #operate(reader: FrameReader): void {
    const number = reader.uint32();
    try {
      this.#known.during(() => {
        const self = reader.value();
        const parameters = Array.from({ length: reader.byte() }, () => reader.value());
        const before = parameters.map(copyOfBuffer);
        const result = this.#operations.carryOut(number, self, parameters);
        this.#reply((frame) => {
          const written = parameters.flatMap((parameter, index) =>
            changedBuffer(parameter, before[index], index),
          );
          frame.byte(written.length);
          for (const { index, bytes } of written) frame.byte(index).sized(bytes);
          if (result instanceof Constructed) result.write(frame);
          else frame.value(result);
        });
      });
    } catch (error) {
      if (!this.#host.isForFirmware(error)) throw error;
      this.#worker.send(new FrameWriter(this.#known).tag("\\").value(error).bytes);
    }
  }

  #forget(): void {
    const numbers = this.#known.takeForgotten();
    if (numbers.length === 0) return;
    this.#command("F", (frame) => {
      frame.uint32(numbers.length);
      for (const number of numbers) frame.uint32(number);
    });
  }
}

// ── buffers that a module writes into ───────────────────────────────────────────────────────────────────────────────────────

function bytesOf(value: unknown): Uint8Array | undefined {
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  return value instanceof Uint8Array ? value : undefined;
}

const copyOfBuffer = (value: unknown): Uint8Array | undefined => bytesOf(value)?.slice();

function changedBuffer(value: unknown, before: Uint8Array | undefined, index: number) {
  const bytes = bytesOf(value);
  const isSame = bytes === undefined || before === undefined || Buffer.compare(bytes, before) === 0;
  return isSame ? [] : [{ index, bytes }];
}
