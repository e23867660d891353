// Where the subject of an audit line can be seen, and what it is called. Pure.

import type { AuditView } from "../../api/account-views.js";

const PATHS: ReadonlyMap<string, (id: string) => string> = new Map([
  ["rollout", (id) => `/ota-management/rollouts/${id}`],
  ["device", (id) => `/devices/${encodeURIComponent(id)}`],
]);

/** @returns a page of this server; `undefined`: it has none, such as a token */
export function pathOfSubject(subject: string): string | undefined {
  const slash = subject.indexOf("/");
  return slash < 0 ? undefined : PATHS.get(subject.slice(0, slash))?.(subject.slice(slash + 1));
}

/** As the line knows it, such as the name of a rollout. */
export function nameOfSubject({ before, after }: Pick<AuditView, "before" | "after">): string | undefined {
  for (const fields of [after, before]) {
    const name: unknown = (fields as { readonly name?: unknown } | null)?.name;
    if (typeof name === "string" && name !== "") return name;
  }
  return undefined;
}
