// Where a device of the fuzz lives: a home with one router, an update server and a name server that answer what they are told, a stranger in
// the same network, a phone, and an owner who sets the device up again whenever its portal opens, once the inputs are over. It watches the
// device from outside, and notes what no input may bring about.

import { Person } from "../../../host-sim/desk/person.js";
import { VirtualDevice } from "../../../host-sim/device/device.js";
import type { DeviceEvent } from "../../../host-sim/device/device-event.js";
import type { Engine } from "../../../host-sim/engine/engine.js";
import type { Flash } from "../../../host-sim/hardware/flash/flash.js";
import type { Partition } from "../../../host-sim/hardware/partitions/partition.js";
import type { AccessPoint } from "../../../host-sim/network/access-point.js";
import { answerFrom } from "../../../host-sim/network/dns-server.js";
import { IpNode } from "../../../host-sim/network/ip-node.js";
import { Phone } from "../../../host-sim/network/phone.js";
import { VirtualNetwork } from "../../../host-sim/network/virtual-network.js";
import { World } from "../../../host-sim/world/world.js";
import { FuzzGateway } from "./gateway.js";
import type { FuzzApp } from "./image.js";
import { FuzzServer } from "./server.js";

export const HOME = Object.freeze({ ssid: "Home + Garden", password: "corr&ct=horse%8#" });
export const OWNER_TOKEN = "garden-gate-open-7";
const SERVER_ADDRESS = "203.0.113.10";
/** Wherever an input sends the device, it finds the server. */
const SERVER_PORTS = Object.freeze([80, 8080]);
const STRANGER_HOST = 201;
const NAME_SERVER_HOST = 53;

/** Events of the world for one input: more is a loop. */
const MAX_EVENTS = 400_000;
/** A check is due once a day at the latest, a tenth later at most; and the answer may have asked for a pause of a day. */
export const LONGEST_PAUSE_MS = 55 * 3_600_000;

/** An answer goes out before the restart that was asked for, and flash takes its time. */
const FAREWELL_MS = 3_000;

/** What an input must not bring about. */
export class Fault extends Error {
  override readonly name = "Fault";
}

export interface HouseOptions {
  readonly flash: Flash;
  readonly seed: number;
  /** Whether a partition holds the image under the fuzz. */
  readonly isOurs: (partition: Partition) => boolean;
  readonly engine?: Engine | undefined;
  readonly app: FuzzApp;
  readonly onTrace?: ((line: string) => void) | undefined;
}

/** Longest log that is kept for the class of an answer. */
const MAX_LOG_LINES = 200;

export class House {
  readonly world: World;
  readonly network: VirtualNetwork;
  readonly home: AccessPoint;
  readonly server: FuzzServer;
  readonly device: VirtualDevice;
  readonly phone: Phone;
  readonly stranger: IpNode;
  readonly app: FuzzApp;
  /** Of a device without a network: what it reaches the server through. */
  readonly gateway: FuzzGateway | undefined;
  /** Answers a query of the device's; undefined: as a router does. */
  nameAnswer: ((query: Uint8Array) => Uint8Array | undefined) | undefined;
  /** Faults since the last look. */
  readonly faults: string[] = [];
  /** Lines of the log since the input began. */
  readonly log: string[] = [];
  /** Reasons of restarts that an input may bring about, and until when. */
  readonly #allowed = new Map<string, number>();
  /** Restarts that were asked for. */
  intendedCount = 0;
  /** Bytes of the device's state at its last check. */
  stateBytes = 0;
  /** Why the firmware is about to restart. */
  #note = "";
  /** The last uncaught error. */
  #stack = "";
  /** The beginning of a line of the log. */
  #held = "";
  readonly #onTrace: HouseOptions["onTrace"];
  readonly #isOurs: HouseOptions["isOurs"];

  constructor({ flash, seed, engine, isOurs, app, onTrace }: HouseOptions) {
    this.app = app;
    this.#onTrace = onTrace;
    this.#isOurs = isOurs;
    this.world = new World({ seed });
    this.network = new VirtualNetwork({ world: this.world });
    this.network.resolve = () => SERVER_ADDRESS;
    this.home = this.network.addAccessPoint(HOME);
    this.server = new FuzzServer(this.world);
    const host = this.network.addHost("server", SERVER_ADDRESS);
    for (const port of SERVER_PORTS) host.listen(port, (socket) => this.server.accept(socket));
    this.gateway = app === "transmitter" ? new FuzzGateway(this.world, this.network, this.server) : undefined;
    this.#serveNames();
    this.stranger = this.network.addHost("stranger", `${this.home.segment.prefix}.${STRANGER_HOST}`);
    this.phone = new Phone({ world: this.world, network: this.network });
    this.device = new VirtualDevice({
      world: this.world,
      network: this.network,
      name: "device",
      flash,
      strictFlash: true,
      ...(engine ? { engine } : {}),
      onTrace: (text) => this.#traced(text),
      onEvent: (event) => this.#happened(event),
    });
  }

