// `skyslot device`: devices of a server, what they are offered and why, their labels and pins. Orders: device-orders.ts.

import type { Command } from "commander";
import type { DeviceView } from "../api/device-views.js";
import type { UpdateView } from "../api/release-views.js";
import type { EventView } from "../events/event-view.js";
import { defined } from "../shared/defined.js";
import { type Vouched, wordVouching } from "../shared/vouched-words.js";
import { callServer, commandsOf, query, type ServerFlags } from "./client.js";
import { deviceJobCommands } from "./device-jobs.js";
import { deviceOrderCommands } from "./device-orders.js";
import { deviceRemovalCommands } from "./device-removal.js";
import { changeAll, readSelection, type SelectionFlags, withSelection } from "./device-selection.js";
import { bold, green, printLine, printRows, red, show, UsageError, wholeNumber, yellow } from "./output.js";
import { toSecond } from "./times.js";

interface ListFlags extends ServerFlags {
  readonly type?: string;
  readonly tag?: string;
  readonly group?: string;
  readonly runs?: string;
  readonly unvouched?: boolean;
  readonly rootBehind?: boolean;
  readonly search?: string;
  readonly limit: number;
}
interface TagFlags extends SelectionFlags {
  readonly add?: readonly string[];
  readonly remove?: readonly string[];
  /** `false`: remove it from its group. */
  readonly group?: string | false;
}
interface LabelsView {
  readonly tags: readonly string[];
  readonly group: string | null;
  readonly pin: string | null;
}
interface ReasonView {
  readonly verdict: string;
  readonly sentence: string;
}
type ListedDevice = DeviceView & LabelsView & Vouched & { readonly online: boolean };
type ShownDevice = ListedDevice & { readonly attempts: readonly UpdateView[] };

export function deviceCommand(program: Command): void {
  const device = program
    .command("device")
    .description("list a server's devices, tag and pin them, and give them orders");
  const add = commandsOf(device);

  add("list", "list devices, last seen first")
    .option("--type <type>", "only of this type")
    .option("--tag <tag>", "only with this tag")
    .option("--group <group>", "only of this group")
    .option("--runs <version>", "only those that run this version")
    .option("--unvouched", "only those that nobody vouched for")
    .option("--root-behind", "only those whose trust root is older than the newest one of the server")
    .option("--search <text>", "only with this in the id")
    .option("--limit <n>", "maximum number of rows to return", wholeNumber, 50)
    .action(list);
  add("show <id>", "show a device, its labels and its attempts").action(showDevice);
  add("why <id>", "explain which update a device is offered, or why it is offered none").action(why);
  add("logs <id>", "list what happened to a device, newest first")
    .option("--limit <n>", "maximum number of rows to return", wholeNumber, 50)
    .action(logs);
  withSelection(add("tag [id...]", "change the tags and the group of devices"))
    .option("--add <tag...>", "tags to add")
    .option("--remove <tag...>", "tags to remove")
    .option("--group <group>", "the group to put them in")
    .option("--no-group", "remove them from their group")
    .action(tag);
  add("pin <id> [version]", "offer a device this version only, such as 1.1.0 or 1.1.0+3")
    .option("--remove", "remove the pin")
    .action(pin);
  deviceOrderCommands(add);
  deviceRemovalCommands(add);
  deviceJobCommands(add);
}

function list(flags: ListFlags): Promise<void> {
  const { type, tag, group, runs: version, unvouched, rootBehind, search, limit } = flags;
  const vouched = unvouched ? "no" : undefined;
  const root = rootBehind ? "behind" : undefined;
  const line = `GET /api/devices${query({ type, tag, group, version, vouched, root, search, limit })}`;
  const answer = callServer<{ devices: readonly ListedDevice[]; total: number }>(flags, line);
  return show(flags, answer, ({ devices, total }) => {
    printRows(devices, {
      DEVICE: "device_id",
      TYPE: "device_type",
      VERSION: versionOf,
      PIN: "pin",
      GROUP: "group",
      TAGS: (one) => one.tags.join(","),
      "LAST SEEN": (one) => toSecond(one.last_seen),
      "": (one) => (one.online ? green("online") : ""),
    });
    if (devices.length < total) printLine(`${devices.length} of ${total}`);
  });
}

