// Where virtual devices find the update server: on this machine only, by the name that their firmware calls it.

import { isLoopback } from "../api/guard.js";
import { UsageError } from "./output.js";

/** Name of the update server in the virtual network: DESK_SERVER of host-sim/desk/desk.ts, which is imported only when needed. */
export const DESK_HOST = "updates.skyslot.test";
export const DESK_SERVER_NAME = `http://${DESK_HOST}:8080`;

export interface SimServer {
  /** On 127.0.0.1. */
  readonly port: number;
  /** What the devices' firmware calls it. */
  readonly url: string;
}

/**
 * A loopback address is the device itself to a device, so it calls the server by the desk's name instead; any other name is the devices' too, as in the
 * server's certificate.
 * @throws UsageError if the server is not on this machine
 */
export async function simServer(server: string): Promise<SimServer> {
  const { hostname, protocol, port: given } = new URL(server);
  const port = Number(given || (protocol === "https:" ? 443 : 80));
  if (!(await isThisMachine(hostname))) throw new UsageError(`${server} is not a server on this machine`);
  if (!isLoopback(hostname)) return { port, url: `${protocol}//${hostname}:${port}` };
  return { port, url: protocol === "https:" ? `https://${DESK_HOST}:${port}` : DESK_SERVER_NAME };
}

async function isThisMachine(hostname: string): Promise<boolean> {
  if (isLoopback(hostname) || hostname === DESK_HOST) return true;
  const { lookup } = await import("node:dns/promises");
  const { networkInterfaces } = await import("node:os");
  const own = Object.values(networkInterfaces()).flatMap((each) => each?.map(({ address }) => address) ?? []);
  const found = await lookup(hostname, { all: true }).catch(() => []);
  return found.some(({ address }) => isLoopback(address) || own.includes(address));
}
