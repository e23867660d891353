// Where virtual devices find the update server: on this machine only, by the name that their firmware calls it.

import { isLoopback } from "../api/guard.js";
import { DESK_SERVER_NAME } from "./image.js";
import { UsageError } from "./output.js";

const DESK_HOST = new URL(DESK_SERVER_NAME).hostname;

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
