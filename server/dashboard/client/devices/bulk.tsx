// Changes of many devices: those selected, or all that match the filters. The server checks each device; progress, and the number of
// unchanged devices with the reasons, stay visible.

import { useEffect, useRef, useState } from "preact/hooks";
import {
  type BulkAnswer,
  type BulkChange,
  type BulkTally,
  NONE_SO_FAR,
  runBulk,
  type Selection,
} from "../../../shared/bulk-run.js";
import { useAction } from "../data.js";
import { plural } from "../format.js";
import { devicePath } from "../log.js";
import { Button } from "../parts/button.js";
import { Confirm } from "../parts/confirm.js";
import { ChoiceField, TextField } from "../parts/fields.js";
import { Problem } from "../parts/notes.js";
import { Link } from "../router.js";
import { ask } from "../session.js";
import { EMPTY_ROW, type SettingRow, SettingRows, settingsOf } from "./setting-rows.js";

interface BulkProps {
  /** The selected ones. */
  readonly ids: readonly string[];
  /** All that match the filters, if they can be selected, too. */
  readonly found?: { readonly filter: FilterOf; readonly total: number } | undefined;
  readonly kinds?: readonly Kind[];
  /** After a change. */
  readonly onDone: () => void;
  /** Clears the selection. */
  readonly onLeave: () => void;
}
type FilterOf = Extract<Selection, { filter: unknown }>["filter"];

type Kind = keyof typeof WORDS;
const WORDS = {
  restart: { name: "Restart", what: "Each device restarts once, at its next check." },
  settings: {
    name: "Change settings",
    what: "Each device gets the settings at its next check, and reports if it refuses them.",
  },
  "add-tag": { name: "Add a tag", what: "Added to their existing tags." },
  "remove-tag": { name: "Remove a tag", what: "Devices without it are unchanged." },
  group: { name: "Put into a group", what: "A device is in one group only: it leaves its current one." },
  pin: { name: "Pin to a version", what: "They are offered this version only." },
  approve: { name: "Approve", what: "They may register, and are offered updates." },
  block: { name: "Block", what: "They are no longer offered anything, and their reports are refused." },
  "rotate-token": {
    name: "Renew tokens",
    what: "Each device gets a new token at its next check; the old one stays valid until the new one is used.",
  },
  remove: {
    name: "Remove",
    what: "They leave the fleet; their attempts and timelines are kept. One that checks again registers like a new device.",
  },
  erase: {
    name: "Remove and erase history",
    what: "They leave the fleet, and their attempts, places in rollouts and timelines are deleted. This cannot be undone.",
  },
} as const;
const DANGEROUS: readonly Kind[] = ["block", "remove", "erase"];
const ALL_KINDS = Object.keys(WORDS) as readonly Kind[];
const VALUE_LABELS: Partial<Record<Kind, string>> = {
  "add-tag": "Tag",
  "remove-tag": "Tag",
  group: "Group",
  pin: "Version",
};
const VALUE_HINTS: Partial<Record<Kind, string>> = {
  group: "Empty: no group",
  pin: "Empty: not pinned",
};

interface Run {
  readonly name: string;
  readonly total: number;
  readonly tally: BulkTally;
  readonly state: "running" | "stopped" | "ended";
}

