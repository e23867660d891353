// `skyslot release folder`: writes a folder of releases that any web server can serve (release/folder.ts). Never replaces a version that is
// there by another one, unless it is told to.

import type { Command } from "commander";
import type { SigningKey } from "../../release/signer.js";
import type { ReadRelease } from "../../release/signing.js";
import type { ReadSystem } from "../../release/system.js";
import type { PreviousSystem } from "../../release/system-document.js";
import { defined } from "../shared/defined.js";
import { buildImageFile, type CHIP_NAMES } from "./image.js";
import { createdNow, manifestBeside, splitName } from "./manifest-files.js";
import { printLine, show, UsageError, wholeNumber } from "./output.js";
import { type KeyFlags, readSigningKey, withKeyOptions } from "./signing-key.js";

interface FolderFlags extends KeyFlags {
  readonly name: string;
  readonly url: string;
  readonly app?: readonly string[];
  readonly appVersion?: string;
  readonly chip?: (typeof CHIP_NAMES)[number];
  readonly systemVersion?: string;
  readonly minCompatible?: string;
  readonly description?: string;
  readonly rebootDelay?: number;
  readonly healthTimeout?: number;
  readonly force?: boolean;
  readonly json?: boolean;
}

interface Written {
  readonly folder: string;
  readonly version: string;
  /** In the folder. */
  readonly files: readonly string[];
}

interface Source {
  readonly name: string | undefined;
  readonly image: Buffer;
  /** Absent: it is signed here. */
  readonly jws: string | undefined;
}

export function addFolderCommand(group: Command): void {
  withKeyOptions(group.command("folder <folder> [images...]"))
    .description(
      "write a folder of releases for any web server: images by device and version, their manifests, and that of the system; images with a manifest keep it; NAME=IMAGE to name a device otherwise than by its type",
    )
    .requiredOption("--name <name>", "the system, such as doorbell")
    .requiredOption("--url <url>", "where the folder is served, such as https://example.com/firmware")
    .option("--app <name...>", "build these apps instead of taking images, for virtual devices")
    .option("--app-version <version>", "with --app: their version")
    .option("--chip <chip>", "with --app: chip of the images", "esp32")
    .option("--system-version <version>", "version of the system (default: that of its releases)")
    .option("--min-compatible <version>", "oldest version of the system that may be updated to this one")
    .option("--description <text>", "for people, at most 200 characters")
    .option(
      "--reboot-delay <seconds>",
      "wait before an updated device is asked for its health (default: 5)",
      wholeNumber,
    )
    .option(
      "--health-timeout <seconds>",
      "until when it has to be healthy, or all go back (default: 30)",
      wholeNumber,
    )
    .option("--force", "replace what is there, and let `latest` go back to an older version")
    .option("--json", "print one JSON object")
    .action((folder: string, images: readonly string[], flags: FolderFlags) =>
      show(flags, writeFolder(folder, images, flags), ({ version, files }) => {
        printLine(`${folder}: ${flags.name} ${version}`);
        for (const file of files) printLine(`  ${file}`);
      }),
    );
}

async function writeFolder(folder: string, images: readonly string[], flags: FolderFlags): Promise<Written> {
  const { planFolder } = await import("../../release/folder.js");
  const key = await readSigningKey(flags);
  const sources = flags.app ? await build(flags) : await Promise.all(images.map(readSource));
  if (sources.length === 0)
    throw new UsageError("there is nothing to release: name images, or apps with --app");
  const created = createdNow();
  const releases = [];
  for (const { name, image, jws } of sources) {
    const read = await signOrKeep(folder, name, image, jws, key, created);
    releases.push({ name: name ?? read.release.type, image, read });
  }
  const signed = await signSystemOrKeep(folder, releases, flags, key, created);
  const { version } = signed.system;
  const previous = await findPrevious(folder, signed);
  const url = flags.url.replace(/\/+$/, "");
  if (!/^https?:\/\/./.test(url))
    throw new UsageError(`"${flags.url}" is not a URL such as https://example.com/firmware`);
  const files = await planFolder(releases, signed, url, previous);
  if (!flags.force) await refuseReplacing(folder, files, signed, releases);
  await write(folder, files);
  return { folder, version, files: files.map(({ path }) => path) };
}

async function readSource(text: string): Promise<Source> {
  const { readFile } = await import("node:fs/promises");
  const { name, file } = splitName(text);
  const jws = await readFile(manifestBeside(file), "utf8").catch(absent);
  return { name, image: await readFile(file), jws: jws?.trim() };
}

/** A file that is not there. */
function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code === "ENOENT") return undefined;
  throw error;
}

