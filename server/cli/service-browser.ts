// Looks for a service in the networks of this computer by multicast DNS (RFC 6762): asks on every IPv4 interface, a few times, and listens. Opens
// UDP sockets only, and sends to the multicast group only.

import { createSocket, type Socket } from "node:dgram";
import { networkInterfaces } from "node:os";
import { decodeDns, dnsMessage, encodeDns, TOP_BIT } from "../../host-sim/network/dns-packet.js";
import { type FoundService, ServiceAnswers } from "./service-answers.js";

const GROUP = "224.0.0.251";
const PORT = 5353;
/** When it asks, ms from its start: a device with power saving misses some multicasts. */
const ASK_AT_MS = Object.freeze([0, 400, 1_200, 2_400]);

interface Browsed {
  readonly found: readonly FoundService[];
  /** The addresses of this computer from which it has asked. */
  readonly asked: readonly string[];
}

/** @param service such as `_ota._tcp` @param seconds how long it listens */
export async function browse(service: string, seconds: number): Promise<Browsed> {
  const answers = new ServiceAnswers(service);
  const take = (packet: Uint8Array): void => {
    const message = decodeDns(packet);
    if (message) answers.take(message);
  };
  const addresses = ownAddresses();
  const askers = (await Promise.all(addresses.map((address) => openAsker(address, take)))).filter(isOpen);
  if (askers.length === 0) return { found: [], asked: [] };
  const listener = await openListener(addresses, take);
  const timers = ASK_AT_MS.filter((ms) => ms < seconds * 1000).map((ms, count) =>
    setTimeout(() => {
      // answered to this socket the first time, to the group later: a firewall may let only one of them pass
      const bit = count === 0 ? TOP_BIT : 0;
      const questions = answers.questions.map((question) => ({ ...question, class: question.class | bit }));
      const packet = encodeDns(dnsMessage({ questions }));
      for (const { socket } of askers) socket.send(packet, PORT, GROUP, () => {});
    }, ms),
  );
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  for (const timer of timers) clearTimeout(timer);
  for (const { socket } of askers) socket.close();
  listener?.close();
  return { found: answers.found, asked: askers.map(({ address }) => address) };
}

const ownAddresses = (): string[] =>
  Object.values(networkInterfaces())
    .flatMap((all) => all ?? [])
    .filter(({ family, internal }) => family === "IPv4" && !internal)
    .map(({ address }) => address);

interface Asker {
  readonly address: string;
  readonly socket: Socket;
}

const isOpen = (asker: Asker | undefined): asker is Asker => asker !== undefined;

/** Has a port of its own, so that answers to it reach it beside another mDNS program. Nothing where the interface has no multicast. */
async function openAsker(address: string, take: (packet: Uint8Array) => void): Promise<Asker | undefined> {
  const socket = await openSocket(0, address, take);
  try {
    socket?.setMulticastInterface(address);
    return socket && { address, socket };
  } catch {
    socket?.close();
    return undefined;
  }
}

/** Hears what is answered to the group. Nothing where another program has the port for itself. */
async function openListener(
  addresses: readonly string[],
  take: (packet: Uint8Array) => void,
): Promise<Socket | undefined> {
  const socket = await openSocket(PORT, "0.0.0.0", take);
  for (const address of addresses) {
    try {
      socket?.addMembership(GROUP, address);
    } catch {
      // an interface without multicast, or with a second address
    }
  }
  return socket;
}

function openSocket(
  port: number,
  address: string,
  take: (packet: Uint8Array) => void,
): Promise<Socket | undefined> {
  const socket = createSocket({ type: "udp4", reuseAddr: true });
  socket.on("message", take);
  return new Promise((resolve) => {
    socket.once("error", () => {
      socket.close();
      resolve(undefined);
    });
    socket.bind(port, address, () => {
      socket.removeAllListeners("error");
      // such as an interface that goes down: what was heard by then counts
      socket.on("error", () => {});
      resolve(socket);
    });
  });
}
