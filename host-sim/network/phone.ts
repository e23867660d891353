/**
 * A person's phone: joins a Wi-Fi network, asks for names over UDP 53, fetches pages over TCP 80 and follows redirects, as
 * the portal sheet of a real phone does. Renders nothing. Its promises settle in world events.
 */

import type { World } from "../world/world.js";
import type { AirNetwork, Station } from "./air.js";
import { addressQuery, decodeDns, firstAddress } from "./dns-packet.js";
import { HttpParser } from "./http-parser.js";
import { IpNode } from "./ip-node.js";

const JOIN_MS = 300;
const REQUEST_TIMEOUT_MS = 15_000;
const RESOLVE_TRY_COUNT = 3;
const RESOLVE_INTERVAL_MS = 1000;
const REDIRECT_COUNT_MAX = 5;

export interface PhoneResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  readonly text: string;
  /** Where it came from in the end. */
  readonly url: string;
}

export interface PhoneRequest {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string;
  /** 0 shows the redirect itself. */
  readonly redirectCountMax?: number;
}

/** Why something did not work, in words of the phone's user. */
export class PhoneError extends Error {}

export class Phone {
  readonly name: string;
  readonly mac: string;
  readonly node: IpNode;
  #world: World;
  #networks: () => readonly AirNetwork[];
  #joined: AirNetwork | undefined;
  #captivePortalUri: string | undefined;
  #station: Station;

  /** @param options.network where it looks for Wi-Fi networks */
  constructor(options: {
    world: World;
    network: { networks(): readonly AirNetwork[] };
    name?: string;
    mac?: string;
  }) {
    this.#world = options.world;
    this.#networks = () => options.network.networks();
    this.name = options.name ?? "phone";
    this.mac = options.mac ?? "02:70:68:6f:6e:65";
    this.node = new IpNode({ world: options.world, name: this.name });
    this.#station = {
      mac: this.mac,
      node: this.node,
      dropped: () => this.#forgetNetwork(),
      addressWithdrawn: () => {
        const address = this.#joined?.lease(this.mac);
        if (this.#joined && address) this.node.addInterface(address, this.#joined.segment);
      },
    };
  }

  get joinedSsid(): string | undefined {
    return this.#joined?.ssid;
  }

  get address(): string | undefined {
    return this.node.interfaces[0]?.address;
  }

  /** What its network announced with its address (DHCP option 114, RFC 8910). */
  get captivePortalUri(): string | undefined {
    return this.#captivePortalUri;
  }

  /** The networks that its list shows. */
  visibleSsids(): readonly string[] {
    return this.#networks()
      .filter(({ isUp, hidden }) => isUp && !hidden)
      .map(({ ssid }) => ssid);
  }

