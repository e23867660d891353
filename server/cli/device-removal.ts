// `skyslot device remove` and `removed`: devices are taken out of the fleet, and what is kept of them is listed.

import type { RemovedDeviceView } from "../api/device-views.js";
import { type BulkAnswer, type BulkChange, runBulk } from "../shared/bulk-run.js";
import { plural } from "../shared/words.js";
import { type AddCommand, callServer, query, type ServerFlags } from "./client.js";
import {
  changeAll,
  confirmChange,
  printTally,
  readSelection,
  type SelectionFlags,
  withSelection,
} from "./device-selection.js";
import { printLine, printRows, show, wholeNumber } from "./output.js";
import { toSecond } from "./times.js";

/** @param add adds a command to the group `device` */
export function deviceRemovalCommands(add: AddCommand): void {
  withSelection(
    add(
      "remove [id...]",
      "remove devices from the fleet; one that checks again registers like a new one. Their attempts and timelines are kept",
    ),
  )
    .option("--erase", "erase their attempts and timelines too, also of devices that were removed before")
    .action(remove);
  add("removed", "list devices that were removed, newest first")
    .option("--search <text>", "only with this in the id")
    .option("--limit <n>", "maximum number of rows to return", wholeNumber, 50)
    .action(listRemoved);
}

/** Exit status 1 if any device was refused. */
async function remove(
  ids: readonly string[],
  flags: SelectionFlags & { readonly erase?: boolean },
): Promise<void> {
  const change: BulkChange = { kind: flags.erase ? "erase" : "remove" };
  const what = flags.erase ? "remove with history" : "remove";
  const selection = readSelection(ids, flags);
  if ("filter" in selection) return changeAll(what, selection.filter, change, flags);
  await confirmChange(`${what}: ${ids.join(", ")}`, plural(ids.length, "device"), flags);
  const tally = await runBulk(
    (body) => callServer<BulkAnswer>(flags, "POST /api/devices/bulk", body),
    selection,
    change,
    () => true,
  );
  if (tally.refused > 0) process.exitCode = 1;
  await show(flags, tally, () => printTally(what, tally));
}

function listRemoved({
  search,
  limit,
  ...flags
}: ServerFlags & { readonly search?: string; readonly limit: number }): Promise<void> {
  const line = `GET /api/removed-devices${query({ search, limit })}`;
  const answer = callServer<{ devices: readonly RemovedDeviceView[]; total: number }>(flags, line);
  return show(flags, answer, ({ devices, total }) => {
    printRows(devices, {
      DEVICE: "device_id",
      TYPE: "device_type",
      VERSION: "version",
      "LAST SEEN": (one) => toSecond(one.last_seen),
      REMOVED: (one) => toSecond(one.removed_at),
      BY: "removed_by",
    });
    if (devices.length < total) printLine(`${devices.length} of ${total}`);
  });
}
