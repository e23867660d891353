// What became of the last updates, newest first, as it is kept in NVS for the device's page. A bounded list; nothing is decided by it but
// that a version which has failed is not tried again by itself.

import { utf8Length } from "../bytes.js";
import { type JsonValue, readJson, writeJson } from "../json.js";

/** NVS key of the list. */
export const HISTORY_KEY = "system.log";
/** Of its text, bytes. */
export const MAX_HISTORY_LENGTH = 3_000;
export const MAX_ENTRY_COUNT = 10;
const MAX_REASON_LENGTH = 160;

export interface HistoryEntry {
  readonly version: string;
  readonly result: "finished" | "failed";
  /** Why it has failed, or what it was finished without; may be empty. */
  readonly reason: string;
  /** When it ended, seconds since 1970; 0: the device did not know the time. */
  readonly time: number;
  /** Which device `version` is of, or `both`; absent: of the system. */
  readonly what?: string;
}

export type History = readonly HistoryEntry[];

/** The list with another entry. The same end is not entered twice: a power cut behind its entry lets a job end again. */
export function withEntry(history: History, entry: HistoryEntry): History {
  const { version, result, time, what } = entry;
  const reason = entry.reason.slice(0, MAX_REASON_LENGTH);
  const short: HistoryEntry = { version, result, reason, time, ...(what === undefined ? {} : { what }) };
  const [last] = history;
  const isAgain =
    last?.version === version && last.result === result && last.reason === reason && last.what === what;
  return [short, ...history.slice(isAgain ? 1 : 0, MAX_ENTRY_COUNT - 1)];
}

const isOfSystem = ({ what }: HistoryEntry): boolean => what === undefined;

/** Whether the last attempt at this version of the system has failed. */
export const hasFailed = (history: History, version: string): boolean =>
  history.find((entry) => isOfSystem(entry) && entry.version === version)?.result === "failed";

/** The version of the system that was installed last; empty: none. */
export const lastInstalled = (history: History): string =>
  history.find((entry) => isOfSystem(entry) && entry.result === "finished")?.version ?? "";

/** Oldest entries are left out if the text would be too long. */
export function writeHistory(history: History): string {
  for (let count = history.length; count > 0; count--) {
    const text = writeJson(
      history
        .slice(0, count)
        .map(({ version, result, reason, time, what }) => [
          version,
          result === "finished" ? 1 : 0,
          reason,
          time,
          ...(what === undefined ? [] : [what]),
        ]),
    );
    if (utf8Length(text) <= MAX_HISTORY_LENGTH) return text;
  }
  return "[]";
}

/** What cannot be read counts as none. */
export function readHistory(text: string | undefined): History {
  const rows = text === undefined ? undefined : readJson(text);
  return Array.isArray(rows) ? rows.slice(0, MAX_ENTRY_COUNT).flatMap(readEntry) : [];
}

function readEntry(row: JsonValue): readonly HistoryEntry[] {
  const [version, result, reason, time, what] = Array.isArray(row) ? (row as readonly JsonValue[]) : [];
  if (typeof version !== "string" || typeof reason !== "string" || typeof time !== "number") return [];
  const about = typeof what === "string" ? { what } : {};
  return [{ version, result: result === 1 ? "finished" : "failed", reason, time, ...about }];
}