const path = (id: string, rest = ""): string => `/api/devices/${encodeURIComponent(id)}${rest}`;

const showDevice = (id: string, flags: ServerFlags): Promise<void> =>
  show(flags, callServer<ShownDevice>(flags, `GET ${path(id)}`), (view) => {
    const online = view.online ? green("online") : yellow("offline");
    printLine(`${bold(view.device_id)}  ${view.device_type} ${versionOf(view)}  ${online}`);
    const facts = {
      hardware: [view.hardware, view.chip].filter(Boolean).join(", "),
      slot: [view.slot, view.slot_state].filter(Boolean).join(", "),
      group: view.group,
      tags: view.tags.join(", "),
      pin: view.pin,
      "last seen": view.last_seen,
      "vouched for": wordVouching(view),
    };
    for (const [name, value] of Object.entries(facts)) if (value) printLine(`  ${name.padEnd(11)} ${value}`);
    if (view.attempts.length === 0) return;
    printRows(view.attempts, {
      FIRMWARE: "firmware_id",
      FROM: "from_version",
      UPDATED: (one) => toSecond(one.updated_at),
      OUTCOME: (one) => paintOutcome(one.outcome ?? one.status),
    });
  });

const why = (id: string, flags: ServerFlags): Promise<void> =>
  show(
    flags,
    callServer<{ summary: string; answers: ReasonView[] }>(flags, `GET ${path(id, "/why")}`),
    ({ summary, answers }) => {
      printLine(bold(summary));
      for (const { verdict, sentence } of answers)
        printLine(`  ${verdict.startsWith("OFFERED") ? green("✓") : "–"} ${sentence}`);
    },
  );

function logs(id: string, flags: ServerFlags & { limit: number }): Promise<void> {
  const line = `GET ${path(id, `/timeline?limit=${flags.limit}`)}`;
  return show(flags, callServer<{ events: readonly EventView[] }>(flags, line), ({ events }) => {
    for (const { time, kind, message } of events)
      printLine(`${toSecond(time)}  ${kind.padEnd(18)} ${message}`);
  });
}

/** Exit status 1 if any device was refused. */
async function tag(ids: readonly string[], flags: TagFlags): Promise<void> {
  const { add, remove, group } = flags;
  const labels = defined({
    add_tags: add && [...add],
    remove_tags: remove && [...remove],
    group: group === false ? null : group,
  });
  if (Object.keys(labels).length === 0) throw new UsageError("give --add, --remove, --group or --no-group");
  const selection = readSelection(ids, flags);
  if ("filter" in selection)
    return changeAll("change labels", selection.filter, { kind: "labels", labels }, flags);
  const view = await callServer<{
    readonly failed: number;
    readonly devices: readonly (LabelsView & { readonly device_id: string; readonly message?: string })[];
  }>(flags, "POST /api/devices/labels", { devices: ids, ...labels });
  if (view.failed > 0) process.exitCode = 1;
  await show(flags, view, ({ devices }) => {
    for (const { device_id, tags, group, message } of devices)
      printLine(
        message
          ? `${device_id}: ${red(message)}`
          : `${device_id}: ${tags.join(", ") || "no tags"}${group ? `, in group ${group}` : ""}`,
      );
  });
}

function pin(
  id: string,
  version: string | undefined,
  flags: ServerFlags & { remove?: boolean },
): Promise<void> {
  if ((version === undefined) === !flags.remove) throw new UsageError("give either a version or --remove");
  const answer = callServer<LabelsView>(flags, `PATCH ${path(id)}`, { pin: version ?? null });
  return show(flags, answer, ({ pin }) =>
    pin === null ? `${id} is not pinned` : `${id} is pinned to ${pin}`,
  );
}

const versionOf = ({ current_version: version, current_build: build }: DeviceView): string =>
  build > 0 ? `${version}+${build}` : version;

function paintOutcome(outcome: string): string {
  if (outcome === "validated") return green(outcome);
  return outcome === "failed" || outcome === "rolled_back" ? red(outcome.replace("_", " ")) : outcome;
}
