// The images that the sweep's devices run and take, and their signed releases: the `base` app with the whole core and small pages,
// so that a cut at every byte of it is affordable.

import { fileURLToPath } from "node:url";
import type { JWK } from "jose";
import type { KeyPair } from "../../release/keys.js";
import { DESK_SERVER } from "../desk/desk.js";
import { buildFirmwareImage } from "../hardware/image/firmware-image.js";
import { bundleModule } from "../image-build/bundle.js";
import { keysOf, makeRelease, padded, rootsOf, type SweepRelease, THROWS_LATER, trustIn } from "./release.js";

export interface SweepImages {
  /** In the device's factory partition. */
  readonly factory: SweepRelease;
  readonly update: SweepRelease;
  readonly failing: SweepRelease;
  /** Newer than `update` and `failing`. */
  readonly later: SweepRelease;
  /** The trust root after the one that all of them have built in. */
  readonly nextRoot: string;
  /** Another one, with which a device asks for statements of freshness, and the key that signs them. */
  readonly askingRoot: string;
  readonly statementKey: JWK;
}

export const releasesOf = ({ factory, update, failing, later }: SweepImages): readonly SweepRelease[] => [
  factory,
  update,
  failing,
  later,
];

const MAIN = fileURLToPath(new URL("../../firmware/apps/base/main.ts", import.meta.url));
const PAGE = "<!doctype html><html><body>The pages of the sweep's image are left out.</body></html>";

/** What stands in for a source file of the firmware, by its path; undefined: the file itself. */
export type Replace = (path: string) => string | undefined;

/** @param imageBytes minimum size of the images, bytes */
export async function buildSweepImages(
  seed: number,
  imageBytes = 0,
  replace: Replace = () => undefined,
): Promise<SweepImages> {
  const keys = await keysOf(seed);
  const [root, nextRoot, askingRoot] = await rootsOf(keys);
  const bundle = await bundleFirmware(keys, root, replace);
  const release = (firmwareId: number, version: string, works = true): Promise<SweepRelease> => {
    const own = padded(works ? bundle : bundle + THROWS_LATER, imageBytes, version);
    const image = buildFirmwareImage({ chip: "esp32", version, project: "base", bundle: own });
    return makeRelease({ firmwareId, version, image, works }, keys);
  };
  return {
    factory: await release(1, "1.0.0"),
    update: await release(2, "1.1.0"),
    failing: await release(3, "1.1.1", false),
    later: await release(4, "1.2.0"),
    nextRoot,
    askingRoot,
    statementKey: keys.privateKey,
  };
}

async function bundleFirmware(keys: KeyPair, root: string, replace: Replace): Promise<string> {
  const config = {
    type: "base",
    hardware: "esp32",
    server: DESK_SERVER,
    ...trustIn(keys),
    root,
    checkSeconds: 120,
    trialSeconds: 30,
    trialDeadlineSeconds: 300,
  };
  return bundleModule(MAIN, {
    config,
    minify: "names",
    replace: (path) => replace(path) ?? withoutPage(path),
  });
}

function withoutPage(path: string): string | undefined {
  if (path.endsWith("/portal/setup-page.ts")) return `export const setupPage = ${JSON.stringify(PAGE)};`;
  if (path.endsWith("/portal/status-page.ts")) return `export const statusPage = ${JSON.stringify(PAGE)};`;
  return undefined;
}
