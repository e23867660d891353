// Signing in and out, one's own password and sessions, and the one-time links that set a first password.

import { Type } from "@sinclair/typebox";
import type { FastifyReply, FastifyRequest } from "fastify";
import { changeUser, requireGoodPassword } from "../auth/accounts.js";
import {
  endSession,
  logIn,
  logOut,
  readLink,
  refresh,
  requirePatience,
  type SignedIn,
  useLink,
} from "../auth/login.js";
import { recordChange } from "../events/journal.js";
import { defined } from "../shared/defined.js";
import { time } from "../shared/iso-time.js";
import { Refusal } from "../shared/refusal.js";
import {
  LinkBody,
  LoginBody,
  PasswordBody,
  RefreshBody,
  SessionParams,
  UseLinkBody,
} from "./account-schemas.js";
import {
  ActorView,
  role,
  SessionView,
  SignedInView,
  UserView,
  viewActor,
  viewSession,
  viewUser,
} from "./account-views.js";
import { listed, ok } from "./answers.js";
import type { Context } from "./context.js";
import { boolean, dateTime, oneOf, orNull, textOrNull } from "./fields.js";
import { actorOf, bearerOf, identify, requireSameOrigin } from "./guard.js";
import {
  ACCESS_COOKIE,
  BROWSER_COOKIE,
  clearCookies,
  REFRESH_COOKIE,
  readCookie,
  setBrowserCookie,
  setCookies,
} from "./http/cookies.js";
import { route } from "./route.js";
import type { Api } from "./typed-app.js";

const bodyLimit = 8192;

