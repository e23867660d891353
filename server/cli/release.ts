// `skyslot release`: signs and uploads images. The manifest is next to the image: base-1.1.0.bin, base-1.1.0.release.jws.

import { type Command, Option } from "commander";
import type { ReleasePayload } from "../../firmware/core/wire.js";
import type { FirmwareView } from "../api/release-views.js";
import { defined } from "../shared/defined.js";
import { describeRollouts, isWithheld } from "../shared/rollout-offering.js";
import type { RolloutView } from "../shared/rollout-view.js";
import { callServer, commandsOf, type ServerFlags } from "./client.js";
import { addListCommand } from "./firmware-list.js";
import { createdNow, manifestBeside, readTime } from "./manifest-files.js";
import { show, sizeText, UsageError, wholeNumber } from "./output.js";
import { addFolderCommand } from "./release-folder.js";
import { addNotesCommand } from "./release-notes.js";
import { readLineFrom } from "./secret-input.js";
import { addSignPageCommand } from "./sign-page.js";
import { type KeyFlags, readSigningKey, withKeyOptions } from "./signing-key.js";

interface Json {
  readonly json?: boolean;
}

export interface SignFlags extends KeyFlags {
  readonly type?: string;
  readonly hardware?: string;
  readonly minCurrent?: string;
  readonly expires?: string;
  readonly protocolVersion?: number;
  readonly minCompatible?: string;
  readonly chunkSize?: number;
  readonly format?: ReleasePayload["format"];
  readonly sequence?: number | true;
  readonly minRoot?: number;
  readonly addSignature?: boolean;
  readonly out?: string;
}

export interface SignedFile
  extends Pick<
    ReleasePayload,
    "format" | "type" | "hardware" | "chip" | "version" | "build" | "size" | "sha256"
  > {
  /** The manifest. */
  readonly file: string;
  /** Ids of the keys that have signed it. */
  readonly signers: readonly string[];
}

export interface UploadFlags extends ServerFlags {
  readonly release?: string;
  readonly unstable?: boolean;
  readonly inactive?: boolean;
  readonly minCurrent?: string;
  readonly notes?: string;
  /** Of firmware without a manifest. */
  readonly deviceType?: string;
  /** The server makes its type legacy. */
  readonly makeLegacy?: boolean;
  readonly firmwareVersion?: string;
  readonly build?: number;
  readonly hardware?: string;
}

export function releaseCommand(program: Command): void {
  const release = program.command("release").description("sign firmware images and upload them");
  withKeyOptions(release.command("sign <firmware>"))
    .description(
      "write the signed manifest of an image; version, chip and project are read from the image itself",
    )
    .option("--type <type>", "device type (default: the image's project name)")
    .option("--hardware <name>", "board (default: the chip's name)")
    .option("--min-current <version>", "oldest version from which a device may install this directly")
    .option(
      "--expires <time>",
      "last day (UTC) or time at which it may be installed (ISO 8601), or days from now, such as 90d",
    )
    .option("--protocol-version <n>", "protocol version between peers (default: 1)", wholeNumber)
    .option("--min-compatible <version>", "oldest version of its peer that a device of a pair works with")
    .option(
      "--chunk-size <bytes>",
      "chunk size, a multiple of 4096 (default: 16384, above 8 MiB 32768)",
      wholeNumber,
    )
    .addOption(
      new Option(
        "--format <n>",
        "manifest format (default: 2); 1 is for firmware that does not know 2: the manifest grows with the image, up to 6144 characters; 3 has room for two signatures",
      )
        .choices(["1", "2", "3"])
        .argParser(readFormat),
    )
    .option(
      "--sequence [n]",
      "its place among the releases of its type: devices refuse an earlier one later (default: seconds since 1970; always in format 3)",
      wholeNumber,
    )
    .option("--min-root <n>", "oldest trust root with which devices may install it", wholeNumber)
    .option(
      "--add-signature",
      "add a second signature to the manifest of format 3 that is there, once it agrees with the image",
    )
    .option("--out <file>", "manifest file (default: FIRMWARE.release.jws)")
    .option("--json", "print one JSON object")
    .action((firmware: string, flags: SignFlags & Json) =>
      show(
        flags,
        flags.addSignature ? addSignature(firmware, flags) : signReleaseFile(firmware, flags),
        ({ file, type, version, build, hardware, size, signers }) =>
          `${file}: ${type} ${version}${build > 0 ? ` build ${build}` : ""} for ${hardware}, ${sizeText(size)}${signers.length > 1 ? `, signed by ${signers.join(" and ")}` : ""}`,
      ),
    );
  addFolderCommand(release);
  addSignPageCommand(release);
  addUploadCommand(release);
  release
    .command("verify <firmware>")
    .description("check an image against its signed manifest, as a device does")
    .requiredOption("--key <file...>", "public keys, one of which must have signed it")
    .option("--threshold <n>", "how many of them must have signed it", wholeNumber, 1)
    .option("--release <file>", "the manifest (default: FIRMWARE.release.jws)")
    .option("--json", "print one JSON object")
    .action(verify);
  addListCommand(commandsOf(release));
  addNotesCommand(release);
  addDeleteCommand(release);
  for (const [name, description, changes] of CHANGES) {
    commandsOf(release)(`${name} <id>`, description).action(async (id: string, flags: ServerFlags) => {
      const line = `PATCH /api/ota/admin/firmware/${wholeNumber(id)}`;
      const changed = await callServer<FirmwareView>(flags, line, changes);
      const state = flags.json ? "" : await describeState(changed, flags);
      await show(flags, changed, () => `firmware ${id}: ${changed.device_type} ${changed.version}, ${state}`);
    });
  }
}

