// The command `list` of `release` and, for compatibility, of `firmware`.

import type { Command } from "commander";
import type { FirmwareView } from "../api/release-views.js";
import { callServer, type ServerFlags, withServer } from "./client.js";
import { printJson, printTable, wholeNumber } from "./output.js";

interface ListFlags extends ServerFlags {
  readonly type?: string;
  readonly limit: number;
  readonly json?: boolean;
}
export function addListCommand(group: Command): void {
  withServer(group.command("list").description("list the firmware of a server"))
    .option("--type <type>", "only of this type")
    .option("--limit <n>", "maximum number of rows to return", wholeNumber, 50)
    .option("--json", "print JSON")
    .action(list);
}

async function list(flags: ListFlags): Promise<void> {
  const query = new URLSearchParams({
    limit: `${flags.limit}`,
    ...(flags.type ? { device_type: flags.type } : {}),
  });
  const answer = (await callServer(flags, `/api/ota/admin/firmware?${query}`)) as {
    firmware: readonly FirmwareView[];
  };
  if (flags.json) return printJson(answer);
  printTable(
    ["ID", "TYPE", "VERSION", "BUILD", "HARDWARE", "BYTES", "STABLE", "ACTIVE", "NEEDS", "SIGNED", "CREATED"],
    answer.firmware.map((firmware) => [
      `${firmware.id}`,
      firmware.device_type,
      firmware.version,
      `${firmware.build_number}`,
      firmware.hardware,
      `${firmware.file_size}`,
      firmware.is_stable ? "yes" : "no",
      firmware.is_active ? "yes" : "no",
      firmware.min_current_version ?? "",
      firmware.is_signed ? "yes" : "no",
      firmware.created_at.slice(0, 16).replace("T", " "),
    ]),
  );
}
