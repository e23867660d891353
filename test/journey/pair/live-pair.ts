// A receiver and its transmitter in real time, faster than the clock, whose pages a real browser or curl reaches over a loopback port.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { OWNER_TOKEN } from "../../../host-sim/desk/desk.js";
import { bridgeToLoopback, exposeOnLoopback } from "../../../host-sim/network/bridge.js";
import { keepGoing } from "../../browser/portal-stage.js";
import { releaseOf } from "../rig.js";
import { type PairApp, type PairOptions, type PairRig, setUpPair } from "./pair-rig.js";

const LIMIT_MS = 60 * 60_000;
/** Last part of the address of what is added to the network. */
const FIRST_SERVICE = 210;

export interface LivePair {
  readonly pair: PairRig;
  /** Of the receiver's pages, such as `http://localhost:1234`. */
  readonly url: string;
  /** Writes an image and its release into files of their own, and returns their paths. */
  files(app: PairApp, image: Uint8Array): Promise<{ readonly image: string; readonly release: string }>;
  /** What the receiver answers to a GET or, with a body, to a POST of its owner. */
  ask(
    path: string,
    body?: object,
  ): Promise<{ readonly status: number; readonly value: Record<string, unknown> }>;
  /** Sends an image for one of the two, with its release. */
  upload(app: PairApp, image: Uint8Array): Promise<number>;
  /** A host in the home network whose port is a port of this computer; returns its address. */
  addService(name: string, port: number, realPort: number): string;
  /** Waits, in real time, while the pair runs. */
  until(isDone: () => boolean, what: string): Promise<void>;
  said(text: string): boolean;
  close(): Promise<void>;
}

/** Both are on, set up, and hear each other. */
export async function openLivePair(options: PairOptions & { readonly speed: number }): Promise<LivePair> {
  const { speed, ...others } = options;
  const folder = mkdtempSync(join(tmpdir(), "skyslot-pair-"));
  const pair = await setUpPair({ ...others, realTime: speed });
  const { network, device, world } = pair.desk;
  const door = await exposeOnLoopback({ network, device, devicePort: 80 });
  pair.powerOn();
  const said = (text: string) => pair.lines.receiver.some((line) => line.includes(text));
  await pair.until(() => said("setup portal closed") && said("the transmitter sends data"), LIMIT_MS);
  const pace = keepGoing(world);
  const url = `http://localhost:${door.port}`;
  const headers = { authorization: `Bearer ${OWNER_TOKEN}` };
  const ask: LivePair["ask"] = async (path, body) => {
    const options = body && {
      method: "POST",
      headers: { ...headers, "content-type": "application/json" },
      body: JSON.stringify(body),
    };
    const answer = await fetch(url + path, options ?? {});
    return { status: answer.status, value: (await answer.json()) as Record<string, unknown> };
  };
  return {
    pair,
    url,
    ask,
    async upload(app, image) {
      await ask("/api/ota/release", { release: await releaseOf(image) });
      const path = `/api/ota/upload?device=${app}`;
      const body = image as Uint8Array<ArrayBuffer>;
      return (await fetch(url + path, { method: "POST", headers, body })).status;
    },
    addService(name, port, realPort) {
      const address = `${pair.desk.home.segment.prefix}.${FIRST_SERVICE}`;
      bridgeToLoopback({ world, host: network.addHost(name, address), port, realPort });
      return address;
    },
    said,
    async files(app, image) {
      const paths = { image: join(folder, `${app}.bin`), release: join(folder, `${app}.release.jws`) };
      writeFileSync(paths.image, image);
      writeFileSync(paths.release, await releaseOf(image));
      return paths;
    },
    async until(isDone, what) {
      for (let tries = 0; !isDone(); tries++) {
        if (tries > 6_000) throw new Error(`not in time: ${what}\n${pair.trace.slice(-10).join("\n")}`);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },
    async close() {
      pace.stop();
      door.close();
      await pair.close();
      rmSync(folder, { recursive: true });
    },
  };
}
