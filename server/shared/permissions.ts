// Who may do what: roles are for people, scopes for what is done, and each route names the one scope that it needs. A token has
// the scopes it was given, but never one that its owner's role does not have.

export const ROLES = Object.freeze(["viewer", "operator", "admin"] as const);
export type Role = (typeof ROLES)[number];

/** What may be done, and what it means to a person who makes a token. */
export const SCOPES = Object.freeze({
  read: "see devices, releases, rollouts and the log",
  "releases:write": "upload, change and deactivate releases",
  "rollouts:write": "start, pause and cancel rollouts",
  "devices:write": "approve, block, tag and command devices",
  "content:write": "change what displays show",
  "mesh:report": "fetch updates for a mesh and report its nodes, as a gateway does",
  "audit:read": "see who changed what",
  "settings:write": "change the server's settings",
  "users:write": "add, change and disable users",
});
export type Scope = keyof typeof SCOPES;
export const SCOPE_NAMES = Object.freeze(Object.keys(SCOPES) as Scope[]);

/**
 * What a route needs. `public`: nothing. `device`: a device's own route, which checks the device itself. `known`: any
 * identified user or token, whatever its scopes. `person`: a signed-in user; an API token is not enough. Otherwise the scope.
 */
export type Need = "public" | "device" | "known" | "person" | Scope;

const OPERATOR: readonly Scope[] = Object.freeze([
  "read",
  "releases:write",
  "rollouts:write",
  "devices:write",
  "content:write",
  "mesh:report",
  "audit:read",
]);

const SCOPES_OF: Readonly<Record<Role, readonly Scope[]>> = Object.freeze({
  viewer: Object.freeze(["read"] as const),
  operator: OPERATOR,
  admin: SCOPE_NAMES,
});

export const scopesOf = (role: Role): readonly Scope[] => SCOPES_OF[role];

/** What a token may do whose owner has this role. */
export const scopesOfToken = (given: readonly Scope[], owner: Role): readonly Scope[] =>
  given.filter((scope) => SCOPES_OF[owner].includes(scope));

/** The least role that has a scope: what an error names. */
export const leastRoleFor = (scope: Scope): Role =>
  ROLES.find((role) => SCOPES_OF[role].includes(scope)) ?? "admin";
