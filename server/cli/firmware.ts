// `skyslot firmware`: the firmware of a server, and its update attempts.

import type { Command } from "commander";
import type { FirmwareView, UpdateView } from "../api/release-views.js";
import { defined } from "../shared/defined.js";
import { callServer, commandsOf, query, type ServerFlags } from "./client.js";
import { addListCommand } from "./firmware-list.js";
import { green, printRows, red, show, toSecond, wholeNumber } from "./output.js";
import { addUploadCommand } from "./release.js";

interface LogsFlags extends ServerFlags {
  readonly device?: string;
  readonly status?: string;
  readonly limit: number;
}
interface RegisterFlags extends ServerFlags {
  readonly unstable?: boolean;
  readonly inactive?: boolean;
}

export function firmwareCommand(program: Command): void {
  const firmware = program
    .command("firmware")
    .description("list, upload and register firmware; list update attempts");
  addUploadCommand(firmware);
  const add = commandsOf(firmware);
  add("register <manifest>", "register a manifest whose image is already on the server")
    .option("--unstable", "do not offer it without a rollout")
    .option("--inactive", "do not allow downloads yet")
    .action(register);
  addListCommand(firmware);
  add("logs", "list attempts, newest first")
    .option("--device <id>", "only of this device")
    .option("--status <status>", "only with this status: pending, downloading, installing, success, failed")
    .option("--limit <n>", "maximum number of rows to return", wholeNumber, 50)
    .action(logs);
}

async function register(manifest: string, flags: RegisterFlags): Promise<void> {
  const { readFile } = await import("node:fs/promises");
  const body = defined({
    release: (await readFile(manifest, "utf8")).trim(),
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
  const { limit, device: device_id, status } = flags;
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
