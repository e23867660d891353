// What concerns every device and seldom changes: types, policies, releases, roots, webhooks. Transactions read it from memory. It is kept
// with the revision of the fleet at which it was read (no-op-checks.ts), which each of them reads from the database: so what another server
// has changed meanwhile counts at once, and a transaction sees of it what it sees of everything else.
//
//   transaction ─▶ revision? ─▶ kept at this revision? ─▶ value
//                                     └─ no ─▶ database ─▶ kept, unless the transaction itself has changed what concerns every device

import { type Kysely, sql } from "kysely";
import type { Tables } from "./tables.js";

/** There is one row at most. */
const REVISION = "select coalesce((select revision from fleet_revision), 0) as revision";
/** Types, their releases, and releases one by one; when there are more it begins again. */
const MAX_FACT_COUNT = 2000;

/** One transaction that reads. */
interface Reader {
  readonly facts: FleetFacts;
  revision: Promise<number> | undefined;
}
const readers = new WeakMap<Kysely<Tables>, Reader>();

export class FleetFacts {
  #revision = -1;
  readonly #values = new Map<string, unknown>();

  /** From now on a transaction reads what is kept here. */
  begin(transaction: Kysely<Tables>): void {
    readers.set(transaction, { facts: this, revision: undefined });
  }

  /** Transactions were not kept, among which may be one that had another revision. */
  clear(): void {
    this.#revision = -1;
    this.#values.clear();
  }

  find(revision: number, name: string): { readonly value: unknown } | undefined {
    return revision === this.#revision && this.#values.has(name)
      ? { value: this.#values.get(name) }
      : undefined;
  }

  keep(revision: number, name: string, value: unknown): void {
    // of a transaction that has begun before the last change
    if (revision < this.#revision) return;
    if (revision > this.#revision || this.#values.size >= MAX_FACT_COUNT) this.#values.clear();
    this.#revision = revision;
    this.#values.set(name, value);
  }
}

/** @param name of the fact, with everything that it depends on besides the revision */
export async function readFact<Value>(
  db: Kysely<Tables>,
  name: string,
  read: () => Promise<Value>,
): Promise<Value> {
  const reader = readers.get(db);
  if (!reader) return read();
  reader.revision ??= readRevision(db);
  const revision = await reader.revision;
  const kept = reader.facts.find(revision, name);
  if (kept) return kept.value as Value;
  const value = await read();
  if (readers.has(db)) reader.facts.keep(revision, name, value);
  return value;
}

/** The transaction has read it together with something else. */
export function noteRevision(db: Kysely<Tables>, revision: number): void {
  const reader = readers.get(db);
  if (reader) reader.revision ??= Promise.resolve(revision);
}

/** The transaction changes what concerns every device: what it reads from now on nobody else may see yet. */
export const leaveFacts = (db: Kysely<Tables>): boolean => readers.delete(db);

async function readRevision(db: Kysely<Tables>): Promise<number> {
  const { rows } = await sql.raw<{ revision: number }>(REVISION).execute(db);
  return rows[0]?.revision ?? 0;
}
