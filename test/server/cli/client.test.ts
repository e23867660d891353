import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { expect } from "chai";
import { baseUrlOf, callServer } from "../../../server/cli/client.js";

describe("the command line's requests", () => {
  let server: Server;
  let url: string;
  const asked: string[] = [];
  before(async () => {
    server = createServer((request, response) => {
      asked.push(`${request.method} ${request.url}`);
      response.setHeader("content-type", "application/json").end("{}");
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  after(() => server.close());

  it("go to a server under a prefix, whether or not its URL ends with a slash", async () => {
    for (const path of ["", "/", "/ota", "/ota/", "/a/b//"])
      await callServer({ server: `${url}${path}`, isAnonymous: true }, "GET /api/devices?limit=1");
    expect(asked).deep.equal(
      ["", "", "/ota", "/ota", "/a/b"].map((prefix) => `GET ${prefix}/api/devices?limit=1`),
    );
  });

  it("keep the sessions of servers apart that share a host", () => {
    expect(baseUrlOf("https://Example.com/one/")).equal("https://example.com/one");
    expect(baseUrlOf("https://example.com/two")).equal("https://example.com/two");
    // As sessions have been stored until now.
    expect(baseUrlOf("https://example.com:443/")).equal("https://example.com");
  });
});
