/**
 * One IP stack of the virtual network: interfaces, listeners, connections, datagram sockets. A device's boot has one, and
 * so has each host, router and phone. Independent of the radio and of protocols above TCP and UDP, and never calls firmware directly.
 */

import type { World } from "../world/world.js";
import { isBroadcast, isLoopback, isMulticast, normalizeAddress, sameSubnet } from "./address.js";
import type { LinkPolicy, PolicyOf } from "./link-policy.js";
import type { Segment } from "./segment.js";
import { type TcpHost, type TcpPath, TcpSocket } from "./tcp-socket.js";

/** What a chip sends to itself takes no time but that of its code. */
const LOOPBACK_LATENCY_MS = 0;
/** lwIP repeats a SYN six times, three seconds apart, with the SDK's settings. */
const SYN_INTERVAL_MS = 3000;
const SYN_COUNT_MAX = 7;
const EPHEMERAL_PORT_MIN = 49152;
const EPHEMERAL_PORT_COUNT = 16384;

export interface Interface {
  readonly address: string;
  readonly segment: Segment<IpNode>;
}

/** Where packets to an address go now. */
export interface Route {
  readonly node: IpNode;
  readonly localAddress: string;
  readonly latencyMs: number;
  readonly segment: Segment<IpNode> | undefined;
}

export interface TcpListener {
  readonly port: number;
  accept(socket: TcpSocket): void;
  policyOf?: PolicyOf | undefined;
  /** SYNs that have reached the port, repeated ones too. */
  connectionCount: number;
  close(): void;
}

export interface Datagram {
  readonly bytes: Uint8Array;
  readonly address: string;
  readonly port: number;
}

export interface UdpSocket {
  readonly port: number;
  received: (datagram: Datagram) => void;
  /** Groups joined on every interface, as the SDK's `add` does. */
  readonly groups: Set<string>;
  /** False if there is no route. */
  send(bytes: Uint8Array, address: string, port: number): boolean;
  close(): void;
}

/** As one of its ends sees it. */
export type Connection = Pick<
  TcpSocket,
  "localAddress" | "localPort" | "remoteAddress" | "remotePort" | "isServer"
>;

export interface IpNodeOptions {
  readonly world: World;
  readonly name: string;
  /** Receive window of a connection that it opens, bytes. */
  readonly windowBytes?: number;
  /** The same of one that it accepts; default: windowBytes. */
  readonly acceptedWindowBytes?: number;
  /** Send buffer of a connection, bytes. */
  readonly sendBytes?: number;
  readonly retransmitMs?: number;
  /** Limits of the pools that lwIP allocates from. */
  readonly connectionCountMax?: number;
  readonly udpCountMax?: number;
}

export class IpNode implements TcpHost {
  readonly world: World;
  readonly name: string;
  readonly windowBytes: number;
  readonly acceptedWindowBytes: number;
  readonly sendBytes: number;
  readonly retransmitMs: number;
  readonly interfaces: Interface[] = [];
  /** What it tells DHCP servers. */
  hostName: string | undefined;
  alive = true;
  #connectionCountMax: number;
  #udpCountMax: number;
  #listeners = new Map<number, TcpListener>();
  #connections = new Set<TcpSocket>();
  #udp = new Map<number, UdpSocket>();
  #nextPort: number;

  constructor(options: IpNodeOptions) {
    this.world = options.world;
    this.name = options.name;
    this.windowBytes = options.windowBytes ?? 65536;
    this.acceptedWindowBytes = options.acceptedWindowBytes ?? this.windowBytes;
    this.sendBytes = options.sendBytes ?? 2 ** 30;
    this.retransmitMs = options.retransmitMs ?? 300;
    this.#connectionCountMax = options.connectionCountMax ?? Infinity;
    this.#udpCountMax = options.udpCountMax ?? Infinity;
    this.#nextPort = Math.floor(options.world.random() * EPHEMERAL_PORT_COUNT);
  }

  hasAddress(address: string): boolean {
    return isLoopback(address) || this.interfaces.some((one) => one.address === address);
  }

  /** The way to an address now: this node itself, a neighbour, or what lies behind the gateway. */
  routeTo(address: string): Route | undefined {
    if (!this.alive) return undefined;
    if (this.hasAddress(address)) {
      return { node: this, localAddress: address, latencyMs: LOOPBACK_LATENCY_MS, segment: undefined };
    }
    for (const { address: localAddress, segment } of this.interfaces) {
      if (!sameSubnet(localAddress, address) || !segment.isReachable(this)) continue;
      const node = segment.nodes.get(address);
      if (!node?.alive || !segment.isReachable(node)) return undefined;
      return { node, localAddress, latencyMs: segment.latencyMs, segment };
    }
    return this.#routeBehindGateway(address);
  }