function addDeleteCommand(group: Command): void {
  commandsOf(group)(
    "delete <id>",
    "delete inactive firmware for good, with its attempts and ended rollouts, if nothing runs or needs it",
  )
    .option("--yes", "do not ask for confirmation")
    .action(async (id: string, { yes, ...flags }: ServerFlags & { readonly yes?: boolean }) => {
      const path = `/api/ota/admin/firmware/${wholeNumber(id)}`;
      const { device_type, version } = await callServer<FirmwareView>(flags, `GET ${path}`);
      const question = `delete ${device_type} ${version} for good? [y/N] `;
      if (!yes && !/^y(es)?$/i.test(await readLineFrom(question, "use --yes to delete it")))
        throw new Error("nothing was deleted");
      const answer = callServer<FirmwareView>(flags, `DELETE ${path}?permanently=true`);
      await show(flags, answer, () => `firmware ${id}: ${device_type} ${version} was deleted`);
    });
}

const CHANGES: readonly (readonly [name: string, description: string, changes: object])[] = Object.freeze([
  ["promote", "make firmware stable: it is offered without a rollout", { is_stable: true }],
  ["demote", "make firmware unstable: it is offered by rollouts only", { is_stable: false }],
  ["activate", "allow downloads of firmware again", { is_active: true }],
  ["deactivate", "stop offering firmware, and refuse downloads", { is_active: false }],
]);

/** Also says whether rollouts limit what `stable` offers. */
async function describeState(
  { id, is_active, is_stable }: FirmwareView,
  flags: ServerFlags,
): Promise<string> {
  if (!is_active) return "inactive";
  if (!is_stable) return "unstable";
  const line = `GET /api/rollouts?firmware_id=${id}`;
  const { rollouts } = await callServer<{ rollouts: RolloutView[] }>(flags, line);
  const bonds = describeRollouts(rollouts);
  return bonds === undefined ? "stable" : `stable, ${isWithheld(rollouts) ? "but " : ""}${bonds}`;
}

/** @throws ReleaseError */
async function verify(
  firmware: string,
  flags: Json & { readonly key: readonly string[]; readonly release?: string; readonly threshold: number },
): Promise<void> {
  const { createReadStream } = await import("node:fs");
  const { readFile } = await import("node:fs/promises");
  const { readRelease, signersOf, verifyReleaseSignature } = await import("../../release/signing.js");
  const { verifyReleaseFile } = await import("../../release/verify.js");
  const read = readRelease((await readFile(flags.release ?? manifestBeside(firmware), "utf8")).trim());
  const { readPublicKey } = await import("../../release/keys.js");
  const keys = await Promise.all(
    flags.key.map(async (file) => readPublicKey(await readFile(file, "utf8"), file)),
  );
  await verifyReleaseSignature(read, keys, flags.threshold);
  await verifyReleaseFile(read.release, createReadStream(firmware));
  const { type, version, build, hardware, size } = read.release;
  const signers = signersOf(read.jws);
  await show(
    flags,
    { valid: true, key_id: read.keyId, signers, type, version, build, hardware, size },
    () =>
      `${firmware}: ${type} ${version} for ${hardware}, signed by ${signers.join(" and ")}, ${sizeText(size)} as signed`,
  );
}

function addUploadCommand(group: Command): void {
  withUploadOptions(commandsOf(group)("upload <firmware>", "upload an image and its signed manifest"))
    .option("--legacy <type>", "without a manifest, for a device type that does not check signatures")
    .option("--firmware-version <version>", "with --legacy: the version of the firmware")
    .action((firmware: string, { legacy, ...flags }: UploadFlags & { readonly legacy?: string }) =>
      showUpload(firmware, { ...flags, ...defined({ deviceType: legacy }) }),
    );
}

