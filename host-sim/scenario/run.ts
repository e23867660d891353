// Runs a scenario: puts its devices on a desk, switches them on, does its steps one after the other, and judges the end. Images and the update
// server come from the caller, so that this part knows neither keys nor a server. In virtual time from one seed: the same scenario gives the
// same figures.

import { fileURLToPath } from "node:url";
import { Desk, type DeskDevice, HOME } from "../desk/desk.js";
import type { VirtualDevice } from "../device/device.js";
import type { DeviceEvent } from "../device/device-event.js";
import { Watch } from "../device/watch.js";
import type { Light, Sense } from "../hardware/gpio.js";
import type { HttpHandler } from "../network/http-host.js";
import {
  type FrameCounts,
  framesByKind,
  ofBlocks,
  sourceParts,
  sumOf,
  TransferCount,
} from "./count-frames.js";
import {
  isMeant,
  type OrderRule,
  type PlacedDevice,
  placedDevices,
  type RadioTerms,
  type Scenario,
  type Step,
} from "./scenario.js";
import { isValidated, versionOf } from "./validated.js";

/** Of the server's answers: what of it were images, and for how many requests. */
export interface ServedImages {
  readonly imageBytes: number;
  readonly imageRequests: number;
}

/** The update server of the scenario, as a function in this process. */
export interface ScenarioServer {
  readonly handler: HttpHandler;
  readonly served: ServedImages;
  /** Offers a signed release from now on. */
  publish(image: Uint8Array, type: string): Promise<void>;
  /** Has gateways distribute a signed release that no check is offered. */
  order(image: Uint8Array, type: string, rule: OrderRule): Promise<void>;
}

export interface ScenarioTools {
  readonly server: ScenarioServer;
  /** The image of a device's app in a version. */
  image(device: PlacedDevice, version: string): Promise<Uint8Array>;
  /** Absent: virtual time. A number: that many times as fast as the clock on the wall. */
  readonly speed?: number | undefined;
  readonly onStep?: (text: string) => void;
  readonly onTrace?: (line: string, device: string) => void;
  readonly onEvent?: (event: DeviceEvent, device: string) => void;
  readonly onLight?: (light: Light, device: string) => void;
  readonly onSense?: (sense: Sense, device: string) => void;
  /** The desk is there, and nothing has happened yet. */
  readonly onDesk?: (run: ScenarioRun) => void | Promise<void>;
  /** Once a second of the world's time. */
  readonly onSecond?: (run: ScenarioRun) => void;
}

/** A scenario while it runs. */
export interface ScenarioRun {
  readonly desk: Desk;
  readonly devices: readonly RunningDevice[];
  /** Images that are offered, by type. */
  readonly published: ReadonlyMap<string, PublishedImage>;
}

export interface RunningDevice {
  readonly placed: PlacedDevice;
  readonly device: VirtualDevice;
  readonly watch: Watch;
}

export interface PublishedImage {
  readonly version: string;
  /** On the world's clock. */
  readonly atMs: number;
  readonly bytes: number;
}

/** What `--json` prints. */
export interface ScenarioResult {
  readonly ok: boolean;
  readonly scenario: string;
  readonly seed: number;
  readonly loss: number;
  /** What does not hold, in sentences. */
  readonly failed: readonly string[];
  /** On the world's clock. */
  readonly seconds: number;
  readonly devices: readonly DeviceResult[];
  /** Parts of the published images that come by radio. */
  readonly sourceParts: number;
  /** In the air while these were on their way, from the first part to the last, all kinds of all devices: for each part of an image. */
  readonly framesPerPart: number;
  readonly transfer: {
    readonly seconds: number;
    /** Frames of blocks alone, and requests for them, for each part. */
    readonly blockFramesPerPart: number;
    readonly frames: FrameCounts;
  };
  /** In the air in the whole run, by kind; each try counts. */
  readonly frames: FrameCounts;
  readonly frameCount: number;
  /** Of these, what was before and behind the transfer (checks, reports, searches), for each device that takes the image. */
  readonly otherFramesPerDevice: number;
  /** Of the published images. */
  readonly imageBytes: number;
  /** Bytes of images that the server has sent, as they are and as a multiple of the published images. */
  readonly serverBytes: number;
  readonly serverShare: number;
  readonly serverRequests: number;
}