  /** The device's address in the home network; undefined: it is not there. */
  get address(): string | undefined {
    const radio = this.device.machine?.radio;
    return radio?.joined === this.home ? radio.stationAddress : undefined;
  }

  /** An input begins, which may bring about such restarts; those that the one before may bring about come soon. */
  allow(restarts: readonly string[]): void {
    const soonMs = this.world.nowMs + FAREWELL_MS;
    for (const [restart, untilMs] of this.#allowed)
      if (untilMs === Infinity) this.#allowed.set(restart, soonMs);
    for (const restart of restarts) this.#allowed.set(restart, Infinity);
  }

  /** Runs until `done`. @throws Fault when something has happened that must not, or after too many events */
  async until(done: () => boolean, limitMs: number): Promise<boolean> {
    let eventCount = 0;
    const over = (): boolean => this.faults.length > 0 || ++eventCount > MAX_EVENTS || done();
    const isOver = await this.world.runUntil(over, { limitMs });
    this.look();
    if (eventCount > MAX_EVENTS) throw new Fault(`more than ${MAX_EVENTS} events without an end`);
    return isOver;
  }

  /** Runs for some time. */
  async during(ms: number): Promise<void> {
    await this.until(() => false, ms);
  }

  /** @throws Fault if there is one */
  look(): void {
    const fault = this.faults[0];
    if (fault !== undefined) throw new Fault(fault);
  }

  /** Runs until the server holds a check. */
  async untilHeld(limitMs = LONGEST_PAUSE_MS): Promise<void> {
    if (await this.until(() => this.server.hasHeld, limitMs)) return;
    throw new Fault(`no check within ${Math.round(limitMs / 60_000)} min`);
  }

  /** From now on a person is at home and sets the device up whenever its portal opens. */
  callPerson(): void {
    new Person({
      world: this.world,
      network: this.network,
      wifi: HOME,
      token: OWNER_TOKEN,
    }).watchForPortals();
  }

  #serveNames(): void {
    const address = `${this.home.segment.prefix}.${NAME_SERVER_HOST}`;
    const node = new IpNode({ world: this.world, name: "name server" });
    node.addInterface(address, this.home.segment);
    Object.defineProperty(this.home, "dnsServers", { get: () => [address] });
    const socket = node.bindUdp(53, ({ bytes, address: from, port }) => {
      const answer = this.nameAnswer ? this.nameAnswer(bytes) : answerFrom(bytes, () => SERVER_ADDRESS);
      if (answer !== undefined) socket?.send(answer, from, port);
    });
  }

  #traced(text: string): void {
    const parts = (this.#held + text).split("\n");
    this.#held = parts.pop() ?? "";
    for (const line of parts) {
      this.#onTrace?.(`${Math.round(this.world.nowMs)} ${line}`);
      if (line.startsWith("probe: ")) this.#probed(line.slice(7));
      else if (this.log.length < MAX_LOG_LINES) this.log.push(line);
    }
  }

  #probed(text: string): void {
    const [what = "", ...more] = text.split(" ");
    if (what === "state") this.stateBytes = Number(more[0]);
    else if (what === "restart") this.#note = more[0] ?? "";
    else this.faults.push(text);
  }

  #happened(event: DeviceEvent): void {
    this.#onTrace?.(
      `${Math.round(this.world.nowMs)} ${JSON.stringify(event, (name, value) => (name === "partition" ? value.label : value))}`,
    );
    switch (event.type) {
      case "uncaught":
        this.#stack = `${event.name}: ${event.message} ${innermost(event.stack)}`;
        return;
      case "booted":
        if (!this.#isOurs(event.partition)) this.faults.push("an image starts that was not signed");
        return;
      case "bootFailed":
        this.faults.push(`nothing boots: ${event.message}`);
        return;
      case "restarted":
        return this.#restarted(event.cause);
    }
  }

  #restarted(cause: string): void {
    const note = this.#note;
    this.#note = "";
    if (cause !== "restart")
      this.faults.push(`restart by ${cause}${cause === "uncaught" ? `, ${this.#stack}` : ""}`);
    else if (note === "") this.faults.push("restart without an order");
    else if (!(this.world.nowMs <= (this.#allowed.get(note) ?? -1)))
      this.faults.push(`restart for "${note}", which the input may not ask for`);
    else this.intendedCount += 1;
  }
}

/** The function that threw: positions in the bundle differ from build to build. */
const innermost = (stack: string): string => /at (?:new )?([\w.#$<> ]+?) \(/.exec(stack)?.[1] ?? "";