export function authRoutes(app: Api, context: Context): void {
  const { store, auth, now } = context;
  const where = (request: FastifyRequest) => ({
    address: request.ip,
    client: request.headers["user-agent"] ?? "",
    browser: readCookie(request, BROWSER_COOKIE),
  });

  app.post(
    "/api/auth/login",
    route("public", "Sign in with name and password", ok(SignedInView), { body: LoginBody, bodyLimit }),
    async (request, reply) => {
      const { name, password, cookie } = request.body;
      if (cookie) requireSameOrigin(request, context);
      const login = { name: name.trim().toLowerCase(), password };
      const signedIn = await logIn(context, login, where(request)).catch(async (error: unknown) => {
        await logRefusal(request, error, login.name);
        throw error;
      });
      if (cookie) await rememberBrowser(request, reply, signedIn);
      return answer(reply, signedIn, cookie === true);
    },
  );

  app.post(
    "/api/auth/refresh",
    route("public", "Exchange a refresh token for new tokens", ok(SignedInView), {
      body: RefreshBody,
      bodyLimit,
    }),
    async (request, reply) => {
      const given = request.body.refresh_token;
      const token = given ?? readCookie(request, REFRESH_COOKIE);
      if (token === undefined) throw new Refusal("SESSION_ENDED", "there is no refresh token: sign in");
      if (given === undefined) requireSameOrigin(request, context);
      const signedIn = await refresh(context, token, where(request));
      // A browser that signed in before it was given such a cookie, or that has lost it.
      if (given === undefined && readCookie(request, BROWSER_COOKIE) === undefined)
        await rememberBrowser(request, reply, signedIn);
      return answer(reply, signedIn, given === undefined);
    },
  );

  // Public, because a session can be ended after its access token has expired.
  app.post(
    "/api/auth/logout",
    route("public", "End this session", ok(Type.Object({ signed_in: Type.Literal(false) })), {
      body: RefreshBody,
      bodyLimit,
    }),
    async (request, reply) => {
      const hasCookie = [ACCESS_COOKIE, REFRESH_COOKIE].some(
        (name) => readCookie(request, name) !== undefined,
      );
      const isOurs = bearerOf(request) === undefined && request.body.refresh_token === undefined && hasCookie;
      if (isOurs) requireSameOrigin(request, context);
      const actor = await identify(request, context);
      const shown = request.body.refresh_token ?? readCookie(request, REFRESH_COOKIE);
      await logOut(
        context,
        { sessionId: actor?.sessionId ?? undefined, refreshToken: shown },
        where(request),
      );
      clearCookies(reply, context);
      return { signed_in: false as const };
    },
  );

  // Never an error, so that a page can find out whether a sign-in is needed.
  app.get(
    "/api/auth/session",
    route(
      "public",
      "Whether this browser is signed in",
      ok(
        Type.Object({
          actor: orNull(ActorView, "null: not signed in"),
          can_refresh: boolean("There is a cookie for POST /api/auth/refresh"),
        }),
      ),
    ),
    async (request) => {
      const actor = await identify(request, context);
      return {
        actor: actor ? viewActor(actor) : null,
        can_refresh: readCookie(request, REFRESH_COOKIE) !== undefined,
      };
    },
  );

  app.get(
    "/api/auth/me",
    route("known", "Who makes the request, and what they may do", ok(ActorView)),
    async (request) => viewActor(actorOf(request)),
  );

  app.post(
    "/api/auth/password",
    route("person", "Change one's own password", ok(UserView), { body: PasswordBody, bodyLimit }),
    async (request) => {
      const actor = actorOf(request);
      const user = actor.userId === null ? undefined : await store.findUser(actor.userId);
      if (!user) throw new Refusal("NOT_A_USER", `${actor.name} has no password`);
      const client = { ...where(request), sessionId: actor.sessionId ?? undefined };
      const isKnown = await requirePatience(auth, user.name, client, now());
      const { current_password } = request.body;
      const { isRight } = await auth.passwords.verify(current_password, user.passwordHash, { isKnown });
      if (!isRight) throw new Refusal("PASSWORD_WRONG", "the current password is wrong");
      requireGoodPassword(request.body.new_password, user.name);
      const passwordHash = await auth.passwords.hash(request.body.new_password);
      await auth.throttle.succeeded(user.name, client, now());
      return viewUser(
        await recordChange(context, actor, (journal) =>
          changeUser(journal, user, { passwordHash }, actor.sessionId ?? undefined),
        ),
      );
    },
  );

  app.get(
    "/api/auth/sessions",
    route("person", "List one's own sessions", ok(listed("sessions", SessionView))),
    async (request) => {
      const { userId, sessionId } = actorOf(request);
      const sessions = userId === null ? [] : await store.listSessions(userId, now());
      return { sessions: sessions.map((session) => viewSession(session, sessionId)) };
    },
  );

  app.delete(
    "/api/auth/sessions/:id",
    route("person", "End one of one's own sessions", ok(Type.Object({ ended: Type.Literal(true) })), {
      params: SessionParams,
    }),
    async (request) => {
      const actor = actorOf(request);
      const session = await store.findSession(request.params.id);
      if (!session || session.userId !== actor.userId)
        throw new Refusal("SESSION_UNKNOWN", "you have no such session");
      await endSession(context, actor, session);
      return { ended: true as const };
    },
  );

  app.post(
    "/api/setup/look",
    route(
      "public",
      "What a one-time link is for",
      ok(
        Type.Object({
          purpose: oneOf(["password", "first-admin"]),
          name: textOrNull("Whose password it sets; null: the first administrator's, who has no name yet"),
          role,
          expires_at: dateTime(),
        }),
      ),
      { body: LinkBody, bodyLimit },
    ),
    async ({ body }) => {
      const { link, user } = await readLink(store, body.token, now());
      return {
        purpose: user ? ("password" as const) : ("first-admin" as const),
        name: user?.name ?? null,
        role: user?.role ?? "admin",
        expires_at: time(link.expiresAt),
      };
    },
  );

  app.post(
    "/api/setup",
    route("public", "Set a password with a one-time link, and sign in", ok(SignedInView), {
      body: UseLinkBody,
      bodyLimit,
    }),
    async (request, reply) => {
      const { cookie, ...body } = request.body;
      if (cookie) requireSameOrigin(request, context);
      const signedIn = await useLink(context, body, where(request));
      if (cookie) await rememberBrowser(request, reply, signedIn);
      return answer(reply, signedIn, cookie === true);
    },
  );

  /** Logs existing names only: anything else may be a password typed into the wrong field. */
  async function logRefusal(
    { log, ip: address }: FastifyRequest,
    error: unknown,
    name: string,
  ): Promise<void> {
    const code = error instanceof Refusal ? error.code : "INTERNAL";
    const user = code === "LOGIN_FAILED" ? await store.findUserByName(name) : undefined;
    log.warn({ code, address, ...defined({ name: user?.name }) }, "a sign-in was refused");
  }

  /** Strangers who try its user's password do not keep it out, see auth/known-clients.ts. */
  async function rememberBrowser(request: FastifyRequest, reply: FastifyReply, { user }: SignedIn) {
    const shown = readCookie(request, BROWSER_COOKIE);
    setBrowserCookie(reply, context, await auth.throttle.known.addBrowser(user.name, shown, now()));
  }

  async function answer(reply: FastifyReply, { session, refreshToken, user }: SignedIn, byCookie: boolean) {
    const access = await auth.issueAccess(session.id);
    reply.header("cache-control", "no-store");
    const view = { user: viewUser(user), expires_in: access.expiresInSeconds };
    if (byCookie) {
      setCookies(reply, context, { access: access.token, refresh: refreshToken });
      return view;
    }
    return {
      access_token: access.token,
      token_type: "Bearer" as const,
      ...view,
      ...defined({ refresh_token: refreshToken }),
    };
  }
}
