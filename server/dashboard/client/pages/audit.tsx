// The audit log, newest first, with the fields before and after.

import type { AuditView } from "../../../api/account-views.js";
import { nameOfSubject, pathOfSubject } from "../audit-subject.js";
import { useData, withParams } from "../data.js";
import { moment, words } from "../format.js";
import type { PageProps } from "../page-props.js";
import { Button } from "../parts/button.js";
import { changesOf } from "../parts/changes.js";
import { FilterField } from "../parts/fields.js";
import { Empty, Loading, Problem } from "../parts/notes.js";
import { Older, useOlder } from "../parts/older.js";
import { type Question, useQuestion } from "../parts/question.js";
import { Terms } from "../parts/terms.js";
import { go, Link, withQuery } from "../router.js";
import { ask } from "../session.js";

const LIMIT = 50;

interface AuditAnswer {
  readonly entries: readonly AuditView[];
}

const FILTERS = [
  ["actor", "Who", undefined],
  ["action", "What", "rollout, user.added"],
  ["subject", "Subject", "rollout/3"],
] as const;

export function Audit({ place }: PageProps) {
  const filters = {
    actor: place.query.get("actor") ?? "",
    action: place.query.get("action") ?? "",
    subject: place.query.get("subject") ?? "",
  };
  const path = withParams("/api/audit", { ...filters, limit: LIMIT });
  const newest = useData<AuditAnswer>(path, ["rollout", "firmware", "event"]);
  const question = useQuestion();
  const isFiltered = Object.values(filters).some(Boolean);
  return (
    <>
      <h1>Audit</h1>
      <search class="fields filters">
        {FILTERS.map(([name, label, placeholder]) => (
          <FilterField
            key={name}
            {...{ label, placeholder }}
            value={filters[name]}
            onChange={(text) => go(withQuery(place, { [name]: text }), true)}
          />
        ))}
      </search>
      {question.dialog}
      <Loading {...newest} />
      {newest.data?.entries.length === 0 && (
        <Empty title={isFiltered ? "No entries match" : "No changes yet"}>
          {isFiltered
            ? "Enter names as they are listed here, such as ada or rollout.started."
            : "Every change is recorded here, with its author."}
        </Empty>
      )}
      {newest.data && newest.data.entries.length > 0 && (
        <Entries
          key={path}
          path={path}
          newest={newest.data.entries}
          onAsk={question.ask}
          onUndone={newest.reload}
        />
      )}
    </>
  );
}

interface EntriesProps {
  readonly path: string;
  readonly newest: readonly AuditView[];
  readonly onAsk: (question: Question) => void;
  readonly onUndone: () => void;
}

function Entries({ path, newest, onAsk, onUndone }: EntriesProps) {
  const { items, ...older } = useOlder(newest, LIMIT, async (before) => {
    const { entries } = await ask<AuditAnswer>("GET", `${path}&before=${before}`);
    return entries;
  });
  return (
    <>
      <ol class="card entries audit">
        {items.map((entry) => (
          <li key={entry.id}>
            <p>
              <time dateTime={entry.time}>{moment(entry.time)}</time>
              <strong>{entry.actor}</strong>
              <span class="kind busy">{entry.action.replace(".", " ")}</span>
              <Subject entry={entry} />
              <span class="quiet">{entry.address}</span>
              {entry.undo !== null && <Undo entry={entry} onAsk={onAsk} onUndone={onUndone} />}
            </p>
            <Changes entry={entry} />
          </li>
        ))}
      </ol>
      <Problem text={older.action.problem} />
      <Older {...older} />
    </>
  );
}

function Subject({ entry }: { readonly entry: AuditView }) {
  const to = pathOfSubject(entry.subject);
  const name = nameOfSubject(entry);
  const code = <code>{entry.subject}</code>;
  return (
    <span>
      {to === undefined ? code : <Link to={to}>{code}</Link>} {!entry.subject.endsWith(`/${name}`) && name}
    </span>
  );
}

/** The server offers it only where it still holds, and where taking it back gives nobody more than they have. */
const Undo = ({
  entry,
  onAsk,
  onUndone,
}: Omit<EntriesProps, "path" | "newest"> & { readonly entry: AuditView }) => (
  <Button
    look="link"
    label={`Undo ${entry.action} of ${entry.subject}`}
    onClick={() =>
      onAsk({
        title: "Undo this change?",
        what: `Then ${entry.undo}.`,
        confirmName: "Undo",
        work: async () => {
          await ask("POST", `/api/audit/${entry.id}/undo`);
          onUndone();
        },
      })
    }
  >
    Undo
  </Button>
);

function Changes({ entry }: { readonly entry: AuditView }) {
  const changes = changesOf(entry.before, entry.after);
  if (changes.length === 0) return null;
  return (
    <details>
      <summary>{entry.before ? changes.map(({ name }) => words(name)).join(", ") : "Fields"}</summary>
      <Terms
        class="changes"
        valueClass="mono"
        facts={changes.map(({ name, before, after }) => [
          name,
          <>
            {before !== undefined && <del>{before}</del>} {after !== undefined && <ins>{after}</ins>}
          </>,
        ])}
      />
    </details>
  );
}
