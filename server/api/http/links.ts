// Absolute links to this server, for clients that need them.

import type { FastifyRequest } from "fastify";
import type { Context } from "../context.js";

/**
 * At the public URL; without one, as the client has reached us.
 * @param path begins with `/`, without the prefix
 */
export const absoluteUrl = (
  { protocol, host }: Pick<FastifyRequest, "protocol" | "host">,
  { settings }: Pick<Context, "settings">,
  path: string,
): string => `${settings.publicUrl ?? `${protocol}://${host}`}${path}`;
