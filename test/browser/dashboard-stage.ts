// A real update server on loopback with one release, and devices, each on its own desk, that check with it. The devices' time runs
// faster than the server's, which is real time.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Desk, type DeskOptions } from "../../host-sim/desk/desk.js";
import { describeRelease } from "../../release/describe.js";
import { signRelease } from "../../release/signing.js";
import { startServer } from "../../server/start.js";
import { imageOf, releaseKeys } from "../journey/rig.js";
import { keepGoing } from "./portal-stage.js";

/** The trial run of the update, in the device's seconds: long enough to be seen. */
const TRIAL_SECONDS = 8;

export interface DashboardStage {
  /** Of the server, without a trailing slash. */
  readonly url: string;
  /** Opening it creates the first administrator. */
  readonly setupUrl: string;
  /** Uploads another release; `app` as in imageOf. */
  release(app: string, version: string): Promise<void>;
  /** Another new device, and a person who sets it up through its portal. Another seed is another device. */
  powerOn(options?: Pick<DeskOptions, "seed" | "policyOf">): Promise<void>;
  close(): Promise<void>;
}

export async function openDashboardStage(options: {
  readonly speed: number;
  /** App and version of each; one of `base` 1.1.0 by default. */
  readonly releases?: readonly (readonly [app: string, version: string])[];
  /** Reads require a token even from this computer. */
  readonly isGuarded?: boolean;
}): Promise<DashboardStage> {
  const folder = await mkdtemp(join(tmpdir(), "skyslot-dashboard-"));
  const keys = await releaseKeys();
  const server = await startServer({
    dataDir: folder,
    port: 0,
    ...(options.isGuarded ? { settings: { openReads: false } } : {}),
  });
  const release = async (app: string, version: string): Promise<void> => {
    const image = await imageOf(app, version, "esp32", { trialSeconds: TRIAL_SECONDS });
    const payload = describeRelease(image, { created: Math.floor(Date.now() / 1000), type: "base" });
    const form = new FormData();
    form.set("release", await signRelease(payload, keys.privateKey));
    form.set("file", new Blob([Buffer.from(image)]), "firmware.bin");
    const answer = await fetch(`${server.url}/api/ota/admin/upload`, {
      method: "POST",
      headers: { authorization: `Bearer ${server.adminToken}` },
      body: form,
    });
    if (!answer.ok) throw new Error(`upload was answered ${answer.status}: ${await answer.text()}`);
  };
  for (const [app, version] of options.releases ?? [["base", "1.1.0"]]) await release(app, version);
  const stops: (() => void)[] = [];
  const powerOn: DashboardStage["powerOn"] = async (more = {}) => {
    const desk = new Desk({
      image: await imageOf("base", "1.0.0", "esp32", { trialSeconds: TRIAL_SECONDS }),
      server: { loopbackPort: Number(new URL(server.url).port) },
      realTime: options.speed,
      ...more,
    });
    const pace = keepGoing(desk.world);
    desk.device.powerOn();
    stops.push(() => {
      pace.stop();
      desk.device.powerOff();
    });
  };
  return {
    url: server.url,
    setupUrl: server.setupUrl ?? "",
    release,
    powerOn,
    async close() {
      for (const stop of stops) stop();
      await server.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
