// The complete matrix of roles and scopes, written out: a role that gains or loses a scope fails here, however the code derives it.

import { expect } from "chai";
import { type Actor, mayChange, mayDo } from "../../../server/shared/actor.js";
import {
  leastRoleFor,
  ROLES,
  SCOPE_NAMES,
  type Scope,
  scopesOf,
  scopesOfToken,
} from "../../../server/shared/permissions.js";

const MATRIX: Readonly<
  Record<Scope, { readonly viewer: boolean; readonly operator: boolean; readonly admin: boolean }>
> = {
  read: { viewer: true, operator: true, admin: true },
  "releases:write": { viewer: false, operator: true, admin: true },
  "rollouts:write": { viewer: false, operator: true, admin: true },
  "devices:write": { viewer: false, operator: true, admin: true },
  "content:write": { viewer: false, operator: true, admin: true },
  "mesh:report": { viewer: false, operator: true, admin: true },
  "audit:read": { viewer: false, operator: true, admin: true },
  "settings:write": { viewer: false, operator: false, admin: true },
  "users:write": { viewer: false, operator: false, admin: true },
};
const SCOPES = Object.keys(MATRIX) as Scope[];

const actor = (changes: Partial<Actor>): Actor => ({
  kind: "token",
  name: "ada (token ci)",
  person: "ada",
  userId: 1,
  sessionId: null,
  tokenId: 1,
  role: "admin",
  scopes: SCOPES,
  deviceTypes: null,
  address: "192.0.2.1",
  ...changes,
});

describe("roles and scopes", () => {
  it("are these and no others", () => {
    expect(ROLES).to.deep.equal(["viewer", "operator", "admin"]);
    expect([...SCOPE_NAMES].sort()).to.deep.equal([...SCOPES].sort());
  });

  it("match the table, for users and for their tokens", () => {
    for (const role of ROLES) {
      for (const scope of SCOPES) {
        expect(scopesOf(role).includes(scope), `${role} ${scope}`).to.equal(MATRIX[scope][role]);
        const ofToken = scopesOfToken([scope], role);
        expect(ofToken, `a token of ${role} for ${scope}`).to.deep.equal(MATRIX[scope][role] ? [scope] : []);
      }
    }
    expect(scopesOfToken([], "admin"), "a token has what it was given, no more").to.deep.equal([]);
  });

  it("name the least role that has a scope", () => {
    expect(leastRoleFor("read")).to.equal("viewer");
    expect(leastRoleFor("audit:read")).to.equal("operator");
    expect(leastRoleFor("settings:write")).to.equal("admin");
  });

  it("decide what an actor may do", () => {
    for (const scope of SCOPES) {
      for (const needed of SCOPES)
        expect(mayDo(actor({ scopes: [scope] }), needed), `${scope} for ${needed}`).to.equal(
          scope === needed,
        );
    }
    const bound = actor({ deviceTypes: ["led"] });
    expect(mayDo(bound, "devices:write")).to.equal(true);
    expect(mayDo(bound, "users:write"), "a user is of no device type").to.equal(false);
  });

  it("restrict what needs a person to signed-in users", () => {
    for (const [kind, isPerson] of [
      ["user", true],
      ["local", true],
      ["token", false],
      ["here", false],
    ] as const)
      expect(mayDo(actor({ kind }), "person"), kind).to.equal(isPerson);
  });

  it("bind a token to its device types", () => {
    expect(mayChange(actor({ deviceTypes: null }), { deviceType: "led" })).to.equal(true);
    expect(mayChange(actor({ deviceTypes: ["led"] }), { deviceType: "led" })).to.equal(true);
    expect(mayChange(actor({ deviceTypes: ["led"] }), { deviceType: "cms" })).to.equal(false);
    expect(mayChange(actor({ deviceTypes: [] }), { deviceType: "led" })).to.equal(false);
  });
});
