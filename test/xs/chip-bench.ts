// A device whose firmware runs inside XS in a heap of a chip's size, in a network with another client: for tests such as
// "this input, in the chip's heap".
//
//   const bench = await ChipBench.start({ app: "base", chip: "esp32c3" });      // has joined, and got no update
//   const answer = await bench.send(80, `GET /${"a".repeat(20_000)} HTTP/1.1\r\n\r\n`);
//   expect(answer.text).match(/^HTTP\/1.1 431/);
//   bench.expectNoRestart();                                                    // or bench.restarts: ["outOfMemory"]
//   await bench.close();                                                        // in afterEach
//
// `heap: sdkC3Heap()` is what the SDK gives a C3 (94 208 bytes), `isPreloaded: false` the firmware as it was when nothing was
// preloaded. `update` is the image on the server: padded(image, bytes) makes one of any size; bench.offer() lets the device have it.
// What XS prints before a restart ("# Chunk allocation: failed for 7668 bytes") is in bench.reports.

import { expect } from "chai";
import type { IpNode } from "../../host-sim/network/ip-node.js";
import type { XsBridge, XsUse } from "../../host-sim/xs/bridge.js";
import { buildXs } from "../../host-sim/xs/build.js";
import { chipHeap, type HeapChip } from "../../host-sim/xs/chip-heaps.js";
import { xsEngine } from "../../host-sim/xs/engine.js";
import type { XsHeap } from "../../host-sim/xs/heap.js";

import { imageOf, type Rig, type RigOptions, START_TIME, setUpRig, writeJson } from "../journey/rig.js";

export { padded } from "../journey/padded.js";

const HOUR_MS = 3_600_000;
/** After its check got no update; by then it is idle. */
const SETTLING_MS = 30_000;
const SEND_LIMIT_MS = 120_000;

export interface ChipBenchOptions
  extends Pick<RigOptions, "lie" | "content" | "policyOf" | "tls" | "serverUrl"> {
  /** Folder under firmware/apps; default: base. */
  readonly app?: string;
  /** Default: esp32c3. */
  readonly chip?: HeapChip;
  /** Default: what Skyslot's manifest gives the chip. */
  readonly heap?: XsHeap;
  /** Default: true. */
  readonly isPreloaded?: boolean;
  /** The image on the server; default: version 1.1.0 of the app. */
  readonly update?: Uint8Array;
  /** The device's image; default: version 1.0.0 of the app. */
  readonly image?: Uint8Array;
  /** Boots after which start gives up waiting for the device to come online; default: 2, which are needed. */
  readonly bootCountMax?: number;
}

export interface Answer {
  /** Everything received, as latin1. */
  readonly text: string;
  /** How the connection ended; undefined: it was open at the limit. */
  readonly end: "closed" | "reset" | "refused" | "timeout" | undefined;
  /** Bytes that the device accepted. */
  readonly sentBytes: number;
}

export class ChipBench {
  bridge!: XsBridge;
  rig!: Rig;
  /** What XS printed: failed allocations, and their sizes. */
  readonly reports: string[] = [];
  bootCount = 0;
  /** When it was idle; undefined: it never was. */
  idle: XsUse | undefined;
  /** Slots of XS's stack that its first boot used, with the setup portal; to be trusted where the stack is much larger. */
  setupStackCount = 0;
  #isOffered = false;
  #address = "";
  #laptop: IpNode | undefined;
  #eventCount = 0;

