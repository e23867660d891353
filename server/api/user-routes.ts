// Users, for administrators. A user is never removed, only disabled: the audit log refers to them.

import { addUser, changeUser, makeUserLink, requireGoodPassword } from "../auth/accounts.js";
import { type Journal, recordChange } from "../events/journal.js";
import { defined } from "../shared/defined.js";
import { time } from "../shared/iso-time.js";
import { Refusal } from "../shared/refusal.js";
import type { User } from "../store/users.js";
import { NewUserBody, UserParams, UserPatch } from "./account-schemas.js";
import { LinkView, NewUserView, UserView, viewUser } from "./account-views.js";
import { created, listOf, ok, page } from "./answers.js";
import type { Context } from "./context.js";
import { actorOf } from "./guard.js";
import { route } from "./route.js";
import { PageQuery } from "./schemas.js";
import type { Api } from "./typed-app.js";

const bodyLimit = 8192;

export function userRoutes(app: Api, context: Context): void {
  const { store, auth } = context;

  app.get(
    "/api/users",
    route("users:write", "List users", ok(listOf("users", UserView)), { querystring: PageQuery }),
    async ({ query }) => page("users", await store.listUsers(query), viewUser, query),
  );

  app.post(
    "/api/users",
    route(
      "users:write",
      "Add a user; without a password the answer contains a link to set one",
      created(NewUserView),
      { body: NewUserBody, bodyLimit },
    ),
    async (request, reply) => {
      const { name, role, password } = request.body;
      if (password !== undefined) requireGoodPassword(password, name);
      const passwordHash = password === undefined ? null : await auth.passwords.hash(password);
      const [user, link] = await recordChange(context, actorOf(request), async (journal) => {
        const added = await addUser(journal, { name, role, passwordHash });
        return [added, passwordHash === null ? await makeUserLink(journal, added) : undefined] as const;
      });
      return reply
        .code(201)
        .header("cache-control", "no-store")
        .send({ ...viewUser(user), ...(link ? viewLink(context, link) : {}) });
    },
  );

  app.patch(
    "/api/users/:name",
    route("users:write", "Change a user", ok(UserView), { params: UserParams, body: UserPatch, bodyLimit }),
    async (request) => {
      const { name } = request.params;
      const { role, is_active, password } = request.body;
      if (password !== undefined) requireGoodPassword(password, name);
      const passwordHash = password === undefined ? undefined : await auth.passwords.hash(password);
      const changes = defined({ role, isActive: is_active, passwordHash });
      const changed = await recordChange(context, actorOf(request), async (journal) =>
        changeUser(journal, await requireUser(journal, name), changes),
      );
      return viewUser(changed);
    },
  );

  app.post(
    "/api/users/:name/link",
    route("users:write", "Create a one-time link with which a user sets a new password", created(LinkView), {
      params: UserParams,
    }),
    async (request, reply) => {
      const link = await recordChange(context, actorOf(request), async (journal) =>
        makeUserLink(journal, await requireUser(journal, request.params.name)),
      );
      return reply.code(201).header("cache-control", "no-store").send(viewLink(context, link));
    },
  );
}

/** The secret is behind the #, so that it reaches no log and no other site. */
const viewLink = (
  { prefix }: Pick<Context, "prefix">,
  { secret, expiresAt }: { readonly secret: string; readonly expiresAt: number },
) => ({
  link: `${prefix}/setup#${secret}`,
  link_expires_at: time(expiresAt),
});

async function requireUser({ store }: Journal, name: string): Promise<User> {
  const user = await store.findUserByName(name);
  if (!user) throw new Refusal("USER_UNKNOWN", `there is no user ${name}`);
  return user;
}