interface DeviceResult {
  readonly name: string;
  readonly type: string;
  readonly version: string;
  readonly validated: boolean;
  readonly boots: number;
  /** From the publication until it ran the new version for good. */
  readonly updateSeconds?: number;
}

/** Of the images that we build: wire.ts has the limits. */
const CHUNK_BYTES = 16 * 1024;
const SECOND_MS = 1000;

export async function runScenario(scenario: Scenario, tools: ScenarioTools): Promise<ScenarioResult> {
  const placed = placedDevices(scenario);
  const devices: DeskDevice[] = [];
  for (const device of placed)
    devices.push({
      name: device.name,
      chip: device.chip,
      partitions: tableFile(device.table),
      image: await tools.image(device, device.version),
    });
  const desk = new Desk({
    devices,
    seed: scenario.seed,
    server: { handler: tools.server.handler },
    realTime: tools.speed ?? false,
    network: HOME,
    ...(tools.onTrace ? { onTrace: tools.onTrace } : {}),
    ...(tools.onEvent ? { onEvent: tools.onEvent } : {}),
    ...(tools.onLight ? { onLight: tools.onLight } : {}),
    ...(tools.onSense ? { onSense: tools.onSense } : {}),
  });
  const actor = new Actor(scenario, tools, desk, placed);
  await tools.onDesk?.(actor);
  await actor.run();
  return actor.result();
}

/** Does the steps and keeps count. */
class Actor implements ScenarioRun {
  readonly desk: Desk;
  readonly devices: readonly RunningDevice[];
  readonly published = new Map<string, PublishedImage>();
  readonly #scenario: Scenario;
  readonly #tools: ScenarioTools;
  readonly #failed: string[] = [];
  readonly #transfer: TransferCount;
  /** When a device was first seen to run what was published for it. */
  readonly #updatedMs = new Map<RunningDevice, number>();
  /** Which version does not work on which device. */
  readonly #failing = new Map<RunningDevice, string>();
  #isDue = false;

  constructor(scenario: Scenario, tools: ScenarioTools, desk: Desk, placed: readonly PlacedDevice[]) {
    this.#scenario = scenario;
    this.#tools = tools;
    this.desk = desk;
    this.devices = desk.devices.map((device, index) => ({
      placed: placed[index]!,
      device,
      watch: new Watch(device),
    }));
    this.#transfer = new TransferCount(desk.network.espNow, () => desk.world.nowMs);
    this.#setRadio(scenario.radio);
  }

  async run(): Promise<void> {
    for (const { device } of this.devices) device.powerOn();
    this.#tick();
    for (const [index, step] of this.#scenario.steps.entries()) {
      this.#tools.onStep?.(describeStep(step));
      const failure = await this.#do(step);
      if (failure === undefined) continue;
      this.#failed.push(`step ${index + 1}, ${describeStep(step)}: ${failure}`);
      return;
    }
  }

