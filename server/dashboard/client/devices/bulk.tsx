// Changes of many devices: those selected, or all that match the filters. The server carries them out, and goes on when this page is
// closed: opened again, it shows how far it has come.

import { useEffect, useState } from "preact/hooks";
import type { BulkJobView } from "../../../api/bulk-job-routes.js";
import type { BulkChange, Selection } from "../../../shared/bulk-run.js";
import { useAction } from "../data.js";
import { plural } from "../format.js";
import { devicePath } from "../log.js";
import { Button } from "../parts/button.js";
import { Confirm } from "../parts/confirm.js";
import { ChoiceField, TextField } from "../parts/fields.js";
import { Problem } from "../parts/notes.js";
import { Link } from "../router.js";
import { ask } from "../session.js";
import { type Abilities, useAbilities } from "./abilities.js";
import { changedSettings, type Drafts, SettingFields } from "./setting-fields.js";
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

export function Bulk({ ids, found, kinds = ALL_KINDS, onDone, onLeave }: BulkProps) {
  const [isAll, setIsAll] = useState(false);
  const [wantedKind, setKind] = useState<Kind>(kinds[0] ?? "restart");
  const [value, setValue] = useState("");
  const [rows, setRows] = useState<readonly SettingRow[]>([EMPTY_ROW]);
  const [drafts, setDrafts] = useState<Drafts>({});
  const action = useAction();
  const { job, begin: follow, leave } = useJob(onDone);
  // A change of the filters or the selection ends the selection of all.
  useEffect(() => setIsAll(false), [ids.join(), JSON.stringify(found?.filter)]);
  const takesAll = isAll && found !== undefined;
  const total = takesAll ? found.total : ids.length;
  const selection: Selection = takesAll ? { filter: found.filter } : { ids };
  const abilities = useAbilities(selection, kinds.includes("settings") ? total : 0);
  const offeredKinds = kinds.filter((one) => isPossible(one, abilities));
  const kind = offeredKinds.includes(wantedKind) ? wantedKind : (offeredKinds[0] ?? "restart");
  const changed = changedSettings(abilities?.offered ?? [], drafts);
  const settings = { ...settingsOf(rows), ...changed };
  const change = changed && changeOf(kind, value.trim(), settings);
  const { name, what } = WORDS[kind];
  const start = async (wanted: BulkChange) => {
    const named = "ids" in selection ? { devices: selection.ids } : selection;
    follow(await ask<BulkJobView>("POST", "/api/bulk-jobs", { ...wanted, ...named }));
  };
  const begin = () => {
    leave();
    setKind(kinds[0] ?? "restart");
    setValue("");
    setRows([EMPTY_ROW]);
    setDrafts({});
  };
  if (ids.length === 0 && !job) return null;
  return (
    <section class="card bulk" aria-label="Change the selected devices">
      {job && (
        <Progress
          job={job}
          onStop={() =>
            action.run(async () => follow(await ask<BulkJobView>("POST", `/api/bulk-jobs/${job.id}/cancel`)))
          }
        />
      )}
      <Problem text={action.problem} />
      {job && job.state !== "running" && (
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
      {!job && (
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
              choices={offeredKinds.map((one) => [one, WORDS[one].name] as const)}
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
          {kind === "settings" && abilities && (
            <>
              {abilities.offered.length > 0 && (
                <SettingFields offered={abilities.offered} drafts={drafts} onChange={setDrafts} />
              )}
              {abilities.hasUntold && <SettingRows rows={rows} onChange={setRows} />}
            </>
          )}
          <p class="actions">
            <Confirm
              name={name}
              title={`${name}: ${plural(total, "device")}?`}
              confirmName={`${name}: ${plural(total, "device")}`}
              isDangerous={DANGEROUS.includes(kind)}
              isPrimary
              isDisabled={change === undefined || total === 0}
              onConfirm={async () => {
                if (change) await start(change);
              }}
            >
              {describe(kind, value.trim(), settings)}
              {what} Devices that refuse the change are listed; the others are not affected.
            </Confirm>
          </p>
        </>
      )}
    </section>
  );
}

type Settings = ReturnType<typeof settingsOf>;

/** Whether one of the chosen devices can do it. */
const isPossible = (kind: Kind, abilities: Abilities | undefined): boolean =>
  (kind !== "restart" && kind !== "settings") ||
  !abilities ||
  abilities.hasUntold ||
  abilities.orders.has(kind);

/** `undefined`: something is missing. */
function changeOf(kind: Kind, value: string, settings: Settings): BulkChange | undefined {
  switch (kind) {
    case "settings":
      return Object.keys(settings).length === 0 ? undefined : { kind, settings };
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

function describe(kind: Kind, value: string, settings: Settings): string {
  if (kind === "settings")
    return `${Object.entries(settings)
      .map(([name, wanted]) => `${name} = ${wanted}`)
      .join(", ")}. `;
  const label = VALUE_LABELS[kind];
  return label === undefined ? "" : `${label}: ${value || "none"}. `;
}

interface ProgressProps {
  readonly job: BulkJobView;
  readonly onStop: () => void;
}

function Progress({ job: { kind, total, done, refused, refusals, state, reason }, onStop }: ProgressProps) {
  const name = nameOf(kind);
  const count = done + refused;
  const counted = count.toLocaleString("en");
  return (
    <div class="bulk-run" role="status">
      <p>
        <strong>{name}</strong>{" "}
        {state === "running"
          ? `${counted} of ${plural(total, "device")}…`
          : `${plural(done, "device")} done${state === "cancelled" ? `, stopped after ${counted} of ${total.toLocaleString("en")}` : ""}`}
        {refused > 0 && <span class="failure"> · {refused.toLocaleString("en")} unchanged</span>}
      </p>
      {reason !== null && <p class="failure">{reason}</p>}
      {state === "running" && (
        <p class="bulk-progress">
          <progress max={Math.max(total, count, 1)} value={count} aria-label={`${name}, devices so far`} />
          <Button onClick={onStop}>Stop</Button>
          <span class="hint">
            The server goes on if you leave this page. If you stop it, devices changed so far stay changed.
          </span>
        </p>
      )}
      {refusals.length > 0 && (
        <ul class="reasons">
          {refusals.map(({ error, count: times, device_id, message }) => (
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

/** A change of labels has several names on this page, and one at the server. */
const nameOf = (kind: BulkJobView["kind"]): string =>
  kind === "labels" ? "Change labels" : WORDS[kind].name;

const POLL_MS = 500;

/** The job that this page has begun, or one that was under way when it was opened; until it is left. */
function useJob(onEnd: () => void) {
  const [job, setJob] = useState<BulkJobView>();
  const isRunning = job?.state === "running";
  useEffect(() => {
    let isGone = false;
    ask<{ readonly jobs: readonly BulkJobView[] }>("GET", "/api/bulk-jobs?state=running&limit=1").then(
      ({ jobs: [running] }) => !isGone && running && setJob((known) => known ?? running),
      // Those who may not see jobs begin none either.
      () => {},
    );
    return () => {
      isGone = true;
    };
  }, []);
  useEffect(() => {
    if (!isRunning) return;
    const timer = setInterval(
      () => ask<BulkJobView>("GET", `/api/bulk-jobs/${job.id}`).then(setJob, () => {}),
      POLL_MS,
    );
    return () => {
      clearInterval(timer);
      onEnd();
    };
  }, [isRunning, job?.id]);
  return { job, begin: setJob, leave: () => setJob(undefined) };
}