  /** A device that has come online and got no update, then restarted with its saved settings, and idle. */
  static async start(options: ChipBenchOptions = {}): Promise<ChipBench> {
    const bench = new ChipBench();
    const { app = "base", chip = "esp32c3", bootCountMax = 2 } = options;
    const engine = xsEngine({
      program: buildXs().program,
      heap: options.heap ?? chipHeap(chip),
      isPreloaded: options.isPreloaded ?? true,
      onBoot: (bridge) => {
        bench.bridge = bridge;
        bench.bootCount += 1;
      },
      onReport: (text) => bench.reports.push(text),
    });
    const imageFor = (version: string) => imageOf(app, version, "esp32", { type: app });
    bench.rig = await setUpRig({
      seed: 7,
      engine,
      image: options.image ?? (await imageFor("1.0.0")),
      update: options.update ?? (await imageFor("1.1.0")),
      ...(options.content ? { content: options.content } : {}),
      ...(options.tls ? { tls: options.tls } : {}),
      ...(options.serverUrl ? { serverUrl: options.serverUrl } : {}),
      ...(options.policyOf ? { policyOf: options.policyOf } : {}),
      lie: async (request, honest) => {
        const answer = () => (options.lie ? options.lie(request, honest) : honest());
        return bench.#isOffered || request.path !== "/api/ota/check" ? answer() : noUpdate();
      },
    });
    const { device, world } = bench.rig.desk;
    const isOver = (checkCount: number) => () =>
      bench.rig.checks.length === checkCount || bench.bootCount > bootCountMax;
    device.powerOn();
    await bench.until(isOver(1));
    // Restarted with its saved settings: without the portal, the usual state of a device.
    if (bench.rig.checks.length === 1) bench.setupStackCount = bench.bridge.use().peakStackCount;
    device.powerOff();
    device.powerOn();
    await bench.until(isOver(2));
    if (bench.rig.checks.length < 2) return bench;
    await world.runFor(SETTLING_MS);
    const { address } = bench.rig.checks.at(-1) as unknown as { readonly address: string };
    bench.#address = address;
    bench.#eventCount = bench.rig.events.length;
    bench.idle = bench.bridge.collect();
    return bench;
  }

  /** Causes of the restarts since it was idle, such as `outOfMemory`. */
  get restarts(): readonly string[] {
    return this.rig.events
      .slice(this.#eventCount)
      .flatMap((event) => (event.type === "restarted" ? [event.cause] : []));
  }

  /** The device's address in the home network. */
  get address(): string {
    return this.#address;
  }

  until(done: () => boolean, limitMs = HOUR_MS): Promise<boolean> {
    return this.rig.desk.world.runUntil(done, { limitMs });
  }

  /** From now on the server answers checks by itself. */
  offer(): void {
    this.#isOffered = true;
  }

  hasReported = (step: string): boolean => this.rig.reports.some((report) => report.step === step);

  /** Opens a connection from the home network, sends everything as fast as it is accepted, and waits until the device closes it, at most `limitMs`. */
  async send(port: number, data: string | Uint8Array, limitMs = SEND_LIMIT_MS): Promise<Answer> {
    const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
    const { network, home } = this.rig.desk;
    this.#laptop ??= network.addHost("laptop", `${home.segment.prefix}.200`);
    const socket = this.#laptop.connect(this.#address, port);
    const answer: { text: string; end: Answer["end"]; sentBytes: number } = {
      text: "",
      end: undefined,
      sentBytes: 0,
    };
    const write = () => {
      const piece = bytes.subarray(answer.sentBytes, answer.sentBytes + socket.roomBytes);
      if (piece.length > 0) socket.write(piece);
      answer.sentBytes += piece.length;
    };
    const read = () => {
      answer.text += Buffer.from(socket.read()).toString("latin1");
    };
    socket.events = {
      connected: write,
      sent: write,
      received: read,
      ended: () => {
        read();
        answer.end = "closed";
        socket.close();
      },
      failed: (reason) => {
        answer.end = reason;
      },
    };
    await this.until(() => answer.end !== undefined, limitMs);
    if (answer.end === undefined) socket.close();
    return answer;
  }

  /** It has not restarted since it was idle, and still answers. */
  expectNoRestart(): void {
    expect(this.restarts, this.reports.join("\n")).deep.equal([]);
  }

  async close(): Promise<void> {
    await this.rig.close();
  }
}

const noUpdate = async () => ({
  status: 200,
  headers: { "content-type": "application/json" },
  body: writeJson({ update_available: false, time: START_TIME }),
});

/** A chip's heap is meaningful only if slots have the chip's size. */
export function skipUnless32Bit(test: Mocha.Context): void {
  if (buildXs().bits === 32) return;
  process.stdout.write(
    "      skipped: XS is built with 64 bits here, so that its slots are twice as large (install gcc-multilib)\n",
  );
  test.skip();
}
