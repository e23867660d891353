// What of the audit log can be taken back with one request: a change that gave devices or people more than they had, where it still
// holds. Taking it back never offers firmware, opens a door or gives a right, so it is safe at any time; what would is done where it was
// done first, with its own question.

import { changeUser } from "../auth/accounts.js";
import { requireScope } from "../auth/require-change.js";
import { findDefaultPolicy } from "../devices/identity.js";
import type { Journal } from "../events/journal.js";
import { setTypeKind } from "../releases/device-type.js";
import type { Actor } from "../shared/actor.js";
import { ROLES, type Role, type Scope } from "../shared/permissions.js";
import { Refusal } from "../shared/refusal.js";
import { nameRelease } from "../shared/rollout.js";
import type { AuditEntry } from "../store/audit.js";
import type { RegistrationPolicy, Store } from "../store/store.js";
import type { Context } from "./context.js";
import { setPolicy } from "./policy-change.js";
import { TOKEN_POLICIES } from "./registration-views.js";
import { changeFirmware } from "./release-change.js";

/** How one change is taken back. */
interface Undo {
  /** What it needs besides the right to read the log: what the change itself needed. */
  readonly scope: Scope;
  /** What is so afterwards, for a person. */
  readonly outcome: string;
  readonly run: (journal: Journal, context: Context, actor: Actor) => Promise<unknown>;
}

/** @returns `undefined`: it cannot be taken back, or something else has changed it since */
export function undoOf(store: Store, entry: AuditEntry): Promise<Undo | undefined> {
  const [kind, ...rest] = entry.subject.split("/");
  const name = rest.join("/");
  const find = kind === undefined || !Object.hasOwn(FINDERS, kind) ? undefined : FINDERS[kind];
  return find === undefined ? NOTHING : find(store, name, entry);
}

/** @throws Refusal AUDIT_UNKNOWN, NOT_UNDOABLE, FORBIDDEN, LAST_ADMIN */
export async function undo(
  journal: Journal,
  context: Context,
  actor: Actor,
  id: number,
): Promise<{ readonly entry: AuditEntry; readonly outcome: string }> {
  const [entry] = await journal.store.listAudit({ beforeId: id + 1, limit: 1 });
  if (entry?.id !== id) throw new Refusal("AUDIT_UNKNOWN", `the audit log has no entry ${id}`);
  const found = await undoOf(journal.store, entry);
  if (!found)
    throw new Refusal(
      "NOT_UNDOABLE",
      `${entry.action} of ${entry.subject} cannot be undone here: only what gave more than there was before can, as long as nobody has changed it since`,
    );
  requireScope(actor, found.scope);
  await found.run(journal, context, actor);
  return { entry, outcome: found.outcome };
}

type Find = (store: Store, name: string, entry: AuditEntry) => Promise<Undo | undefined>;
const NOTHING: Promise<undefined> = Promise.resolve(undefined);

const FINDERS: Readonly<Record<string, Find>> = Object.freeze({
  async firmware(store, name, { before, after }) {
    const firmware = await store.findFirmware(Number(name));
    if (!firmware || !after) return undefined;
    // Uploaded as stable counts, too: it was offered to nobody before.
    const isStable = after.is_stable === true && before?.is_stable !== true && firmware.isStable;
    const isActive = after.is_active === true && before?.is_active === false && firmware.isActive;
    if (!firmware.isActive || (!isStable && !isActive)) return undefined;
    const changes = { ...(isStable && { isStable: false }), ...(isActive && { isActive: false }) };
    return {
      scope: "releases:write",
      outcome: `${nameRelease(firmware)} is ${isActive ? "inactive" : "not stable"} again: ${isActive ? "no device can download it" : "only rollouts offer it"}`,
      run: (journal, context, actor) => changeFirmware(journal, context, actor, firmware.id, changes),
    };
  },

  async type(store, name, { after }) {
    if (after?.kind !== "legacy" || (await store.findType(name))?.kind !== "legacy") return undefined;
    return {
      scope: "settings:write",
      outcome: `type ${name} is signed again: it accepts no unsigned firmware`,
      run: (journal) => setTypeKind(journal, name, "signed"),
    };
  },

  async registration(store, name, { before, after }) {
    const [current] = await store.findPolicies([name]);
    if (!current || !after || !isStill(current, after)) return undefined;
    const former = before
      ? ({ ...current, ...before, deviceType: name } as RegistrationPolicy)
      : await findDefaultPolicy({ store }, name);
    if (!isStricter(former, current)) return undefined;
    return {
      scope: "settings:write",
      outcome: `${name === "*" ? "all other types" : `type ${name}`}: registration is ${former.registration}, tokens are ${former.tokens} again`,
      run: (journal) => setPolicy(journal, name, before ? pickPolicy(former) : undefined),
    };
  },

  async user(store, name, { action, before, after }) {
    const user = await store.findUserByName(name);
    if (!user || !before || !after) return undefined;
    if (action === "user.enabled")
      return user.isActive
        ? {
            scope: "users:write",
            outcome: `${name} is disabled again`,
            run: (journal) => changeUser(journal, user, { isActive: false }),
          }
        : undefined;
    const [from, to] = [rankOf(ROLES, before.role), rankOf(ROLES, after.role)];
    if (from < 0 || to <= from || user.role !== after.role) return undefined;
    return {
      scope: "users:write",
      outcome: `${name} is ${ROLE_NAMES[before.role as Role]} again`,
      run: (journal) => changeUser(journal, user, { role: before.role as Role }),
    };
  },
} satisfies Readonly<Record<string, Find>>);

const ROLE_NAMES: Readonly<Record<Role, string>> = {
  viewer: "a viewer",
  operator: "an operator",
  admin: "an administrator",
};

/** From the least strict, or from the least right. */
const rankOf = (words: readonly string[], word: unknown): number => words.indexOf(`${word}`);

const STRICTNESS = { registration: ["open", "approval", "enrolment"], tokens: TOKEN_POLICIES } as const;

/** In nothing looser, and in something stricter. */
function isStricter(one: RegistrationPolicy, other: RegistrationPolicy): boolean {
  const steps = (["registration", "tokens"] as const).map(
    (field) => rankOf(STRICTNESS[field], one[field]) - rankOf(STRICTNESS[field], other[field]),
  );
  return steps.every((step) => step >= 0) && steps.some((step) => step > 0);
}

const isStill = (current: RegistrationPolicy, after: Readonly<Record<string, unknown>>): boolean =>
  (["registration", "tokens"] as const).every(
    (field) => after[field] === undefined || after[field] === current[field],
  );

const pickPolicy = ({ deviceType, registration, tokens }: RegistrationPolicy): RegistrationPolicy => ({
  deviceType,
  registration,
  tokens,
});
