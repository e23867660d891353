// Who makes a request, once it is known: what the guard checks and the audit log names.

import type { Role, Scope } from "./permissions.js";

export interface Actor {
  /** `user`: signed in. `token`: an API token. `local`: the token in the data folder. `here`: a read from this very machine. */
  readonly kind: "user" | "token" | "local" | "here";
  /** For people and for the audit log: `ada`, or `ada (token ci)`. */
  readonly name: string;
  /** The person behind it, however they signed in: `ada`. Of a token, who made it. Decides who must not approve their own work. */
  readonly person: string;
  /** The user, or the owner of the token. */
  readonly userId: number | null;
  readonly sessionId: string | null;
  readonly tokenId: number | null;
  readonly role: Role;
  readonly scopes: readonly Scope[];
  /** Device types that may be seen and changed; `null`: all. */
  readonly deviceTypes: readonly string[] | null;
  /** Where the request came from. */
  readonly address: string;
}

/** Whether an actor has what a route needs. An actor limited to some device types manages no users: it could create one without the limit. */
export function mayDo({ kind, scopes, deviceTypes }: Actor, need: Scope | "person"): boolean {
  if (need === "person") return kind === "user" || kind === "local";
  return scopes.includes(need) && (need !== "users:write" || deviceTypes === null);
}

/** Whether an actor may see and change this one thing. A route about many asks for each of them. */
export const mayChange = ({ deviceTypes }: Actor, { deviceType }: { readonly deviceType: string }): boolean =>
  deviceTypes === null || deviceTypes.includes(deviceType);