  result(): ScenarioResult {
    const { scenario, failed } = { scenario: this.#scenario, failed: this.#failed };
    const { espNow } = this.desk.network;
    const images = [...this.published.values()];
    const imageBytes = images.reduce((sum, { bytes }) => sum + bytes, 0);
    const parts = this.#byRadio.reduce((sum, [, { bytes }]) => sum + sourceParts(bytes, CHUNK_BYTES), 0);
    const takers = this.devices.filter(({ placed }) => this.#byRadio.some(([type]) => type === placed.type));
    const { imageBytes: serverBytes, imageRequests } = this.#tools.server.served;
    const { frames, seconds } = this.#transfer;
    const perPart = (count: number) => (parts === 0 ? 0 : count / parts);
    const framesPerPart = perPart(sumOf(frames));
    const serverShare = imageBytes === 0 ? 0 : serverBytes / imageBytes;
    const others = espNow.count() - sumOf(frames);
    this.#judge(framesPerPart, serverShare);
    return {
      ok: failed.length === 0,
      scenario: scenario.name,
      seed: scenario.seed,
      loss: scenario.radio.loss,
      failed,
      seconds: Math.round(this.desk.world.nowMs / 100) / 10,
      sourceParts: parts,
      framesPerPart: rounded(framesPerPart),
      transfer: { seconds: rounded(seconds), blockFramesPerPart: rounded(perPart(ofBlocks(frames))), frames },
      frames: framesByKind(espNow.counts),
      frameCount: espNow.count(),
      otherFramesPerDevice: takers.length === 0 ? 0 : Math.round(others / takers.length),
      imageBytes,
      serverBytes,
      serverShare: rounded(serverShare),
      serverRequests: imageRequests,
      devices: this.devices.map((one) => this.#describe(one)),
    };
  }

  #describe(one: RunningDevice): DeviceResult {
    const { placed, device } = one;
    const publishedMs = this.published.get(placed.type)?.atMs;
    const updatedMs = this.#updatedMs.get(one);
    return {
      name: placed.name,
      type: placed.type,
      version: versionOf(device),
      validated: isValidated(device),
      boots: device.bootCount,
      ...(publishedMs === undefined || updatedMs === undefined
        ? {}
        : { updateSeconds: Math.round((updatedMs - publishedMs) / SECOND_MS) }),
    };
  }

  /** Images for devices that are in no network. */
  get #byRadio(): readonly (readonly [string, PublishedImage])[] {
    const isInNetwork = ({ device }: RunningDevice) =>
      (this.desk.network.deviceNamed(device.name)?.stack.interfaces.length ?? 0) > 0;
    return [...this.published].filter(
      ([type]) => !this.devices.some((one) => one.placed.type === type && isInNetwork(one)),
    );
  }

  #judge(framesPerPart: number, serverShare: number): void {
    const { expect } = this.#scenario;
    for (const [who, version] of Object.entries(expect.versions))
      for (const { placed, device } of this.#meant(who)) {
        const runs = versionOf(device);
        if (runs !== version) this.#failed.push(`${placed.name} runs ${runs || "nothing"}, not ${version}`);
        else if (!isValidated(device)) this.#failed.push(`${placed.name} runs ${version} on trial only`);
      }
    if (expect.framesPerPart !== undefined && !(framesPerPart <= expect.framesPerPart))
      this.#failed.push(
        `there were ${rounded(framesPerPart)} frames for each part, not ${expect.framesPerPart} at most`,
      );
    if (expect.serverShare !== undefined && !(serverShare <= expect.serverShare))
      this.#failed.push(
        `the server sent ${rounded(serverShare)} times the images, not ${expect.serverShare} at most`,
      );
  }

  async #do(step: Step): Promise<string | undefined> {
    switch (step.type) {
      case "publish":
        return this.#publish(step);
      case "order":
        return this.#publish(step, step.rule);
      case "cutPower": {
        const devices = this.#meant(step.who);
        for (const { device } of devices) device.powerOff();
        const isOver = await this.#wait(step.seconds);
        for (const { device } of devices) device.powerOn();
        return isOver;
      }
      case "wait":
        return this.#wait(step.seconds);
      case "radio":
        this.#setRadio(step.terms);
        return undefined;
      case "until":
        return this.#until(step);
    }
  }

  async #publish(step: Extract<Step, { type: "publish" | "order" }>, rule?: OrderRule): Promise<undefined> {
    const { deviceType: type, version, failsOn } = step;
    if (failsOn !== undefined)
      for (const one of this.#meant(failsOn)) if (one.placed.type === type) this.#failing.set(one, version);
    const { placed } = this.devices.find((one) => one.placed.type === type)!;
    const image = await this.#tools.image(placed, version);
    const { server } = this.#tools;
    await (rule ? server.order(image, type, rule) : server.publish(image, type));
    this.published.set(type, { version, bytes: image.length, atMs: this.desk.world.nowMs });
    return undefined;
  }

  async #wait(seconds: number): Promise<string | undefined> {
    const { world } = this.desk;
    const endMs = world.nowMs + seconds * SECOND_MS;
    if (endMs > this.#limitMs) return "the time is over";
    let isOver = false;
    world.schedule(seconds * SECOND_MS, () => {
      isOver = true;
    });
    await world.runUntil(() => isOver, { limitMs: seconds * SECOND_MS + SECOND_MS });
    return undefined;
  }

  async #until({ who, version, seconds }: Extract<Step, { type: "until" }>): Promise<string | undefined> {
    const { world } = this.desk;
    const isThere = (one: RunningDevice): boolean => {
      const { device, placed } = one;
      if (versionOf(device) !== version || !isValidated(device)) return false;
      const isUpdated = this.published.get(placed.type)?.version === version;
      if (isUpdated && !this.#updatedMs.has(one)) this.#updatedMs.set(one, world.nowMs);
      return true;
    };
    let missing = this.#meant(who);
    const look = (): boolean => {
      if (!this.#isDue) return false;
      this.#isDue = false;
      missing = missing.filter((one) => !isThere(one));
      return missing.length === 0;
    };
    const limitMs = Math.min(seconds * SECOND_MS, this.#limitMs - world.nowMs);
    this.#isDue = true;
    if (await world.runUntil(look, { limitMs })) return undefined;
    missing = this.#meant(who).filter((one) => !isThere(one));
    const names = missing.map(({ placed, device }) => `${placed.name} (${versionOf(device) || "off"})`);
    return `after ${Math.round(limitMs / SECOND_MS)} s not yet: ${names.join(", ")}`;
  }

  get #limitMs(): number {
    return this.#scenario.limitSeconds * SECOND_MS;
  }

  /** Devices are looked at once a second: each look reads their flash. */
  #tick(): void {
    this.#isDue = true;
    this.#tools.onSecond?.(this);
    this.#fail();
    this.desk.world.schedule(SECOND_MS, () => this.#tick());
  }

  /** A reset before the trial has passed: the boot loader goes back to the image before. */
  #fail(): void {
    for (const [{ device }, version] of this.#failing)
      if (device.machine && versionOf(device) === version && !isValidated(device)) {
        device.powerOff();
        device.powerOn();
      }
  }

  #meant(who: string): readonly RunningDevice[] {
    return this.devices.filter(({ placed }) => isMeant(who, placed));
  }

  #setRadio(terms: Partial<RadioTerms>): void {
    const byMac = new Map(this.devices.map(({ placed, device }) => [macText(device.mac), placed]));
    const isFar = (from: PlacedDevice, to: PlacedDevice) =>
      [...from.far].some((who) => isMeant(who, to)) || [...to.far].some((who) => isMeant(who, from));
    this.desk.network.espNow.change({
      ...terms,
      rssi: (from, to) => {
        const [sender, receiver] = [byMac.get(from), byMac.get(to)];
        return sender && receiver && isFar(sender, receiver) ? undefined : NEAR_DBM;
      },
    });
  }
}

const NEAR_DBM = -55;

const macText = (mac: Uint8Array): string =>
  Array.from(mac, (byte) => byte.toString(16).padStart(2, "0")).join(":");

const rounded = (value: number): number => Math.round(value * 1000) / 1000;

const tableFile = (table: string): string =>
  fileURLToPath(new URL(`../../partitions/${table}.csv`, import.meta.url));

function describeStep(step: Step): string {
  switch (step.type) {
    case "publish":
      return `${step.deviceType} ${step.version} is published`;
    case "order":
      return `gateways are told to bring ${step.deviceType} ${step.version} to ${step.rule}`;
    case "cutPower":
      return `${step.who} without power for ${step.seconds} s`;
    case "wait":
      return `${step.seconds} s pass`;
    case "radio":
      return "the radio changes";
    case "until":
      return `until ${step.who} runs ${step.version}`;
  }
}
