// Who makes a request, and whether they may change one thing. There is one kind of account so far: whoever passes the guard with a
// token may change everything.

import type { FastifyRequest } from "fastify";
import type { Context } from "./context.js";
import { ApiError } from "./errors.js";

declare module "fastify" {
  interface FastifyContextConfig {
    /** What a request to this route needs: to read, or to change one kind of thing. */
    readonly access?: "read" | "rollouts:write" | "devices:write";
  }
}

export interface Actor {
  /** For people and for the log. */
  readonly name: string;
  /** Device types that may be changed; `null`: all. */
  readonly deviceTypes: readonly string[] | null;
}

/** Who makes a request that has passed the guard. */
export async function actorOf(request: FastifyRequest, { auth }: Context): Promise<Actor> {
  const [, token] = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? "") ?? [];
  const name = token === undefined ? undefined : await auth.verify(token);
  return { name: name ?? "somebody", deviceTypes: null };
}

/** For one thing that is changed. A route that changes many asks for each. @throws ApiError FORBIDDEN */
export function demandChange(
  { name, deviceTypes }: Actor,
  { deviceType }: { readonly deviceType: string },
): void {
  if (deviceTypes === null || deviceTypes.includes(deviceType)) return;
  throw new ApiError(
    403,
    "FORBIDDEN",
    `${name} may change ${deviceTypes.join(", ") || "nothing"}, not ${deviceType}`,
  );
}
