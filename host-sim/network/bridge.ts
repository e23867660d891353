/**
 * Real sockets for a world in real time: a virtual host's port that leads to a real loopback port, and a real loopback
 * port that leads to a device's server, for a browser. Only loopback addresses (127.0.0.0/8), never another interface.
 */

import { createServer, connect as realConnect, type Server, type Socket } from "node:net";
import type { World } from "../world/world.js";
import { type Rewrite, translator } from "./browser-names.js";
import { IpNode, type TcpListener } from "./ip-node.js";
import type { PolicyOf } from "./link-policy.js";
import type { TcpSocket } from "./tcp-socket.js";
import type { VirtualNetwork } from "./virtual-network.js";

const LOOPBACK = "127.0.0.1";

/** Connections to the virtual host's port go on to a real port of this computer. */
export function bridgeToLoopback(options: {
  world: World;
  host: IpNode;
  port: number;
  realPort: number;
  policyOf?: PolicyOf | undefined;
}): TcpListener {
  const { world, host, port, realPort } = options;
  const accept = (socket: TcpSocket): void => {
    tie(world, socket, realConnect({ host: LOOPBACK, port: realPort }));
  };
  const listener = host.listen(port, accept, options.policyOf);
  if (listener === undefined) throw new Error(`port ${port} of ${host.name} is taken`);
  return listener;
}

/** A port of this computer that leads to a device. */
export interface Door {
  /** In the loopback range. */
  readonly address: string;
  readonly port: number;
  close(): void;
}

/**
 * Opens a real port that leads to a device's port, over restarts of the device.
 * @param options.realPort 0 picks a free one
 * @param options.realAddress in the loopback range; default: 127.0.0.1
 * @param options.isHttp what a browser says is translated (default); otherwise every byte passes as it comes
 * @throws what Node says about a port that is taken
 */
export async function exposeOnLoopback(options: {
  network: VirtualNetwork;
  device: { readonly name: string };
  devicePort: number;
  realPort?: number;
  realAddress?: string;
  isHttp?: boolean;
}): Promise<Door> {
  const { network, device, devicePort, isHttp = true } = options;
  const { world } = network;
  const address = options.realAddress ?? LOOPBACK;
  const reals = new Set<Socket>();
  const server: Server = createServer((real) => {
    reals.add(real);
    real.once("close", () => reals.delete(real));
    world.post(() => {
      const visitor = visitorOf(network, device.name);
      if (visitor === undefined) return real.destroy();
      const socket = visitor.node.connect(visitor.address, devicePort);
      if (!isHttp) return tie(world, socket, real);
      const { toDevice, toBrowser } = translator(visitor.address);
      tie(world, socket, real, toDevice, toBrowser);
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.realPort ?? 0, address, resolve);
  });
  const close = (): void => {
    server.close();
    for (const real of reals) real.destroy();
  };
  return { address, port: (server.address() as { port: number }).port, close };
}

/** A host in the device's network: a cable straight to the device's stack. */
function visitorOf(network: VirtualNetwork, name: string): { node: IpNode; address: string } | undefined {
  const stack = network.deviceNamed(name)?.stack;
  const address = stack?.interfaces[0]?.address;
  if (stack === undefined || address === undefined) return undefined;
  const node = new IpNode({ world: network.world, name: "browser" });
  node.routeTo = (to) => {
    if (!stack.alive || !stack.hasAddress(to)) return undefined;
    return { node: stack, localAddress: "192.168.4.254", latencyMs: 1, segment: undefined };
  };
  node.hasAddress = () => true;
  return { node, address };
}

const NOTHING = new Uint8Array();
const unchanged: Rewrite = (bytes) => bytes;

/** Copies bytes both ways; an end or an error of one side ends the other. */
export function tie(
  world: World,
  socket: TcpSocket,
  real: Socket,
  toSocket: Rewrite = unchanged,
  toReal: Rewrite = unchanged,
): void {
  const forward = (): void => {
    const bytes = toReal(socket.read(), false);
    if (bytes.length > 0) real.write(bytes);
  };
  socket.events = {
    received: forward,
    ended: () => {
      forward();
      real.end(toReal(NOTHING, true));
    },
    failed: () => real.destroy(),
  };
  forward();
  if (socket.hasEnded) real.end();
  const early: Uint8Array[] = [];
  socket.events.connected = () => {
    for (const bytes of early.splice(0)) socket.write(bytes);
  };
  real.on("data", (data) =>
    world.post(() => {
      const bytes = toSocket(data, false);
      if (socket.state === "connecting") early.push(bytes);
      else socket.write(bytes);
    }),
  );
  real.on("end", () => world.post(() => socket.close()));
  real.on("error", () => world.post(() => socket.abort()));
  real.on("close", () => world.post(() => socket.close()));
}