  /** Whether a packet to the address would leave this node at all: lwIP's own routing decision. */
  canRoute(address: string): boolean {
    if (this.hasAddress(address)) return true;
    return this.interfaces.some(
      (one) => sameSubnet(one.address, address) || one.segment.uplink !== undefined || isMulticast(address),
    );
  }

  get connectionCount(): number {
    return this.#connections.size;
  }

  /** Both ends of each connection that is open now. */
  get connections(): readonly Connection[] {
    return [...this.#connections].filter(({ state }) => state === "open");
  }

  get isFull(): boolean {
    return this.#connections.size >= this.#connectionCountMax;
  }

  /** Accepts connections on a port (0 picks one). Undefined if the port is taken. */
  listen(port: number, accept: (socket: TcpSocket) => void, policyOf?: PolicyOf): TcpListener | undefined {
    const chosen = port === 0 ? this.#freePort(this.#listeners) : port;
    if (this.#listeners.has(chosen)) return undefined;
    const close = (): void => {
      if (this.#listeners.get(chosen) === listener) this.#listeners.delete(chosen);
    };
    const listener: TcpListener = { port: chosen, accept, policyOf, connectionCount: 0, close };
    this.#listeners.set(chosen, listener);
    return listener;
  }

  /** Starts to connect; the outcome comes as an event of the socket. */
  connect(address: string, port: number): TcpSocket {
    const remoteAddress = normalizeAddress(address) ?? address;
    const socket = new TcpSocket({
      node: this,
      localAddress: this.routeTo(remoteAddress)?.localAddress ?? this.interfaces[0]?.address ?? "0.0.0.0",
      localPort: this.#ephemeralPort(),
      remoteAddress,
      remotePort: port,
      isServer: false,
    });
    this.#connections.add(socket);
    this.world.schedule(0, () => this.#sendSyn(socket, 1));
    return socket;
  }

  /** Binds a datagram socket (port 0 picks one). Undefined if the port is taken or the pool is empty. */
  bindUdp(port: number, received: (datagram: Datagram) => void): UdpSocket | undefined {
    const chosen = port === 0 ? this.#freePort(this.#udp) : port;
    if (this.#udp.has(chosen)) return undefined;
    const socket: UdpSocket = {
      port: chosen,
      received,
      groups: new Set(),
      send: (bytes, address, remotePort) => this.#sendDatagram(chosen, bytes, address, remotePort),
      close: () => {
        if (this.#udp.get(chosen) === socket) this.#udp.delete(chosen);
      },
    };
    this.#udp.set(chosen, socket);
    return socket;
  }

  get udpCount(): number {
    return this.#udp.size;
  }

  get isUdpFull(): boolean {
    return this.#udp.size >= this.#udpCountMax;
  }

  /** Drops a connection that is over. */
  forget(socket: TcpSocket): void {
    this.#connections.delete(socket);
  }

  addInterface(address: string, segment: Segment<IpNode>): void {
    this.removeInterface(segment);
    this.interfaces.push({ address, segment });
    segment.nodes.set(address, this);
  }

  removeInterface(segment: Segment<IpNode>): void {
    const index = this.interfaces.findIndex((one) => one.segment === segment);
    if (index < 0) return;
    const [removed] = this.interfaces.splice(index, 1);
    if (removed !== undefined && segment.nodes.get(removed.address) === this)
      segment.nodes.delete(removed.address);
  }

  /** The connections of an address that is no longer this node's end, as lwIP ends them. */
  abortConnectionsOf(address: string): void {
    for (const socket of [...this.#connections]) if (socket.localAddress === address) socket.fail("reset");
  }

  /** Power has gone: sockets and addresses vanish, no event is raised. */
  vanish(): void {
    this.alive = false;
    for (const socket of [...this.#connections]) socket.vanish();
    for (const { segment } of [...this.interfaces]) this.removeInterface(segment);
    this.#listeners.clear();
    this.#udp.clear();
  }

  #routeBehindGateway(address: string): Route | undefined {
    for (const { address: localAddress, segment } of this.interfaces) {
      const node = segment.isReachable(this) ? segment.uplink?.hostAt(address) : undefined;
      if (node?.alive) {
        const latencyMs = segment.latencyMs + (segment.uplink?.latencyMs ?? 0);
        return { node, localAddress, latencyMs, segment };
      }
    }
    return undefined;
  }

  #sendSyn(client: TcpSocket, count: number): void {
    if (client.state !== "connecting") return;
    const route = this.routeTo(client.remoteAddress);
    const again = (): void => {
      if (client.state !== "connecting") return;
      if (count === SYN_COUNT_MAX) client.fail("timeout");
      else this.#sendSyn(client, count + 1);
    };
    if (route === undefined) {
      this.world.schedule(SYN_INTERVAL_MS, again);
      return;
    }
    const listener = route.node.#listeners.get(client.remotePort);
    const policy = listener === undefined ? {} : policyFor(route, listener, client);
    const latencyMs = route.latencyMs + (policy.latencyMs ?? 0);
    const passes = areBothWaysOpen(this, route);
    if (!passes || policy.ignore || (listener !== undefined && route.node.isFull)) {
      this.world.schedule(SYN_INTERVAL_MS, again);
    } else if (listener === undefined || policy.refuse) {
      this.world.schedule(2 * latencyMs, () => client.fail("refused"));
    } else {
      route.node.#handshake(client, listener, makePath(this, client, route, { ...policy, latencyMs }));
    }
  }

  /** SYN arrives after one latency, SYN-ACK after two, ACK after three: the client knows before the server does. */
  #handshake(client: TcpSocket, listener: TcpListener, path: TcpPath): void {
    const { latencyMs } = path;
    const server = new TcpSocket({
      node: this,
      localAddress: client.remoteAddress,
      localPort: client.remotePort,
      remoteAddress: client.localAddress,
      remotePort: client.localPort,
      isServer: true,
    });
    this.world.schedule(latencyMs, () => {
      if (client.state !== "connecting" || !this.alive) return;
      this.#connections.add(server);
      TcpSocket.join(client, server, path);
      this.world.schedule(latencyMs, () => {
        if (client.state !== "connecting") return;
        client.open();
        client.events.connected?.();
        server.open();
        this.world.schedule(latencyMs, () => this.#established(server, listener));
      });
    });
  }

  #established(server: TcpSocket, listener: TcpListener): void {
    if (server.state === "closed") return;
    if (this.#listeners.get(listener.port) !== listener) {
      server.abort();
      return;
    }
    listener.accept(server);
  }

  #sendDatagram(fromPort: number, bytes: Uint8Array, address: string, port: number): boolean {
    const copy = bytes.slice();
    const packet = { byteCount: bytes.length, isDns: fromPort === 53 || port === 53 };
    const deliver = (node: IpNode, from: string, latencyMs: number): void => {
      this.world.schedule(latencyMs, () => node.#receiveDatagram(copy, from, fromPort, address, port));
    };
    if (isMulticast(address) || isBroadcast(address)) {
      for (const { address: from, segment } of this.interfaces) {
        if (!segment.isReachable(this)) continue;
        for (const node of new Set(segment.nodes.values())) {
          if (node !== this && segment.isReachable(node) && segment.passes(this, node, packet))
            deliver(node, from, segment.latencyMs);
        }
      }
      return this.interfaces.length > 0;
    }
    if (!this.canRoute(address)) return false;
    const route = this.routeTo(address);
    const passes = route?.segment?.passes(this, route.node, packet) ?? true;
    if (route !== undefined && passes) deliver(route.node, route.localAddress, route.latencyMs);
    return true;
  }

  #receiveDatagram(bytes: Uint8Array, address: string, fromPort: number, to: string, port: number): void {
    const socket = this.alive ? this.#udp.get(port) : undefined;
    if (socket === undefined || (isMulticast(to) && !socket.groups.has(to))) return;
    socket.received({ bytes, address, port: fromPort });
  }

  #ephemeralPort(): number {
    this.#nextPort = (this.#nextPort + 1) % EPHEMERAL_PORT_COUNT;
    return EPHEMERAL_PORT_MIN + this.#nextPort;
  }

  #freePort(taken: ReadonlyMap<number, unknown>): number {
    let port = this.#ephemeralPort();
    while (taken.has(port)) port = this.#ephemeralPort();
    return port;
  }
}

function policyFor(route: Route, listener: TcpListener, client: TcpSocket): LinkPolicy {
  const connection = { address: client.localAddress, port: listener.port, index: listener.connectionCount++ };
  return { ...route.segment?.policyOf?.(connection), ...listener.policyOf?.(connection) };
}

/** A SYN goes there and its answer comes back. */
const areBothWaysOpen = (node: IpNode, { node: other, segment }: Route): boolean =>
  segment === undefined ||
  (segment.passes(node, other, { byteCount: 0 }) && segment.passes(other, node, { byteCount: 0 }));

/** A path holds as long as the client owns its address and its route still leads to the same node. */
function makePath(
  node: IpNode,
  client: TcpSocket,
  route: Route,
  policy: LinkPolicy & { readonly latencyMs: number },
): TcpPath {
  const state = (sender: TcpSocket, byteCount = 0): "up" | "down" | "stranger" => {
    const [from, to] = sender === client ? [node, route.node] : [route.node, node];
    if (route.segment?.passes(from, to, { byteCount }) === false) return "down";
    if (sender !== client && !node.hasAddress(client.localAddress)) {
      return route.segment?.nodes.get(client.localAddress)?.alive ? "stranger" : "down";
    }
    const now = node.routeTo(client.remoteAddress);
    if (now === undefined || !node.hasAddress(client.localAddress)) return "down";
    return now.node === route.node ? "up" : "stranger";
  };
  return { world: node.world, latencyMs: policy.latencyMs, policy, state };
}
