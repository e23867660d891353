// `skyslot device`: devices of a server, what they are offered and why, their labels and pins. Orders: device-orders.ts.

import type { Command } from "commander";
import type { DeviceView } from "../api/device-views.js";
import type { EventView } from "../events/event-view.js";
import { callServer, type ServerFlags, withServer } from "./client.js";
import { deviceOrderCommands } from "./device-orders.js";
import { changeAll, readSelection, type SelectionFlags, withSelection } from "./device-selection.js";
import {
  bold,
  green,
  printJson,
  printLine,
  printTable,
  red,
  UsageError,
  wholeNumber,
  yellow,
} from "./output.js";

interface Flags extends ServerFlags {
  readonly json?: boolean;
}
interface ListFlags extends Flags {
  readonly type?: string;
  readonly tag?: string;
  readonly group?: string;
  readonly runs?: string;
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
interface AnswerView {
  readonly firmware_id: number;
  readonly version: string;
  readonly rollout_id: number | null;
  readonly verdict: string;
  readonly sentence: string;
}

export function deviceCommand(program: Command): void {
  const device = program
    .command("device")
    .description("list a server's devices, tag and pin them, and give them orders");
  const add = (usage: string, description: string) =>
    withServer(device.command(usage).description(description)).option("--json", "print JSON");

  add("list", "list devices, last seen first")
    .option("--type <type>", "only of this type")
    .option("--tag <tag>", "only with this tag")
    .option("--group <group>", "only of this group")
    .option("--runs <version>", "only those that run this version")
    .option("--search <text>", "only with this in the id")
    .option("--limit <n>", "maximum number of rows to return", wholeNumber, 50)
    .action(list);
  add("show <id>", "show a device, its labels and its attempts").action(show);
  add("why <id>", "explain what a device is offered, or why nothing").action(why);
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
}

async function list(flags: ListFlags): Promise<void> {
  const { type, tag, group, runs: version, search } = flags;
  const filter = Object.entries({ type, tag, group, version, search }).filter(
    ([, value]) => value !== undefined,
  );
  const query = new URLSearchParams([...(filter as [string, string][]), ["limit", `${flags.limit}`]]);
  const answer = (await callServer(flags, `/api/devices?${query}`)) as {
    devices: readonly (DeviceView & LabelsView & { readonly online: boolean })[];
    total: number;
  };
  if (flags.json) return printJson(answer);
  printTable(
    ["DEVICE", "TYPE", "VERSION", "PIN", "GROUP", "TAGS", "LAST SEEN", ""],
    answer.devices.map((one) => [
      one.device_id,
      one.device_type,
      versionOf(one.current_version, one.current_build),
      one.pin ?? "",
      one.group ?? "",
      one.tags.join(","),
      one.last_seen.slice(0, 19).replace("T", " "),
      one.online ? green("online") : "",
    ]),
  );
  if (answer.devices.length < answer.total) printLine(`${answer.devices.length} of ${answer.total}`);
}

const path = (id: string, rest = ""): string => `/api/devices/${encodeURIComponent(id)}${rest}`;

async function show(id: string, flags: Flags): Promise<void> {
  const view = (await callServer(flags, path(id))) as DeviceView &
    LabelsView & {
      readonly online: boolean;
      readonly attempts: readonly {
        firmware_id: number;
        from_version: string;
        updated_at: string;
        status: string;
        outcome: string | null;
      }[];
      readonly plan: readonly AnswerView[];
    };
  if (flags.json) return printJson(view);
  printLine(
    `${bold(view.device_id)}  ${view.device_type} ${versionOf(view.current_version, view.current_build)}  ${view.online ? green("online") : yellow("offline")}`,
  );
  const facts = [
    ["hardware", [view.hardware, view.chip].filter(Boolean).join(", ")],
    ["slot", [view.slot, view.slot_state].filter(Boolean).join(", ")],
    ["group", view.group ?? ""],
    ["tags", view.tags.join(", ")],
    ["pin", view.pin ?? ""],
    ["last seen", view.last_seen],
  ] as const;
  for (const [name, value] of facts) if (value) printLine(`  ${name.padEnd(10)} ${value}`);
  if (view.attempts.length > 0) {
    printTable(
      ["FIRMWARE", "FROM", "UPDATED", "OUTCOME"],
      view.attempts.map((one) => [
        `${one.firmware_id}`,
        one.from_version,
        one.updated_at.slice(0, 19).replace("T", " "),
        paintOutcome(one.outcome ?? one.status),
      ]),
    );
  }
}

async function why(id: string, flags: Flags): Promise<void> {
  const view = (await callServer(flags, path(id, "/why"))) as {
    summary: string;
    answers: readonly AnswerView[];
  };
  if (flags.json) return printJson(view);
  printLine(bold(view.summary));
  for (const { verdict, sentence } of view.answers)
    printLine(`  ${verdict.startsWith("OFFERED") ? green("✓") : "–"} ${sentence}`);
}

async function logs(id: string, flags: Flags & { limit: number }): Promise<void> {
  const view = (await callServer(flags, path(id, `/timeline?limit=${flags.limit}`))) as {
    events: readonly EventView[];
  };
  if (flags.json) return printJson(view);
  for (const { time, kind, message } of view.events)
    printLine(`${time.slice(0, 19).replace("T", " ")}  ${kind.padEnd(18)} ${message}`);
}

/** Exit status 1 if any device was refused. */
async function tag(ids: readonly string[], flags: TagFlags): Promise<void> {
  const group = flags.group === false ? null : flags.group;
  if (!flags.add && !flags.remove && group === undefined)
    throw new UsageError("give --add, --remove, --group or --no-group");
  const labels = {
    ...(flags.add ? { add_tags: [...flags.add] } : {}),
    ...(flags.remove ? { remove_tags: [...flags.remove] } : {}),
    ...(group === undefined ? {} : { group }),
  };
  const selection = readSelection(ids, flags);
  if ("filter" in selection)
    return changeAll("change labels", selection.filter, { kind: "labels", labels }, flags);
  const body = { devices: ids, ...labels };
  const view = (await callServer(flags, "/api/devices/labels", json("POST", body))) as {
    readonly failed: number;
    readonly devices: readonly (LabelsView & { readonly device_id: string; readonly message?: string })[];
  };
  if (view.failed > 0) process.exitCode = 1;
  if (flags.json) return printJson(view);
  for (const one of view.devices) {
    printLine(
      one.message
        ? `${one.device_id}: ${red(one.message)}`
        : `${one.device_id}: ${one.tags.join(", ") || "no tags"}${one.group ? `, in group ${one.group}` : ""}`,
    );
  }
}

async function pin(
  id: string,
  version: string | undefined,
  flags: Flags & { remove?: boolean },
): Promise<void> {
  if ((version === undefined) === !flags.remove) throw new UsageError("give either a version or --remove");
  const view = (await callServer(flags, path(id), json("PATCH", { pin: version ?? null }))) as LabelsView;
  if (flags.json) printJson(view);
  else printLine(view.pin === null ? `${id} is not pinned` : `${id} is pinned to ${view.pin}`);
}

const json = (method: string, body: object): RequestInit => ({
  method,
  headers: { "content-type": "application/json" },
  body: JSON.stringify(body),
});

const versionOf = (version: string, build: number): string => (build > 0 ? `${version}+${build}` : version);

function paintOutcome(outcome: string): string {
  if (outcome === "validated") return green(outcome);
  return outcome === "failed" || outcome === "rolled_back" ? red(outcome.replace("_", " ")) : outcome;
}
