// A receiver and its transmitter in real time, faster than the clock, whose pages a real browser or curl reaches over a loopback port.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { exposeOnLoopback } from "../../host-sim/network/bridge.js";
import { type PairApp, type PairOptions, type PairRig, setUpPair } from "../journey/pair/pair-rig.js";
import { releaseOf } from "../journey/rig.js";
import { keepGoing } from "./portal-stage.js";

const LIMIT_MS = 60 * 60_000;

export interface PairStage {
  readonly pair: PairRig;
  /** Of the receiver's pages, such as `http://localhost:1234`. */
  readonly url: string;
  /** Writes an image and its release into files of their own, and returns their paths. */
  files(app: PairApp, image: Uint8Array): Promise<{ readonly image: string; readonly release: string }>;
  /** Waits, in real time, while the pair runs. */
  until(isDone: () => boolean, what: string): Promise<void>;
  said(text: string): boolean;
  close(): Promise<void>;
}

/** Both are on, set up, and hear each other. */
export async function openPairStage(options: PairOptions & { readonly speed: number }): Promise<PairStage> {
  const { speed, ...others } = options;
  const folder = mkdtempSync(join(tmpdir(), "skyslot-pair-"));
  const pair = await setUpPair({ ...others, realTime: speed });
  const { network, device, world } = pair.desk;
  const door = await exposeOnLoopback({ network, device, devicePort: 80 });
  pair.powerOn();
  const said = (text: string) => pair.lines.receiver.some((line) => line.includes(text));
  await pair.until(() => said("setup portal closed") && pair.lines.transmitter.some(isInRange), LIMIT_MS);
  const pace = keepGoing(world);
  return {
    pair,
    url: `http://localhost:${door.port}`,
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

const isInRange = (line: string): boolean => line.includes("is in range");
