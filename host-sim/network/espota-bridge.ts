/**
 * Lets espota's clients on this computer (PlatformIO, espota.py) push to a virtual device in a world in real time: their invitations
 * by UDP reach the device, and its connection back reaches the client. The client appears in the device's network as a host, which
 * leads to the invited port of this computer's loopback and to no other.
 */

import { createSocket, type RemoteInfo } from "node:dgram";
import { connect, type Socket } from "node:net";
import { tie } from "./bridge.js";
import type { IpNode, TcpListener, UdpSocket } from "./ip-node.js";
import type { VirtualNetwork } from "./virtual-network.js";

/** A client sends its invitation up to ten times, and is done with it after some seconds; the upload itself is a TCP connection. */
const MAX_CLIENTS = 8;
/** `0 <port> <size> <md5>`: what an invitation begins with. */
const INVITATION = /^\d+ (\d{1,5}) /;

interface Client {
  readonly socket: UdpSocket;
  listener?: TcpListener | undefined;
}

/**
 * @param options.guest the host that clients appear as, in the network that the device joins
 * @param options.realPort where clients send their invitations; 0 picks a free one
 * @throws what Node says about a port that is taken
 */
export async function exposeEspota(options: {
  readonly network: VirtualNetwork;
  readonly guest: IpNode;
  readonly device: { readonly name: string };
  readonly devicePort: number;
  readonly realAddress: string;
  readonly realPort: number;
}): Promise<{ readonly port: number; close(): void }> {
  const { network, guest, device, devicePort, realAddress } = options;
  const { world } = network;
  const real = createSocket("udp4");
  const clients = new Map<string, Client>();
  const uploads = new Set<Socket>();
  let isOpen = true;

  const forget = (key: string) => {
    const client = clients.get(key);
    clients.delete(key);
    client?.socket.close();
    client?.listener?.close();
  };
  const clientOf = (from: RemoteInfo): Client | undefined => {
    const key = `${from.address}:${from.port}`;
    const known = clients.get(key);
    if (known) return known;
    const [oldest] = clients.keys();
    if (clients.size >= MAX_CLIENTS && oldest !== undefined) forget(oldest);
    const socket = guest.bindUdp(0, ({ bytes }) => isOpen && real.send(bytes, from.port, from.address));
    if (!socket) return undefined;
    const client: Client = { socket };
    clients.set(key, client);
    return client;
  };
  const invited = (client: Client, port: number, address: string) => {
    if (client.listener?.port === port) return;
    client.listener?.close();
    client.listener = guest.listen(port, (socket) => {
      const upload = connect({ host: address, port });
      uploads.add(upload);
      upload.once("close", () => uploads.delete(upload));
      tie(world, socket, upload);
    });
  };

  real.on("message", (message, from) =>
    world.post(() => {
      const address = network.deviceNamed(device.name)?.stack.interfaces[0]?.address;
      const client = clientOf(from);
      if (address === undefined || !client) return;
      const [, port] = INVITATION.exec(message.toString("latin1")) ?? [];
      if (port !== undefined) invited(client, Number(port), from.address);
      client.socket.send(message, address, devicePort);
    }),
  );
  await new Promise<void>((resolve, reject) => {
    real.once("error", reject);
    real.bind(options.realPort, realAddress, resolve);
  });
  real.on("error", () => {}); // a client that has gone: its answer is lost
  return {
    port: real.address().port,
    /** Once or more. */
    close() {
      if (!isOpen) return;
      isOpen = false;
      for (const key of [...clients.keys()]) forget(key);
      for (const upload of uploads) upload.destroy();
      real.close();
    },
  };
}