async function build({ app = [], appVersion, chip = "esp32", url }: FolderFlags): Promise<readonly Source[]> {
  const { mkdtemp, readFile, rm } = await import("node:fs/promises");
  const { tmpdir } = await import("node:os");
  const { join } = await import("node:path");
  if (appVersion === undefined) throw new UsageError("the version of the apps is missing: --app-version");
  const folder = await mkdtemp(join(tmpdir(), "skyslot-folder-"));
  try {
    const sources: Source[] = [];
    for (const name of app) {
      const out = join(folder, `${sources.length}.bin`);
      await buildImageFile({ app: name, appVersion, chip, server: new URL(url).origin, out });
      sources.push({ name: undefined, image: await readFile(out), jws: undefined });
    }
    return sources;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Signatures differ each time: one of the same image that is in the folder is kept, so that a folder that is written again is the same. */
async function signOrKeep(
  folder: string,
  name: string | undefined,
  image: Buffer,
  jws: string | undefined,
  key: SigningKey,
  created: number,
): Promise<ReadRelease> {
  const { readdir, readFile } = await import("node:fs/promises");
  const { join } = await import("node:path");
  const { describeRelease } = await import("../../release/describe.js");
  const { readRelease, signRelease } = await import("../../release/signing.js");
  if (jws !== undefined) return readRelease(jws);
  const payload = describeRelease(image, { created });
  const device = join(folder, name ?? payload.type);
  const known = await readdir(device).catch(absent);
  for (const file of known ?? []) {
    if (!file.endsWith(".release.jws")) continue;
    const read = readRelease((await readFile(join(device, file), "utf8")).trim());
    if (read.release.sha256 === payload.sha256) return read;
  }
  return readRelease(await signRelease(payload, key));
}

async function signSystemOrKeep(
  folder: string,
  releases: readonly { readonly name: string; readonly read: ReadRelease }[],
  flags: FolderFlags,
  key: SigningKey,
  created: number,
): Promise<ReadSystem> {
  const { describeSystem, readSystem, signSystem } = await import("../../release/system.js");
  const members = releases.map(({ name, read }) => ({ name, release: read.release }));
  const payload = describeSystem(members, {
    name: flags.name,
    created,
    ...defined({
      version: flags.systemVersion,
      minCompatibleVersion: flags.minCompatible,
      description: flags.description,
      rebootDelaySeconds: flags.rebootDelay,
      healthTimeoutSeconds: flags.healthTimeout,
    }),
  });
  const known = (await readManifest(folder, `manifest_v${payload.version}.json`))?.manifest;
  if (known !== undefined) {
    const read = readSystem(known);
    const { parsedVersion: _, ...before } = read.system;
    if (JSON.stringify({ ...before, created }) === JSON.stringify(payload)) return read;
  }
  return readSystem(await signSystem(payload, key));
}

interface Manifest {
  readonly manifest: string;
  readonly system_version: string;
  readonly devices: Readonly<Record<string, { readonly firmware_url: string }>>;
}

async function readManifest(folder: string, file: string): Promise<Manifest | undefined> {
  const { readFile } = await import("node:fs/promises");
  const { join } = await import("node:path");
  const text = await readFile(join(folder, file), "utf8").catch(absent);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as Manifest;
  } catch {
    throw new UsageError(`${join(folder, file)} is not JSON: remove it`);
  }
}

/** The newest version in the folder that is older than this one. */
async function findPrevious(folder: string, { system }: ReadSystem): Promise<PreviousSystem | undefined> {
  const { readdir } = await import("node:fs/promises");
  const { compareVersions, parseVersion } = await import("../../firmware/core/update/version.js");
  const versions = ((await readdir(folder).catch(absent)) ?? [])
    .flatMap((file) => parseVersion(/^manifest_v(.+)\.json$/.exec(file)?.[1] ?? "") ?? [])
    .filter((version) => compareVersions(version, system.parsedVersion) < 0)
    .sort((a, b) => compareVersions(b, a));
  const { versionName } = await import("../../firmware/core/update/version.js");
  const [newest] = versions;
  const manifest = newest && (await readManifest(folder, `manifest_v${versionName(newest)}.json`));
  if (!manifest) return undefined;
  const urls = Object.entries(manifest.devices).map(
    ([name, { firmware_url }]) => [name, firmware_url] as const,
  );
  return { version: manifest.system_version, urls };
}

/** @throws UsageError that says what is there */
async function refuseReplacing(
  folder: string,
  files: Awaited<ReturnType<typeof import("../../release/folder.js").planFolder>>,
  { system }: ReadSystem,
  releases: readonly { readonly name: string; readonly read: ReadRelease }[],
): Promise<void> {
  const { readdir, readFile } = await import("node:fs/promises");
  const { join } = await import("node:path");
  const { isImageOf, stemOf } = await import("../../release/folder.js");
  const { compareVersions, readRunningVersion } = await import("../../firmware/core/update/version.js");
  const force = "raise the version, or use --force";
  for (const { name, read } of releases) {
    const { version, created } = read.release;
    const own = `${stemOf(name, version, created)}.bin`;
    const others = ((await readdir(join(folder, name)).catch(absent)) ?? []).filter(
      (file) => file !== own && isImageOf(file, name, version),
    );
    if (others[0])
      throw new UsageError(`${join(folder, name, others[0])} is another ${name} ${version}: ${force}`);
  }
  for (const { path, content, isVersioned } of files) {
    if (!isVersioned) continue;
    const known = await readFile(join(folder, path)).catch(absent);
    if (known && !known.equals(Buffer.from(content)))
      throw new UsageError(`${join(folder, path)} is there with another content: ${force}`);
  }
  const latest = await readManifest(folder, "manifest.json");
  if (latest && compareVersions(readRunningVersion(latest.system_version), system.parsedVersion) > 0)
    throw new UsageError(
      `the latest version in ${folder} is ${latest.system_version}, newer than ${system.version}: ${force}`,
    );
}

/** Each file whole or not at all, the manifests last: a device that polls meanwhile finds what it is told of. */
async function write(
  folder: string,
  files: Awaited<ReturnType<typeof import("../../release/folder.js").planFolder>>,
): Promise<void> {
  const { mkdir, rename, writeFile } = await import("node:fs/promises");
  const { dirname, join } = await import("node:path");
  for (const { path, content } of files) {
    const file = join(folder, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(`${file}.new`, content);
    await rename(`${file}.new`, file);
  }
}
