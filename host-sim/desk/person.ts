// A person with a phone who sets up every device that opens its portal: joins its access point, gets to its page as phones do
// (a name query and a probe), chooses the owner's token if the device has no owner yet, submits the home's network and waits for the
// result. Persistent: if it does not work, tries again.

import { Phone, PhoneError } from "../network/phone.js";
import type { VirtualNetwork } from "../network/virtual-network.js";
import type { World } from "../world/world.js";

/** Access points of our devices begin with this (firmware/core/identity.ts). */
const PORTAL_PREFIX = "Skyslot ";
const LOOK_EVERY_MS = 2_000;
const POLL_EVERY_MS = 1_000;
const MAX_POLL_COUNT = 40;
/** What Android asks for to find out whether it is online. */
const PROBE = "http://connectivitycheck.gstatic.com/generate_204";

export interface PersonOptions {
  readonly world: World;
  readonly network: VirtualNetwork;
  /** What the person types. */
  readonly wifi: { readonly ssid: string; readonly password: string };
  /** The owner's token that the person chooses for a new device. */
  readonly token: string;
  /** The authority that the person gives a new device, as its page sends it; absent: none. */
  readonly authority?: string | undefined;
}

/** The result of one setup through a portal. */
export interface SetupResult {
  readonly phase: string;
  readonly reason?: string;
  readonly address?: string;
}

export class Person {
  readonly phone: Phone;
  /** Setups that were started. */
  setupCount = 0;
  #options: PersonOptions;

  constructor(options: PersonOptions) {
    this.#options = options;
    this.phone = new Phone({ world: options.world, network: options.network });
  }

  /** Looks around every two seconds and sets up what needs it. */
  watchForPortals(): void {
    const { world } = this.#options;
    /** Portals whose setup is done, and that stay open for some seconds. */
    let done = new Set<string>();
    const look = (): void => {
      const portals = this.phone.visibleSsids().filter((ssid) => ssid.startsWith(PORTAL_PREFIX));
      done = new Set(portals.filter((ssid) => done.has(ssid)));
      const portal = portals.find((ssid) => !done.has(ssid));
      if (portal === undefined) {
        world.schedule(LOOK_EVERY_MS, look);
        return;
      }
      const again = (): void => void world.schedule(LOOK_EVERY_MS, look);
      void this.setUp(portal).then(({ phase }) => {
        if (phase === "joined") done.add(portal);
        again();
      }, again);
    };
    world.schedule(LOOK_EVERY_MS, look);
  }

  /** Sets up one device through its portal. Rejects with PhoneError when the device or its access point is gone. */
  async setUp(portal: string): Promise<SetupResult> {
    this.setupCount += 1;
    await this.phone.join(portal);
    try {
      const page = await this.phone.fetch(PROBE);
      if (page.status !== 200 || !page.text.includes("<html")) {
        throw new PhoneError(`probe was answered ${page.status} by ${page.url}, not with a page`);
      }
      await this.#own();
      const { ssid, password } = this.#options.wifi;
      const form = new URLSearchParams({ ssid, password }).toString();
      const answer = await this.phone.post("/api/join", form);
      if (answer.status !== 202) throw new PhoneError(`the portal answered ${answer.status}: ${answer.text}`);
      return await this.#result();
    } finally {
      this.phone.leave();
    }
  }

  /** The page asks for a token where there is none, if it may be set, and takes an authority then. */
  async #own(): Promise<void> {
    const settings = JSON.parse((await this.phone.get("/api/settings")).text) as {
      readonly hasToken: boolean;
      readonly attendedSeconds: number;
    };
    if (settings.hasToken || settings.attendedSeconds === 0) return;
    const { token, authority } = this.#options;
    if (authority !== undefined) await this.#post("/api/settings", { authority }, 200);
    await this.#post("/api/token", { token }, 202);
  }

  async #post(path: string, body: object, status: number): Promise<void> {
    const headers = { "content-type": "application/json" };
    const answer = await this.phone.post(path, JSON.stringify(body), undefined, { headers });
    if (answer.status !== status)
      throw new PhoneError(`${path} was answered ${answer.status}: ${answer.text}`);
  }

  async #result(): Promise<SetupResult> {
    for (let count = 0; count < MAX_POLL_COUNT; count++) {
      await this.#wait(POLL_EVERY_MS);
      const result = JSON.parse((await this.phone.get("/api/join")).text) as SetupResult;
      if (result.phase === "joined" || result.phase === "failed") return result;
    }
    throw new PhoneError(`no result after ${MAX_POLL_COUNT} s`);
  }

  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => this.#options.world.schedule(ms, resolve));
  }
}
