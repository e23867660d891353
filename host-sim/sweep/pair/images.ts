// What the pair of the sweep runs and takes: firmware of the apps `receiver` and `transmitter`, as systems of two releases each. Each version
// speaks a protocol of its own, so that two devices of different versions never fit.
//
// An image holds the name of its firmware, not the firmware itself, and so has two chunks instead of twenty: what happens to a
// slot is the same for each chunk.

import { fileURLToPath } from "node:url";
import type { KeyPair } from "../../../release/keys.js";
import { readRelease } from "../../../release/signing.js";
import { describeSystem, signSystem } from "../../../release/system.js";
import { DESK_SERVER } from "../../desk/desk.js";
import { type Engine, v8Engine } from "../../engine/engine.js";
import { buildFirmwareImage } from "../../hardware/image/firmware-image.js";
import { bundleModule } from "../../image-build/bundle.js";
import type { Replace } from "../images.js";
import {
  CREATED,
  keysOf,
  makeRelease,
  padded,
  type SweepRelease,
  THROWS_LATER,
  trustIn,
} from "../release.js";

export const APPS = Object.freeze(["receiver", "transmitter"] as const);
export type PairApp = (typeof APPS)[number];

/** Name of the system. */
export const SYSTEM = "pair";

export interface PairSystem {
  readonly version: string;
  readonly releases: Readonly<Record<PairApp, SweepRelease>>;
  /** Signed. */
  readonly manifest: string;
}

export interface PairImages {
  /** In the devices' factory partitions. */
  readonly factory: PairSystem;
  readonly update: PairSystem;
  /** Of each of these one image crashes on its trial. */
  readonly crashing: Readonly<Record<PairApp, PairSystem>>;
  /** Its two images say that they fit, and do not: both pass their trials, and never understand each other. */
  readonly misfit: PairSystem;
  /** Newer than all of these. */
  readonly later: PairSystem;
  /** The firmware that images name, by its name. */
  readonly firmware: Readonly<Record<string, string>>;
}

/** What a firmware is; its name in an image. */
interface Build {
  readonly app: PairApp;
  /** Of its data packets. */
  readonly protocol: number;
  readonly works: boolean;
}

/** A chunk, and a part of one. */
const IMAGE_BYTES = 20 * 1024;
const PAGE = "<!doctype html><html><body>The pages of the sweep's images are left out.</body></html>";
const PAGES: readonly string[] = Object.freeze(["setup-page", "status-page", "pair-page"]);
const NAME_MARK = "//firmware ";

/** Quick, so that little idle time is simulated. */
const PACE = Object.freeze({
  checkSeconds: 30,
  trialSeconds: 10,
  trialDeadlineSeconds: 120,
  telemetrySeconds: 10,
});

/** @param replace source that the firmware is built with instead of a file's own, by the file's path */
export async function buildPairImages(seed: number, replace: Replace = () => undefined): Promise<PairImages> {
  const keys = await keysOf(seed);
  const firmware: Record<string, string> = {};
  let firmwareId = 0;

  const release = async (version: string, build: Build, claimed = build.protocol): Promise<SweepRelease> => {
    const name = nameOf(build);
    firmware[name] ??= await bundleFirmware(build, keys, replace);
    firmwareId += 1;
    const image = buildFirmwareImage({
      chip: "esp32",
      version,
      project: build.app,
      bundle: padded(NAME_MARK + name, IMAGE_BYTES, `${version}/${name}`),
      pair: { protocol: claimed, minCompatible: 0 },
    });
    return makeRelease({ firmwareId, version, image, works: build.works }, keys);
  };
  const system = async (version: string, releases: PairSystem["releases"]): Promise<PairSystem> => {
    const members = APPS.map((app) => ({ release: readRelease(releases[app].manifest).release }));
    const payload = describeSystem(members, { name: SYSTEM, version, created: CREATED });
    return { version, releases, manifest: await signSystem(payload, keys.privateKey) };
  };
  const working = async (version: string, protocol: number): Promise<PairSystem> =>
    system(version, {
      receiver: await release(version, { app: "receiver", protocol, works: true }),
      transmitter: await release(version, { app: "transmitter", protocol, works: true }),
    });
  const crashing = async (version: string, failing: PairApp): Promise<PairSystem> =>
    system(version, {
      receiver: await release(version, { app: "receiver", protocol: 2, works: failing !== "receiver" }),
      transmitter: await release(version, {
        app: "transmitter",
        protocol: 2,
        works: failing !== "transmitter",
      }),
    });
  return {
    factory: await working("1.0.0", 1),
    update: await working("1.1.0", 2),
    crashing: {
      receiver: await crashing("1.1.1", "receiver"),
      transmitter: await crashing("1.1.2", "transmitter"),
    },
    misfit: await system("1.1.3", {
      receiver: await release("1.1.3", { app: "receiver", protocol: 2, works: true }),
      transmitter: await release("1.1.3", { app: "transmitter", protocol: 4, works: true }, 2),
    }),
    later: await working("1.2.0", 3),
    firmware,
  };
}

const nameOf = ({ app, protocol, works }: Build): string => `${app}-${protocol}${works ? "" : "-crashes"}`;

async function bundleFirmware(
  { app, protocol, works }: Build,
  keys: KeyPair,
  replace: Replace,
): Promise<string> {
  const config = {
    type: app,
    hardware: "esp32",
    server: DESK_SERVER,
    ...trustIn(keys),
    ...PACE,
    protocolVersion: protocol,
    system: SYSTEM,
  };
  const main = fileURLToPath(new URL(`../../../firmware/apps/${app}/main.ts`, import.meta.url));
  const bundle = await bundleModule(main, {
    config,
    minify: "names",
    replace: (path) => replace(path) ?? withoutPage(path),
  });
  return works ? bundle : bundle + THROWS_LATER;
}

function withoutPage(path: string): string | undefined {
  const page = PAGES.find((name) => path.endsWith(`/${name}.ts`) && path.includes("/portal/"));
  const exported = page?.replace(/-p/, "P");
  return exported && `export const ${exported} = ${JSON.stringify(PAGE)};`;
}

/** Runs the firmware that an image names. */
export const namedFirmware = ({ firmware }: Pick<PairImages, "firmware">): Engine => ({
  start(bundle) {
    const name = bundle.startsWith(NAME_MARK) ? bundle.slice(NAME_MARK.length).split("\n", 1)[0] : undefined;
    return v8Engine.start((name !== undefined && firmware[name]) || bundle);
  },
});
