// Ports of this machine, for services that cannot choose one by themselves.

import { type AddressInfo, connect, createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

const TRY_COUNT = 200;

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Returns when something listens on the port. @throws Error if nothing does for some seconds */
export async function answering(port: number): Promise<void> {
  for (let tryCount = 1; ; tryCount++) {
    try {
      return await new Promise<void>((resolve, reject) => {
        const socket = connect(port, "127.0.0.1", () => {
          socket.destroy();
          resolve();
        });
        socket.once("error", reject);
      });
    } catch (error) {
      if (tryCount === TRY_COUNT) throw error;
      await sleep(25);
    }
  }
}
