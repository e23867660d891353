// To be run by own-network.py: a home with a virtual device, whose multicast DNS leads to the real
// network and back, and `skyslot push --list` as a process there. Prints what that prints.

import { spawn } from "node:child_process";
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { LiveDevice } from "./live-device.js";

const SKYSLOT = fileURLToPath(new URL("../../bin/skyslot.js", import.meta.url));
const GROUP = "224.0.0.251";
const PORT = 5353;
const ADDRESS = "10.9.0.1";

const live = await LiveDevice.start([]);
const real = await openBridge();
const child = spawn(process.execPath, [SKYSLOT, "push", "--list", ...process.argv.slice(2)], {
  stdio: ["ignore", "inherit", "inherit"],
});
await once(child, "exit");
real.close();
await live.close();
process.exit(child.exitCode ?? 1);

/** What is asked in the real network is asked in the home; what is answered to the group there is so here, and what to the asker, to it. */
async function openBridge(): Promise<Socket> {
  const { network, home } = live.rig.desk;
  const host = network.addHost("bridge.home", `${home.segment.prefix}.251`);
  const socket = createSocket({ type: "udp4", reuseAddr: true });
  const group = host.bindUdp(PORT, ({ bytes, port }) => {
    if (port === PORT) socket.send(bytes, PORT, GROUP);
  });
  group?.groups.add(GROUP);
  socket.on("message", (packet, { address, port }) => {
    const isQuestion = ((packet[2] ?? 0) & 0x80) === 0;
    if (!isQuestion) return;
    const asker = host.bindUdp(0, ({ bytes }) => socket.send(bytes, port, address));
    asker?.send(new Uint8Array(packet), GROUP, PORT);
  });
  socket.bind(PORT, () => {
    socket.addMembership(GROUP, ADDRESS);
    socket.setMulticastInterface(ADDRESS);
  });
  await once(socket, "listening");
  return socket;
}
