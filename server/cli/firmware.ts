// `skyslot firmware`: the firmware of a server, and its update attempts.

import type { Command } from "commander";
import type { FirmwareView, UpdateView } from "../api/release-views.js";
import { callServer, type ServerFlags, withServer } from "./client.js";
import { addListCommand } from "./firmware-list.js";
import { green, printJson, printLine, printTable, red, wholeNumber } from "./output.js";
import { addUploadCommand } from "./release.js";

interface LogsFlags extends ServerFlags {
  readonly device?: string;
  readonly status?: string;
  readonly limit: number;
  readonly json?: boolean;
}
interface RegisterFlags extends ServerFlags {
  readonly unstable?: boolean;
  readonly inactive?: boolean;
  readonly json?: boolean;
}

export function firmwareCommand(program: Command): void {
  const firmware = program.command("firmware").description("list a server's firmware and attempts");
  addUploadCommand(firmware);
  withServer(
    firmware
      .command("register <manifest>")
      .description("register a manifest whose image is already on the server"),
  )
    .option("--unstable", "do not offer it without a rollout")
    .option("--inactive", "do not allow downloads yet")
    .option("--json", "print one JSON object")
    .action(register);
  addListCommand(firmware);
  withServer(firmware.command("logs").description("list attempts, newest first"))
    .option("--device <id>", "only of this device")
    .option("--status <status>", "only with this status: pending, downloading, installing, success, failed")
    .option("--limit <n>", "maximum number of rows to return", wholeNumber, 50)
    .option("--json", "print JSON")
    .action(logs);
}

async function register(manifest: string, flags: RegisterFlags): Promise<void> {
  const { readFile } = await import("node:fs/promises");
  const body = {
    release: (await readFile(manifest, "utf8")).trim(),
    ...(flags.unstable ? { is_stable: false } : {}),
    ...(flags.inactive ? { is_active: false } : {}),
  };
  const stored = await callServer(flags, "/api/ota/admin/firmware", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  if (flags.json) return printJson(stored);
  const { id, device_type, version } = stored as FirmwareView;
  printLine(`firmware ${id}: ${device_type} ${version}`);
}

async function logs(flags: LogsFlags): Promise<void> {
  const query = new URLSearchParams({
    limit: `${flags.limit}`,
    ...(flags.device ? { device_id: flags.device } : {}),
    ...(flags.status ? { status: flags.status } : {}),
  });
  const answer = (await callServer(flags, `/api/ota/admin/logs?${query}`)) as { logs: readonly UpdateView[] };
  if (flags.json) return printJson(answer);
  printTable(
    ["ID", "DEVICE", "FIRMWARE", "FROM", "BYTES", "UPDATED", "STATUS"],
    answer.logs.map((update) => [
      `${update.id}`,
      update.device_id,
      `${update.firmware_id}`,
      update.from_version,
      `${update.bytes_downloaded}`,
      update.updated_at.slice(0, 19).replace("T", " "),
      describeStatus(update),
    ]),
  );
}

/** In the last column, where colour codes do not affect widths. */
function describeStatus({ status, step, error_code, error_message }: UpdateView): string {
  if (status === "success") return green("success");
  if (status === "failed")
    return `${red(`failed ${error_code ?? ""}`.trim())}${error_message ? `: ${error_message}` : ""}`;
  return step && step !== status ? `${status} (${step})` : status;
}