export function Bulk({ ids, found, kinds = ALL_KINDS, onDone, onLeave }: BulkProps) {
  const [isAll, setIsAll] = useState(false);
  const [kind, setKind] = useState<Kind>(kinds[0] ?? "restart");
  const [value, setValue] = useState("");
  const [rows, setRows] = useState<readonly SettingRow[]>([EMPTY_ROW]);
  const [run, setRun] = useState<Run>();
  const isStopped = useRef(false);
  const action = useAction();
  const stop = () => {
    isStopped.current = true;
  };
  useEffect(() => stop, []);
  useEffect(() => warnBeforeLeaving(action.isBusy), [action.isBusy]);
  // A change of the filters or the selection ends the selection of all.
  useEffect(() => setIsAll(false), [ids.join(), JSON.stringify(found?.filter)]);
  const takesAll = isAll && found !== undefined;
  const total = takesAll ? found.total : ids.length;
  const change = changeOf(kind, value.trim(), rows);
  const { name, what } = WORDS[kind];
  const start = (wanted: BulkChange) => {
    const selection: Selection = takesAll ? { filter: found.filter } : { ids };
    isStopped.current = false;
    let tally: BulkTally = NONE_SO_FAR;
    const update = (state: Run["state"]) => setRun({ name, total, tally, state });
    update("running");
    action.run(async () => {
      try {
        await runBulk(
          (body) => ask<BulkAnswer>("POST", "/api/devices/bulk", body),
          selection,
          wanted,
          (soFar) => {
            tally = soFar;
            update("running");
            return !isStopped.current;
          },
        );
      } finally {
        update(tally.done + tally.refused < total ? "stopped" : "ended");
        onDone();
      }
    });
  };
  const begin = () => {
    setRun(undefined);
    setKind(kinds[0] ?? "restart");
    setValue("");
    setRows([EMPTY_ROW]);
  };
  if (ids.length === 0 && !run) return null;
  return (
    <section class="card bulk" aria-label="Change the selected devices">
      {run && <Progress run={run} onStop={stop} />}
      <Problem text={action.problem} />
      {run && run.state !== "running" && (
        <p class="actions">
          <Button
            onClick={() => {
              begin();
              onLeave();
            }}
          >
            Done
          </Button>
        </p>
      )}
      {!run && (
        <>
          <p class="chosen-count">
            <strong>{plural(total, "device")}</strong> {takesAll ? "match" : "selected"}
            {found && found.total > ids.length && (
              <Button look="link" onClick={() => setIsAll(!isAll)}>
                {isAll ? "Only the selected ones" : `Select all ${plural(found.total, "device")} that match`}
              </Button>
            )}
            <Button look="link" onClick={onLeave}>
              Clear selection
            </Button>
          </p>
          <div class="fields lead">
            <ChoiceField
              label="Action"
              value={kind}
              choices={kinds.map((one) => [one, WORDS[one].name] as const)}
              onChange={setKind}
            />
            {VALUE_LABELS[kind] && (
              <TextField
                label={VALUE_LABELS[kind]}
                hint={VALUE_HINTS[kind]}
                value={value}
                list={kind === "group" ? "groups" : kind === "pin" ? "versions" : "tags"}
                onChange={setValue}
              />
            )}
          </div>
          {kind === "settings" && <SettingRows rows={rows} onChange={setRows} />}
          <p class="actions">
            <Confirm
              name={name}
              title={`${name}: ${plural(total, "device")}?`}
              confirmName={`${name}: ${plural(total, "device")}`}
              isDangerous={DANGEROUS.includes(kind)}
              isPrimary
              isDisabled={change === undefined || total === 0}
              onConfirm={async () => {
                if (change) start(change);
              }}
            >
              {describe(kind, value.trim(), rows)}
              {what} Devices that refuse the change are listed; the others are not affected.
            </Confirm>
          </p>
        </>
      )}
    </section>
  );
}

/** `undefined`: something is missing. */
function changeOf(kind: Kind, value: string, rows: readonly SettingRow[]): BulkChange | undefined {
  switch (kind) {
    case "settings": {
      const settings = settingsOf(rows);
      return Object.keys(settings).length === 0 ? undefined : { kind, settings };
    }
    case "add-tag":
      return value === "" ? undefined : { kind: "labels", labels: { add_tags: [value] } };
    case "remove-tag":
      return value === "" ? undefined : { kind: "labels", labels: { remove_tags: [value] } };
    case "group":
    case "pin":
      return { kind: "labels", labels: { [kind]: value === "" ? null : value } };
    default:
      return { kind };
  }
}

function describe(kind: Kind, value: string, rows: readonly SettingRow[]): string {
  if (kind === "settings")
    return `${Object.entries(settingsOf(rows))
      .map(([name, wanted]) => `${name} = ${wanted}`)
      .join(", ")}. `;
  const label = VALUE_LABELS[kind];
  return label === undefined ? "" : `${label}: ${value || "none"}. `;
}

interface ProgressProps {
  readonly run: Run;
  readonly onStop: () => void;
}

function Progress({ run: { name, total, tally, state }, onStop }: ProgressProps) {
  const count = tally.done + tally.refused;
  const count_ = count.toLocaleString("en");
  return (
    <div class="bulk-run" role="status">
      <p>
        <strong>{name}</strong>{" "}
        {state === "running"
          ? `${count_} of ${plural(total, "device")}…`
          : `${plural(tally.done, "device")} done${state === "stopped" ? `, stopped after ${count_} of ${total.toLocaleString("en")}` : ""}`}
        {tally.refused > 0 && <span class="failure"> · {tally.refused.toLocaleString("en")} unchanged</span>}
      </p>
      {state === "running" && (
        <p class="bulk-progress">
          <progress max={Math.max(total, count, 1)} value={count} aria-label={`${name}, devices so far`} />
          <Button onClick={onStop}>Stop</Button>
          <span class="hint">Leaving this page stops it; devices changed so far stay changed.</span>
        </p>
      )}
      {tally.refusals.length > 0 && (
        <ul class="reasons">
          {tally.refusals.map(({ error, count: times, device_id, message }) => (
            <li key={error}>
              <strong>{plural(times, "device")}</strong>: {message}
              {times > 1 && " (and so on)"} <Link to={devicePath(device_id)}>{device_id}</Link>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

function warnBeforeLeaving(isBusy: boolean): (() => void) | undefined {
  if (!isBusy) return undefined;
  const warn = (event: BeforeUnloadEvent) => event.preventDefault();
  addEventListener("beforeunload", warn);
  return () => removeEventListener("beforeunload", warn);
}
