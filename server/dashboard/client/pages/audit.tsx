// The audit log, newest first, with the fields before and after.

import { useEffect, useState } from "preact/hooks";
import type { AuditView } from "../../../api/account-views.js";
import { useAction, useData, withParams } from "../data.js";
import { moment, words } from "../format.js";
import type { PageProps } from "../page-props.js";
import { changesOf } from "../parts/changes.js";
import { TextField } from "../parts/fields.js";
import { Empty, Loading, Problem } from "../parts/notes.js";
import { go, withQuery } from "../router.js";
import { ask } from "../session.js";

const LIMIT = 50;
const TYPING_MS = 300;

interface AuditAnswer {
  readonly entries: readonly AuditView[];
  readonly next_before: number | null;
}

export function Audit({ place }: PageProps) {
  const filters = {
    actor: place.query.get("actor") ?? "",
    action: place.query.get("action") ?? "",
    subject: place.query.get("subject") ?? "",
  };
  const path = withParams("/api/audit", { ...filters, limit: LIMIT });
  const newest = useData<AuditAnswer>(path, ["rollout", "firmware", "event"]);
  const isFiltered = Object.values(filters).some(Boolean);
  return (
    <>
      <h1>Audit</h1>
      <search class="fields filters">
        <Filter
          label="Who"
          value={filters.actor}
          onChange={(actor) => go(withQuery(place, { actor }), true)}
        />
        <Filter
          label="What"
          placeholder="rollout, user.added"
          value={filters.action}
          onChange={(action) => go(withQuery(place, { action }), true)}
        />
        <Filter
          label="Subject"
          placeholder="rollout/3"
          value={filters.subject}
          onChange={(subject) => go(withQuery(place, { subject }), true)}
        />
      </search>
      <Loading {...newest} />
      {newest.data?.entries.length === 0 && (
        <Empty title={isFiltered ? "No entries match" : "No changes yet"}>
          {isFiltered
            ? "Enter names as they are listed here, such as ada or rollout.started."
            : "Every change is recorded here, with its author."}
        </Empty>
      )}
      {newest.data && newest.data.entries.length > 0 && (
        <Entries key={path} path={path} newest={newest.data} />
      )}
    </>
  );
}

interface FilterProps {
  readonly label: string;
  readonly value: string;
  readonly placeholder?: string;
  readonly onChange: (value: string) => void;
}

function Filter({ value, onChange, ...rest }: FilterProps) {
  const [text, setText] = useState(value);
  useEffect(() => {
    if (text.trim() === value) return;
    const timer = setTimeout(() => onChange(text.trim()), TYPING_MS);
    return () => clearTimeout(timer);
  }, [text]);
  return <TextField {...rest} value={text} onChange={setText} />;
}

function Entries({ path, newest }: { readonly path: string; readonly newest: AuditAnswer }) {
  const [older, setOlder] = useState<AuditAnswer>();
  const action = useAction();
  const known = new Set(newest.entries.map(({ id }) => id));
  const entries = [...newest.entries, ...(older?.entries ?? []).filter(({ id }) => !known.has(id))];
  const last = older ?? newest;
  const hasMore =
    last.next_before !== null && (older ? older.entries.length : newest.entries.length) % LIMIT === 0;
  const load = () =>
    action.run(async () => {
      const answer = await ask<AuditAnswer>("GET", `${path}&before=${last.next_before}`);
      setOlder({ ...answer, entries: [...(older?.entries ?? []), ...answer.entries] });
    });
  return (
    <>
      <ol class="card audit">
        {entries.map((entry) => (
          <li key={entry.id}>
            <p>
              <time dateTime={entry.time}>{moment(entry.time)}</time>
              <strong>{entry.actor}</strong>
              <span class="kind busy">{entry.action.replace(".", " ")}</span>
              <code>{entry.subject}</code>
              <span class="quiet">{entry.address}</span>
            </p>
            <Changes entry={entry} />
          </li>
        ))}
      </ol>
      <Problem text={action.problem} />
      {hasMore && (
        <p class="actions">
          <button type="button" class="quiet" aria-disabled={action.isBusy} onClick={load}>
            Older
          </button>
        </p>
      )}
    </>
  );
}

function Changes({ entry }: { readonly entry: AuditView }) {
  const changes = changesOf(entry.before, entry.after);
  if (changes.length === 0) return null;
  return (
    <details>
      <summary>{entry.before ? changes.map(({ name }) => words(name)).join(", ") : "Fields"}</summary>
      <dl class="changes">
        {changes.map(({ name, before, after }) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd class="mono">
              {before !== undefined && <del>{before}</del>} {after !== undefined && <ins>{after}</ins>}
            </dd>
          </div>
        ))}
      </dl>
    </details>
  );
}
