// What the audit log records of a change: the fields that differ, as they were and as they are, and never a secret. Where none
// differs nothing was changed, and nothing stands there.

import type { NewAuditEntry } from "../store/audit.js";

export interface Audited {
  /** `firmware.changed`, `user.disabled` …: the kind of thing, a dot, what was done. */
  readonly action: string;
  /** `firmware/3`, `user/ada` …: the kind of thing, a slash, which one. */
  readonly subject: string;
  /** The whole thing before the change; absent: it was not there. */
  readonly before?: object | null | undefined;
  /** The whole thing after it; absent: it is not there any more. */
  readonly after?: object | null | undefined;
}

/** Longest text of one field. Longer text is cut: the log records what was done, it is no backup. */
const MAX_TEXT_LENGTH = 500;
const SECRET_NAME = /password|secret|private_?key|credential|authorization|cookie|token$|token_?hash$/i;

/** Fields that say when something was asked for last, also if it was what it is already. */
const BOOKKEEPING: readonly string[] = Object.freeze(["updated_at", "updatedAt"]);

/** Whether something was there before, is there after, and is no other. */
export const isUnchanged = ({ before, after }: ReturnType<typeof describeChange>): boolean =>
  before !== null &&
  after !== null &&
  Object.keys({ ...before, ...after }).every((name) => BOOKKEEPING.includes(name));

export function describeChange(
  change: Audited,
): Pick<NewAuditEntry, "action" | "subject" | "before" | "after"> {
  const before = change.before ? (change.before as Record<string, unknown>) : undefined;
  const after = change.after ? (change.after as Record<string, unknown>) : undefined;
  return {
    action: change.action,
    subject: change.subject,
    before: before ? pick(before, after) : null,
    after: after ? pick(after, before) : null,
  };
}

/** The fields of one that the other does not have, or has otherwise. */
function pick(
  one: Record<string, unknown>,
  other: Record<string, unknown> | undefined,
): Record<string, unknown> {
  const differing = Object.entries(one).filter(
    ([name, value]) =>
      value !== undefined && (!other || JSON.stringify(other[name]) !== JSON.stringify(value)),
  );
  return Object.fromEntries(
    differing.map(([name, value]) => [name, isSecretName(name, value) ? "(secret)" : tell(value)]),
  );
}

const isSecretName = (name: string, value: unknown): boolean =>
  SECRET_NAME.test(name) && (typeof value === "string" || Buffer.isBuffer(value));

/** Any depth, without secrets and long texts. */
function tell(value: unknown): unknown {
  if (typeof value === "string")
    return value.length > MAX_TEXT_LENGTH ? `${value.slice(0, MAX_TEXT_LENGTH)}…` : value;
  if (Array.isArray(value)) return value.map(tell);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [
      name,
      isSecretName(name, inner) ? "(secret)" : tell(inner),
    ]),
  );
}
