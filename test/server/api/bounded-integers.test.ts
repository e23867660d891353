// A number that no database can hold is refused by the schemas: PostgreSQL fails at one that is out of the range of its type.

import type { TSchema } from "@sinclair/typebox";
import { expect } from "chai";
import type { RouteOptions } from "fastify";
import { TestServer } from "../test-server.js";

/** Where a schema has an integer without both bounds, or with one that JavaScript cannot represent. */
function* unbounded(schema: unknown, path: string): Generator<string> {
  if (typeof schema !== "object" || schema === null) return;
  const { type, minimum, maximum } = schema as TSchema;
  const isBounded = Number.isSafeInteger(minimum) && Number.isSafeInteger(maximum);
  if (type === "integer" && !isBounded) yield path;
  for (const [name, inner] of Object.entries(schema)) yield* unbounded(inner, `${path}.${name}`);
}

describe("an integer that a client sends", () => {
  const tooLarge = ["9223372036854776000", "9007199254740993", `1${"0".repeat(300)}`];
  let server: TestServer;
  afterEach(() => server.close());

  it("has bounds in every route", async () => {
    const routes: RouteOptions[] = [];
    server = await TestServer.open({}, undefined, (route) => routes.push(route));
    await server.app.ready();
    const found = routes.flatMap(({ method, url, schema }) =>
      (["params", "querystring", "body", "headers"] as const).flatMap((part) => [
        ...unbounded(schema?.[part], `${method} ${url} ${part}`),
      ]),
    );
    expect(routes.length).above(100);
    expect(found).deep.equal([]);
  });

  it("is refused above them", async () => {
    server = await TestServer.open();
    for (const number of tooLarge) {
      for (const path of [
        "/api/audit?before=",
        "/api/rollouts?firmware_id=",
        "/api/ota/admin/logs?firmware_id=",
      ])
        expect((await server.admin("GET", path + number)).statusCode, path + number).equal(400);
      const answer = await server.admin("POST", "/api/rollouts/1/rollback", { firmware_id: Number(number) });
      expect(answer.statusCode, number).equal(400);
    }
  });
});