  /** Joins a network and gets an address. Rejects with PhoneError. */
  join(ssid: string, password = ""): Promise<string> {
    this.leave();
    return this.#promise((resolve, reject) => {
      this.#world.schedule(JOIN_MS, () => {
        const network = this.#networks().find((one) => one.isUp && one.ssid === ssid);
        if (network === undefined) return reject(new PhoneError(`no network named "${ssid}" in range`));
        if (!network.acceptsPassword(password)) return reject(new PhoneError(`wrong password for "${ssid}"`));
        if (!network.admit(this.#station)) return reject(new PhoneError(`"${ssid}" takes no more stations`));
        const address = network.lease(this.mac);
        if (address === undefined) {
          network.release(this.#station);
          return reject(new PhoneError(`"${ssid}" gives no address`));
        }
        this.#joined = network;
        this.#captivePortalUri = network.captivePortalUri;
        this.node.addInterface(address, network.segment);
        resolve(address);
      });
    });
  }

  leave(): void {
    this.#joined?.release(this.#station);
    this.#forgetNetwork();
  }

  /** Asks the network's DNS server. Undefined if the name has no IPv4 address; rejects if there is no answer. */
  resolve(name: string): Promise<string | undefined> {
    return this.#promise((resolve, reject) => {
      const server = this.#joined?.dnsServers[0];
      if (server === undefined) return reject(new PhoneError(`no network to ask for ${name}`));
      const id = Math.floor(this.#world.random() * 65536);
      let isOver = false;
      const socket = this.node.bindUdp(0, ({ bytes }) => {
        const message = decodeDns(bytes);
        if (message?.id !== id || isOver) return;
        isOver = true;
        socket?.close();
        resolve(firstAddress(message));
      });
      const ask = (tryCount: number): void => {
        if (isOver) return;
        if (tryCount === RESOLVE_TRY_COUNT) {
          isOver = true;
          socket?.close();
          reject(new PhoneError(`no answer for ${name} from ${server}`));
          return;
        }
        socket?.send(addressQuery(id, name), server, 53);
        this.#world.schedule(RESOLVE_INTERVAL_MS, () => ask(tryCount + 1));
      };
      ask(0);
    });
  }

  /** Opens a page. `host` is a name or an address, with a port if it is not 80. */
  get(path: string, host?: string, request: PhoneRequest = {}): Promise<PhoneResponse> {
    return this.fetch(`http://${host ?? this.#gateway()}${path}`, request);
  }

  /** Sends a form, as a browser does. */
  post(
    path: string,
    body: Uint8Array | string,
    host?: string,
    request: PhoneRequest = {},
  ): Promise<PhoneResponse> {
    const headers = { "content-type": "application/x-www-form-urlencoded", ...request.headers };
    return this.fetch(`http://${host ?? this.#gateway()}${path}`, {
      ...request,
      method: "POST",
      headers,
      body,
    });
  }

  /** Fetches a URL and follows redirects. Rejects with PhoneError. */
  async fetch(url: string, request: PhoneRequest = {}): Promise<PhoneResponse> {
    const redirectCountMax = request.redirectCountMax ?? REDIRECT_COUNT_MAX;
    let current = new URL(url);
    let step = request;
    for (let count = 0; ; count += 1) {
      const response = await this.#fetchOnce(current, step);
      const { location } = response.headers;
      if (![301, 302, 303, 307, 308].includes(response.status) || !location || redirectCountMax === 0) {
        return response;
      }
      if (count === redirectCountMax)
        throw new PhoneError(`${url} redirects more than ${redirectCountMax} times`);
      current = new URL(location, current);
      if (response.status < 307) step = { headers: {} };
    }
  }

  async #fetchOnce(url: URL, request: PhoneRequest): Promise<PhoneResponse> {
    if (url.protocol !== "http:") throw new PhoneError(`${url.href}: this phone speaks http only`);
    const isAddress = /^\d+\.\d+\.\d+\.\d+$/.test(url.hostname);
    const address = isAddress ? url.hostname : await this.resolve(url.hostname);
    if (address === undefined) throw new PhoneError(`${url.hostname} cannot be found`);
    return this.#exchange(address, url, request);
  }

  #exchange(address: string, url: URL, request: PhoneRequest): Promise<PhoneResponse> {
    const method = request.method ?? "GET";
    const parser = new HttpParser("response", { isHeadAnswer: method === "HEAD" });
    return this.#promise((resolve, reject) => {
      if (this.#joined === undefined) return reject(new PhoneError(`no network to reach ${url.href}`));
      const socket = this.node.connect(address, Number(url.port || 80));
      const giveUp = (why: string): void => {
        timeout.cancel();
        socket.abort();
        reject(new PhoneError(`${method} ${url.href}: ${why}`));
      };
      const timeout = this.#world.schedule(REQUEST_TIMEOUT_MS, () => {
        giveUp(`no answer within ${REQUEST_TIMEOUT_MS} ms`);
      });
      const take = (): void => {
        parser.push(socket.read());
        const message = parser.take();
        if (message === "malformed") {
          giveUp("malformed answer");
          return;
        }
        if (message === undefined) return;
        timeout.cancel();
        socket.close();
        const text = new TextDecoder().decode(message.body);
        resolve({
          status: message.status,
          headers: message.headers,
          body: message.body,
          text,
          url: url.href,
        });
      };
      socket.events = {
        connected: () => socket.write(encodeRequest(method, url, request)),
        received: take,
        ended: () => {
          parser.end();
          take();
          if (socket.state !== "closed") giveUp("connection closed before the answer was complete");
        },
        failed: (reason) => giveUp(reason),
      };
    });
  }

  #gateway(): string {
    return this.#joined?.dnsServers[0] ?? "192.168.4.1";
  }

  #forgetNetwork(): void {
    const network = this.#joined;
    this.#joined = undefined;
    this.#captivePortalUri = undefined;
    if (network !== undefined) this.node.removeInterface(network.segment);
  }

  /** A promise whose followers run before the world goes on: virtual time stands still meanwhile. */
  #promise<T>(start: (resolve: (value: T) => void, reject: (error: Error) => void) => void): Promise<T> {
    return new Promise((resolve, reject) => {
      const pause = (): void => {
        this.#world.hold(new Promise<void>((next) => setImmediate(next)), () => {});
      };
      start(
        (value) => {
          resolve(value);
          pause();
        },
        (error) => {
          reject(error);
          pause();
        },
      );
    });
  }
}

function encodeRequest(method: string, url: URL, request: PhoneRequest): Uint8Array {
  const body = typeof request.body === "string" ? new TextEncoder().encode(request.body) : request.body;
  const headers: Record<string, string> = {
    host: url.host,
    "user-agent": "Mozilla/5.0 (Linux; Android 14)",
    accept: "*/*",
    connection: "close",
    ...(body === undefined ? {} : { "content-length": String(body.length) }),
    ...request.headers,
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const head = `${method} ${url.pathname}${url.search} HTTP/1.1\r\n${lines.join("")}\r\n`;
  return Buffer.concat([new TextEncoder().encode(head), body ?? new Uint8Array()]);
}
