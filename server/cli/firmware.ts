// `skyslot firmware`: the firmware of a server, and its update attempts, with the flags that scripts for other servers use. Firmware without a
// manifest is uploaded and registered here.

import type { Command } from "commander";
import type { FirmwareView, UpdateView } from "../api/release-views.js";
import { defined } from "../shared/defined.js";
import { type AddCommand, callServer, commandsOf, query, type ServerFlags } from "./client.js";
import { addListCommand } from "./firmware-list.js";
import { green, printRows, red, show, UsageError, wholeNumber } from "./output.js";
import { showUpload, type UploadFlags, withUploadOptions } from "./release.js";
import { toSecond } from "./times.js";

interface LogsFlags extends ServerFlags {
  readonly deviceId?: string;
  readonly status?: string;
  readonly limit: number;
}
interface RegisterFlags extends ServerFlags {
  readonly deviceType?: string;
  readonly version?: string;
  readonly build?: number;
  readonly hardware?: string;
  readonly fileSize?: number;
  readonly fileHash?: string;
  readonly makeLegacy?: boolean;
  readonly unstable?: boolean;
  readonly inactive?: boolean;
}
interface FileFlags extends Omit<UploadFlags, "firmwareVersion"> {
  readonly file?: string;
  readonly version?: string;
}

const TOKEN = "API token; other users of this machine can see it: --token-file and SKYSLOT_TOKEN are safer";
const MAKE_LEGACY = "make the type legacy: its devices do not check signatures (needs an administrator)";

export function firmwareCommand(program: Command): void {
  const firmware = program
    .command("firmware")
    .description("list, upload and register firmware; list update attempts");
  const add = commandsOf(firmware);
  const command: AddCommand = (usage, description) =>
    add(usage, description).option("--token <token>", TOKEN);
  withUploadOptions(command("upload [firmware]", "upload an image, with its signed manifest or without"))
    .option("--file <file>", "the image, instead of the argument")
    .option("--legacy, --device-type <type>", "without a manifest: the device type, which has to be legacy")
    .option("--firmware-version, --version <version>", "without a manifest: the version")
    .option("--make-legacy", MAKE_LEGACY)
    .action(upload);
  command(
    "register [manifest]",
    "register an image that is already on the server, with its manifest or without",
  )
    .option("--device-type <type>", "without a manifest: the device type, which has to be legacy")
    .option("--version <version>", "without a manifest: the version")
    .option("--build <n>", "without a manifest: the build number", wholeNumber)
    .option("--hardware <name>", "without a manifest: the board (default: the chip's name)")
    .option("--file-hash <sha256>", "without a manifest: SHA-256 of the image, 64 hex digits")
    .option("--file-size <bytes>", "size of the image, compared with the stored one", wholeNumber)
    .option("--make-legacy", MAKE_LEGACY)
    .option("--unstable", "do not offer it without a rollout")
    .option("--inactive", "do not allow downloads yet")
    .action(register);
  addListCommand(command);
  command("logs", "list attempts, newest first")
    .option("--device, --device-id <id>", "only of this device")
    .option("--status <status>", "only with this status: pending, downloading, installing, success, failed")
    .option("--limit <n>", "maximum number of rows to return", wholeNumber, 50)
    .action(logs);
}

/** Without a manifest if a device type is named. */
async function upload(argument: string | undefined, flags: FileFlags): Promise<void> {
  const { file = argument, version, ...others } = flags;
  if (file === undefined) throw new UsageError("the image is missing: `skyslot firmware upload FIRMWARE`");
  if (argument !== undefined && flags.file !== undefined && argument !== flags.file)
    throw new UsageError(`two images, ${argument} and ${flags.file}: upload one at a time`);
  await showUpload(file, { ...others, ...defined({ firmwareVersion: version }) });
}

async function register(manifest: string | undefined, flags: RegisterFlags): Promise<void> {
  const { readFile } = await import("node:fs/promises");
  if (manifest === undefined && (!flags.deviceType || !flags.version || !flags.fileHash))
    throw new UsageError("name a manifest; or, without one, --device-type, --version and --file-hash");
  const body = defined({
    release: manifest === undefined ? undefined : (await readFile(manifest, "utf8")).trim(),
    device_type: flags.deviceType,
    version: flags.version,
    build_number: flags.build,
    hardware: flags.hardware,
    file_hash: flags.fileHash?.toLowerCase(),
    file_size: flags.fileSize,
    legacy: flags.makeLegacy,
    is_stable: flags.unstable ? false : undefined,
    is_active: flags.inactive ? false : undefined,
  });
  await show(
    flags,
    callServer<FirmwareView>(flags, "POST /api/ota/admin/firmware", body),
    ({ id, device_type, version }) => `firmware ${id}: ${device_type} ${version}`,
  );
}

function logs(flags: LogsFlags): Promise<void> {
  const { limit, deviceId: device_id, status } = flags;
  const line = `GET /api/ota/admin/logs${query({ limit, device_id, status })}`;
  return show(flags, callServer<{ logs: UpdateView[] }>(flags, line), ({ logs }) =>
    printRows(logs, {
      ID: "id",
      DEVICE: "device_id",
      FIRMWARE: "firmware_id",
      FROM: "from_version",
      BYTES: "bytes_downloaded",
      UPDATED: (update) => toSecond(update.updated_at),
      STATUS: describeStatus,
    }),
  );
}

/** In the last column, where colour codes do not affect widths. */
function describeStatus({ status, step, error_code, error_message }: UpdateView): string {
  if (status === "success") return green("success");
  if (status === "failed")
    return `${red(`failed ${error_code ?? ""}`.trim())}${error_message ? `: ${error_message}` : ""}`;
  return step && step !== status ? `${status} (${step})` : status;
}
