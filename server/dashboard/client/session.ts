// The session of the user. Its tokens are in cookies that scripts cannot read; this renews them in time, and notifies the page when the
// session has ended.

import type { ActorView } from "../../api/account-views.js";
import { onServer } from "./base.js";

/** Well before the access token expires, after 15 minutes. */
const REFRESH_MS = 10 * 60_000;
const LOOK_MS = 30_000;

/** A request that sends JSON or a form, and receives JSON. @throws Error with the server's message */
export async function ask<Answer>(
  method: string,
  path: string,
  body?: object,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const isJson = body !== undefined && !(body instanceof FormData);
  const response = await fetch(onServer(path), {
    method,
    headers: { ...(isJson && { "content-type": "application/json" }), ...headers },
    body: isJson ? JSON.stringify(body) : (body ?? null),
  }).catch(() => {
    throw new Error("The server does not answer.");
  });
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(answer.message ?? `The server answers ${response.status}.`);
  return answer as Answer;
}

/** The user of this browser; `undefined`: none. */
export async function findActor(): Promise<ActorView | undefined> {
  const load = () =>
    ask<{ readonly actor: ActorView | null; readonly can_refresh: boolean }>("GET", "/api/auth/session");
  const found = await load();
  if (!found.can_refresh || found.actor?.kind === "user") return found.actor ?? undefined;
  await refresh();
  return (await load()).actor ?? undefined;
}

/** Refreshes while the page is open, also after the computer has slept. @returns what ends it */
export function keepSession(onEnd: () => void): () => void {
  let refreshedAt = Date.now();
  const timer = setInterval(async () => {
    if (Date.now() - refreshedAt < REFRESH_MS) return;
    refreshedAt = Date.now();
    if (!(await refresh())) onEnd();
  }, LOOK_MS);
  return () => clearInterval(timer);
}

export const signIn = (name: string, password: string) =>
  ask("POST", "/api/auth/login", { name, password, cookie: true });

export const signOut = () => ask("POST", "/api/auth/logout", {});

/** `false`: the session has ended. A server that does not answer does not end it. */
async function refresh(): Promise<boolean> {
  // Pages of one browser take turns, where it supports locks.
  const run = () => fetch(onServer("/api/auth/refresh"), POST_NOTHING).catch(() => undefined);
  const response = await (navigator.locks?.request("skyslot-refresh", run) ?? run());
  return response?.status !== 401;
}

const POST_NOTHING: RequestInit = Object.freeze({
  method: "POST",
  headers: Object.freeze({ "content-type": "application/json" }),
  body: "{}",
});