/** What an upload takes, with a manifest or without. */
export const withUploadOptions = (command: Command): Command =>
  command
    .option("--release <file>", "the manifest (default: FIRMWARE.release.jws)")
    .option("--unstable", "do not offer it without a rollout")
    .option("--inactive", "do not allow downloads yet")
    .option("--min-current <version>", "require a newer current version than the manifest does")
    .option("--notes <text>", "release notes")
    .option("--build <n>", "without a manifest: the build number", wholeNumber)
    .option("--hardware <name>", "without a manifest: the board (default: the chip's name)");

export const showUpload = (firmware: string, flags: UploadFlags): Promise<void> =>
  show(
    flags,
    uploadReleaseFile(firmware, flags),
    ({ id, device_type, version, file_size }) =>
      `firmware ${id}: ${device_type} ${version}, ${sizeText(file_size)}`,
  );

/** Signs an image's manifest into a file. @throws ReleaseError */
export async function signReleaseFile(firmware: string, flags: SignFlags): Promise<SignedFile> {
  const { readFile, writeFile } = await import("node:fs/promises");
  const { describeRelease } = await import("../../release/describe.js");
  const { signersOf, signRelease } = await import("../../release/signing.js");
  const created = createdNow();
  const payload = describeRelease(await readFile(firmware), {
    created,
    ...defined({
      type: flags.type,
      hardware: flags.hardware,
      minCurrentVersion: flags.minCurrent,
      expires: flags.expires === undefined ? undefined : await readTime(flags.expires, created),
      protocolVersion: flags.protocolVersion,
      minCompatible: flags.minCompatible,
      chunkBytes: flags.chunkSize,
      format: flags.format,
      sequence: sequenceOf(flags, created),
      minRoot: flags.minRoot,
    }),
  });
  const jws = await signRelease(payload, await readSigningKey(flags));
  const file = flags.out ?? manifestBeside(firmware);
  await writeFile(file, `${jws}\n`);
  const { format, type, hardware, chip, version, build, size, sha256 } = payload;
  return { file, format, type, hardware, chip, version, build, size, sha256, signers: signersOf(jws) };
}

/** Seconds only grow, without anybody who counts. */
const sequenceOf = ({ sequence, format }: SignFlags, created: number): number | undefined =>
  sequence === true || (sequence === undefined && format === 3) ? created : sequence;

/** The second holder of a release key signs what the first one has, and only for the image that it is about. @throws ReleaseError, KeyError */
async function addSignature(firmware: string, flags: SignFlags): Promise<SignedFile> {
  const { createReadStream } = await import("node:fs");
  const { readFile, writeFile } = await import("node:fs/promises");
  const { addReleaseSignature, readRelease, signersOf } = await import("../../release/signing.js");
  const { verifyReleaseFile } = await import("../../release/verify.js");
  const file = flags.out ?? manifestBeside(firmware);
  const { jws, release } = readRelease((await readFile(file, "utf8")).trim());
  await verifyReleaseFile(release, createReadStream(firmware));
  const signed = await addReleaseSignature(jws, await readSigningKey(flags));
  await writeFile(file, `${signed}\n`);
  const { type, hardware, chip, version, build, size, sha256 } = release;
  return { file, format: 3, type, hardware, chip, version, build, size, sha256, signers: signersOf(signed) };
}

/** Uploads an image with its manifest. @throws AnswerError */
async function uploadReleaseFile(firmware: string, flags: UploadFlags): Promise<FirmwareView> {
  const { openAsBlob } = await import("node:fs");
  const { readFile } = await import("node:fs/promises");
  const { basename } = await import("node:path");
  const { deviceType, firmwareVersion } = flags;
  const isUnsigned = deviceType !== undefined && flags.release === undefined;
  if (isUnsigned && firmwareVersion === undefined)
    throw new UsageError("the version is missing: without a manifest it cannot be read (--firmware-version)");
  const described = isUnsigned
    ? {
        device_type: deviceType,
        version: firmwareVersion,
        build_number: flags.build,
        hardware: flags.hardware,
        legacy: flags.makeLegacy,
      }
    : { release: (await readFile(flags.release ?? manifestBeside(firmware), "utf8")).trim() };
  const fields = defined({
    ...described,
    is_stable: flags.unstable ? false : undefined,
    is_active: flags.inactive ? false : undefined,
    min_current_version: flags.minCurrent,
    release_notes: flags.notes,
  });
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.set(name, `${value}`);
  form.set("file", await openAsBlob(firmware), basename(firmware));
  return callServer<FirmwareView>(flags, "POST /api/ota/admin/upload", form);
}

function readFormat(text: string): ReleasePayload["format"] {
  const format = ([1, 2, 3] as const).find((known) => `${known}` === text);
  if (format === undefined) throw new UsageError(`format "${text}" is not 1, 2 or 3`);
  return format;
}
