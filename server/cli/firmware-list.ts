// The command `list` of `release` and, for compatibility, of `firmware`.

import type { FirmwareView } from "../api/release-views.js";
import { type AddCommand, callServer, query, type ServerFlags } from "./client.js";
import { printRows, show, wholeNumber } from "./output.js";
import { toMinute } from "./times.js";

interface ListFlags extends ServerFlags {
  readonly deviceType?: string;
  readonly limit: number;
}

export function addListCommand(add: AddCommand): void {
  add("list", "list the firmware of a server")
    .option("--type, --device-type <type>", "only of this type")
    .option("--limit <n>", "maximum number of rows to return", wholeNumber, 50)
    .action(list);
}

function list(flags: ListFlags): Promise<void> {
  const line = `GET /api/ota/admin/firmware${query({ limit: flags.limit, device_type: flags.deviceType })}`;
  return show(flags, callServer<{ firmware: FirmwareView[] }>(flags, line), ({ firmware }) =>
    printRows(firmware, {
      ID: "id",
      TYPE: "device_type",
      VERSION: "version",
      BUILD: "build_number",
      HARDWARE: "hardware",
      BYTES: "file_size",
      STABLE: "is_stable",
      ACTIVE: "is_active",
      NEEDS: "min_current_version",
      SIGNED: "is_signed",
      CREATED: (one) => toMinute(one.created_at),
    }),
  );
}
