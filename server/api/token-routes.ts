// API tokens: users manage their own, administrators all. A token is shown only once, when it is created.

import { hashSecret, makeSecret } from "../auth/secret.js";
import { recordChange } from "../events/journal.js";
import type { Actor } from "../shared/actor.js";
import { leastRoleFor, scopesOf } from "../shared/permissions.js";
import { Refusal } from "../shared/refusal.js";
import type { Store } from "../store/store.js";
import type { User } from "../store/users.js";
import { NewTokenBody, TokenQuery } from "./account-schemas.js";
import { TokenView, viewToken } from "./account-views.js";
import { created, listed, ok } from "./answers.js";
import type { Context } from "./context.js";
import { named, text } from "./fields.js";
import { actorOf } from "./guard.js";
import { route } from "./route.js";
import { IdParams } from "./schemas.js";
import type { Api } from "./typed-app.js";

const DAY_MS = 24 * 60 * 60_000;
const DEFAULT_DAYS = 90;

export function tokenRoutes(app: Api, context: Context): void {
  const { store } = context;

  app.get(
    "/api/tokens",
    route("person", "List one's own API tokens", ok(listed("tokens", TokenView)), {
      querystring: TokenQuery,
    }),
    async (request) => {
      const actor = actorOf(request);
      const isForAll = request.query.all === true && isAdmin(actor);
      const owner = isForAll ? undefined : await ownerOf(store, actor, request.query.user);
      const tokens = await store.listApiTokens(owner ? { userId: owner.id } : {});
      const names = await namesOf(
        store,
        tokens.map(({ userId }) => userId),
      );
      return { tokens: tokens.map((token) => viewToken(token, names.get(token.userId) ?? "")) };
    },
  );

  app.post(
    "/api/tokens",
    route(
      "person",
      "Create an API token",
      created(
        named("NewApiToken", "An API token that was just created", {
          ...TokenView.properties,
          token: text("Shown only now"),
        }),
      ),
      { body: NewTokenBody, bodyLimit: 8192 },
    ),
    async (request, reply) => {
      const { name, scopes, device_types, expires_in_days = DEFAULT_DAYS, user } = request.body;
      const owner = await ownerOf(store, actorOf(request), user);
      const missing = scopes.find((scope) => !scopesOf(owner.role).includes(scope));
      if (missing)
        throw new Refusal(
          "FORBIDDEN",
          `${owner.name} is ${owner.role} and cannot give ${missing}; ${leastRoleFor(missing)} is the least role with it`,
        );
      const secret = makeSecret("apiToken");
      const token = await recordChange(context, actorOf(request), async (journal) => {
        const added = await journal.store.addApiToken({
          userId: owner.id,
          madeBy: actorOf(request).person,
          name,
          hash: hashSecret(secret),
          scopes,
          deviceTypes: device_types ?? null,
          createdAt: journal.time,
          expiresAt: expires_in_days === null ? null : journal.time + expires_in_days * DAY_MS,
        });
        const after = viewToken(added, owner.name);
        await journal.audit({ action: "token.created", subject: `token/${added.id}`, after });
        return after;
      });
      return reply
        .code(201)
        .header("cache-control", "no-store")
        .send({ ...token, token: secret });
    },
  );

  app.delete(
    "/api/tokens/:id",
    route("person", "Revoke an API token", ok(TokenView), { params: IdParams }),
    async (request) => {
      const actor = actorOf(request);
      return recordChange(context, actor, async (journal) => {
        const known = await journal.store.findApiToken(request.params.id);
        if (!known || (known.userId !== actor.userId && !isAdmin(actor)))
          throw new Refusal("TOKEN_UNKNOWN", `you have no token ${request.params.id}`);
        const owner = (await journal.store.findUser(known.userId))?.name ?? "";
        const revokedAt = known.revokedAt ?? journal.time;
        const changed = await journal.store.changeApiToken(known.id, { revokedAt });
        const after = viewToken(changed ?? known, owner);
        await journal.audit({
          action: "token.revoked",
          subject: `token/${known.id}`,
          before: viewToken(known, owner),
          after,
        });
        return after;
      });
    },
  );
}

const isAdmin = ({ role }: Actor): boolean => role === "admin";

/** The actor or, for administrators, the named user. */
async function ownerOf(store: Store, actor: Actor, name: string | undefined): Promise<User> {
  if (name !== undefined && name !== actor.name && !isAdmin(actor))
    throw new Refusal("FORBIDDEN", "only administrators manage other users' tokens");
  const owner =
    name !== undefined
      ? await store.findUserByName(name)
      : actor.userId === null
        ? undefined
        : await store.findUser(actor.userId);
  if (owner) return owner;
  if (name !== undefined) throw new Refusal("USER_UNKNOWN", `there is no user ${name}`);
  throw new Refusal("USER_MISSING", "the local administrator owns no tokens: name a user");
}

async function namesOf(store: Store, ids: readonly number[]): Promise<ReadonlyMap<number, string>> {
  const users = await Promise.all([...new Set(ids)].map((id) => store.findUser(id)));
  return new Map(users.flatMap((user) => (user ? [[user.id, user.name] as const] : [])));
}
