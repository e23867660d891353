/**
 * `embedded:network/dns/resolver/udp`: the SDK's resolver. Real query packets over firmware's own UDP class to the servers
 * it names (or to mDNS for ".local"), repeated every second, five times a server.
 */

import type { Machine } from "../../machine/machine.js";
import { addressQuery, decodeDns, firstAddress } from "../../network/dns-packet.js";
import type { Scheduled } from "../../world/world.js";
import { type Callback, type Dictionary, isSwallowed, type Native } from "../native.js";

const REPEAT_MS = 1000;
const TRY_COUNT_PER_SERVER = 5;
const MDNS_ADDRESS = "224.0.0.251";

interface Request {
  readonly host: string;
  /** 0 for mDNS. */
  readonly id: number;
  readonly isAddress: boolean;
  readonly onResolved: Callback | undefined;
  readonly onError: Callback | undefined;
  tryCount: number;
}

interface Socket {
  read(): ArrayBuffer | undefined;
  write(packet: ArrayBuffer, address: string, port: number): void;
  close(): void;
}

export function createDnsResolver(machine: Machine, native: Native): { Resolver: object } {
  class Resolver {
    #servers: string[];
    #udp: Dictionary | undefined;
    #socket: Socket | undefined;
    #requests: Request[] = [];
    #timer: Scheduled | undefined;

    constructor(options: Dictionary) {
      if (!options?.servers) throw native.coerced();
      this.#servers = [...(options.servers as Iterable<string>)];
      this.#udp = options.socket as Dictionary | undefined;
    }

    close(): void {
      this.#requests = [];
      this.#stop();
      this.#udp = undefined;
    }

    resolve(options: Dictionary): void {
      const { onResolved, onError } = options as { onResolved?: Callback; onError?: Callback };
      if (!options.host || (!onResolved && !onError) || this.#udp === undefined) throw native.error();
      const name = native.text(options.host);
      const host = name === "localhost" ? "127.0.0.1" : name;
      this.#requests.push({
        host,
        id: host.endsWith(".local") ? 0 : Math.floor(machine.random() * 65535) | 1,
        isAddress: /^\d+\.\d+\.\d+\.\d+$/.test(host),
        onResolved,
        onError,
        tryCount: 0,
      });
      this.#timer ??= machine.after(0, () => this.#tick());
    }

    /** Sends every open request once more and gives up on those that have had their tries. */
    #tick(): void {
      this.#timer = machine.after(REPEAT_MS, () => this.#tick());
      for (const request of [...this.#requests]) {
        const tryCountMax = TRY_COUNT_PER_SERVER * (request.id === 0 ? 1 : this.#servers.length);
        if (request.isAddress) this.#finish(request, request.onResolved, request.host, request.host);
        else {
          request.tryCount += 1;
          if (request.tryCount === tryCountMax) this.#finish(request, request.onError, request.host);
          else this.#send(request);
        }
      }
    }

    /** What cannot be sent now is tried again with the next tick. */
    #send(request: Request): void {
      try {
        this.#socket ??= this.#open();
        const server = this.#servers[request.tryCount % this.#servers.length] as string;
        const packet = native.arrayBuffer(addressQuery(request.id, request.host));
        if (request.id === 0) this.#socket.write(packet, MDNS_ADDRESS, 5353);
        else this.#socket.write(packet, server, 53);
      } catch (error) {
        if (!isSwallowed(machine, error)) throw error;
      }
    }

    #open(): Socket {
      const receive = (packet: ArrayBuffer | undefined): void => this.#receive(packet);
      return new ((this.#udp as Dictionary).io as new (options: object) => Socket)(
        native.object({
          target: this,
          onReadable(this: Socket, count: number) {
            for (let index = 0; index < count; index += 1) receive(this.read());
          },
        }),
      );
    }

    #receive(packet: ArrayBuffer | undefined): void {
      const message = packet && decodeDns(new Uint8Array(packet));
      if (!message) return;
      const request = this.#requests.find(({ id }) => id === message.id);
      if (request === undefined) return;
      const asked = message.questions[0]?.name ?? message.answers[0]?.name;
      const address = asked === request.host ? firstAddress(message) : undefined;
      if (address !== undefined) this.#finish(request, request.onResolved, request.host, address);
      else if (request.id !== 0) this.#finish(request, request.onError, request.host);
    }

    #finish(request: Request, callback: Callback | undefined, ...parameters: unknown[]): void {
      this.#requests = this.#requests.filter((one) => one !== request);
      if (this.#requests.length === 0) this.#stop();
      callback?.apply(this, parameters);
    }

    #stop(): void {
      this.#socket?.close();
      this.#socket = undefined;
      this.#timer?.cancel();
      this.#timer = undefined;
    }
  }

  return { Resolver };
}
