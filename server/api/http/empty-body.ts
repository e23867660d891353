// Clients that name a JSON content type with every request, also with those that have no body: nothing is no body, whether a route needs one
// is for its schema to say.

import type { FastifyInstance } from "fastify";

export function readEmptyBodies(app: FastifyInstance): void {
  const readJson = app.getDefaultJsonParser("error", "error");
  app.removeContentTypeParser("application/json");
  app.addContentTypeParser<string>("application/json", { parseAs: "string" }, (request, body, done) => {
    if (body.length === 0) done(null, undefined);
    else readJson(request, body, done);
  });
}
