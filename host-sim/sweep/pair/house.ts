// Where the pair of the sweep lives: the desk's house, an update server, both devices with the flash that they begin with, and its owner with a
// phone. Keeps an eye on each flash (checks.ts) and collects what is wrong. Disturbs nothing; that is disturb.ts.

import { Desk, HOME, OWNER_TOKEN } from "../../desk/desk.js";
import type { VirtualDevice } from "../../device/device.js";
import { Flash, type FlashOperation } from "../../hardware/flash/flash.js";
import { Phone } from "../../network/phone.js";
import { FlashChecks } from "../checks.js";
import { APPS, namedFirmware, type PairApp, type PairImages, type PairSystem } from "./images.js";
import { createPairServer, type PairServer } from "./server.js";

export type Flashes = Readonly<Record<PairApp, Uint8Array>>;

export interface PairHouseOptions {
  readonly images: PairImages;
  /** What the flashes hold; not changed. */
  readonly start: Flashes;
  /** A person goes through the receiver's portal. */
  readonly isNew?: boolean;
  readonly onTrace?: ((line: string) => void) | undefined;
}

type OnOperation = (operation: FlashOperation, when: "before" | "after") => void;

export class PairHouse {
  readonly desk: Desk;
  readonly server: PairServer;
  readonly problems: string[] = [];
  /** From a push of the owner's on until the receiver has restarted with what it brought, if it has taken it. */
  isPushing = false;
  readonly checks: Readonly<Record<PairApp, FlashChecks>>;
  /** Around each operation of a device's flash, with its number; may throw PowerCut. */
  onOperation: (app: PairApp, number: number, ...of: Parameters<OnOperation>) => void = () => {};
  readonly #phone: Phone;
  readonly #onTrace: ((line: string) => void) | undefined;
  #address = "";

  constructor({ images, start, isNew = false, onTrace }: PairHouseOptions) {
    this.#onTrace = onTrace;
    const systems = systemsIn(images);
    let desk: Desk | undefined;
    this.server = createPairServer(() => desk?.world.nowMs ?? 0, systems);
    const engine = namedFirmware(images);
    desk = new Desk({
      server: { handler: this.server.handler },
      manual: !isNew,
      devices: APPS.map((name) => ({ name, engine, flash: new Flash(start[name].length, start[name]) })),
      onTrace: (line, device) => {
        if (device === "receiver")
          this.#address = /address (\d+\.\d+\.\d+\.\d+)/.exec(line)?.[1] ?? this.#address;
        this.note(`${device}: ${line}`);
      },
      onEvent: (event, device) => {
        this.note(`${device}: ${event.type === "booted" ? `boots ${event.partition.label}` : event.type}`);
        if (event.type === "booted") this.#wrong(device, this.checks[device as PairApp].booted(event));
        if (event.type === "bootFailed") this.#wrong(device, [`nothing boots: ${event.message}`]);
      },
    });
    this.desk = desk;
    this.checks = {
      receiver: this.#watch("receiver", systems),
      transmitter: this.#watch("transmitter", systems),
    };
    this.#phone = new Phone({
      world: desk.world,
      network: desk.network,
      name: "tablet",
      mac: "02:00:00:00:00:77",
    });
  }

  device(app: PairApp): VirtualDevice {
    return this.desk.devices[APPS.indexOf(app)]!;
  }

  /** A text that a device keeps in NVS; undefined: it does not run, or keeps none. */
  stored(app: PairApp, key: string): string | undefined {
    const { value } = this.device(app).machine?.nvs?.get(NAMESPACE, key) ?? {};
    return typeof value === "string" ? value : undefined;
  }

  /** What the owner sees on the receiver's pages. @throws PhoneError */
  async get(path: string): Promise<Record<string, unknown>> {
    await this.#join();
    const { status, text } = await this.#phone.get(path, this.#address);
    return status === 200 ? JSON.parse(text) : { status };
  }

  /** What the owner does there. @returns the answer's status. @throws PhoneError */
  async post(path: string, body: Uint8Array | string = "{}", port = 80, more = {}): Promise<number> {
    await this.#join();
    const headers = {
      authorization: `Bearer ${OWNER_TOKEN}`,
      "content-type": "application/json",
      ...more,
    };
    return (await this.#phone.post(path, body, `${this.#address}:${port}`, { headers })).status;
  }

  note(line: string): void {
    this.#onTrace?.(`${this.desk.world.nowMs.toFixed(1).padStart(10)} ms  ${line}`);
  }

  close(): void {
    for (const device of this.desk.devices) device.powerOff();
  }

  async #join(): Promise<void> {
    if (this.#phone.joinedSsid === undefined) await this.#phone.join(HOME.ssid, HOME.password);
  }

  #watch(app: PairApp, systems: readonly PairSystem[]): FlashChecks {
    const device = this.device(app);
    const { flash, partitions } = device;
    const releases = systems.map((system) => system.releases[app]);
    const also = partitions.find(({ label }) => label === "cache");
    const checks = new FlashChecks({ flash, partitions, releases, also });
    let count = 0;
    flash.onOperation = (operation, when) => {
      const { kind, offset } = operation;
      const number = count;
      if (when === "after") {
        count += 1;
        this.#wrong(app, checks.operated(kind, offset, device.running));
      }
      this.onOperation(app, number, operation, when);
    };
    return checks;
  }

  #wrong(device: string, problems: Iterable<string>): void {
    for (const problem of problems) this.problems.push(`${device}: ${problem}`);
  }
}

const NAMESPACE = "skyslot";

const systemsIn = ({ factory, update, crashing, misfit, later }: PairImages): readonly PairSystem[] => [
  factory,
  update,
  crashing.receiver,
  crashing.transmitter,
  misfit,
  later,
];
