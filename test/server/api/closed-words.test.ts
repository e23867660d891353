import { expect } from "chai";
import { TestServer } from "../test-server.js";

/** A query that is one of a few words. */
const QUERIES = [
  "/api/devices?order=",
  "/api/bulk-jobs?state=",
  "/api/devices?root=",
  "/api/devices?vouched=",
];
const WRONG = ["9223372036854776000", "0", "constructor", "__proto__", "SEEN", "seen ", "", "id,seen"];

describe("a query that is one of a few words", () => {
  let server: TestServer;
  before(async () => {
    server = await TestServer.open();
  });
  after(() => server.close());

  for (const query of QUERIES)
    it(`is refused when it is another: ${query}…`, async () => {
      for (const word of WRONG) {
        const answer = await server.admin("GET", `${query}${encodeURIComponent(word)}`);
        expect([answer.statusCode, word], answer.body).to.deep.equal([400, word]);
        expect(answer.json().message).to.match(/^querystring: /);
      }
    });

  it("is taken when it is one of them", async () => {
    for (const order of ["seen", "id", "type", "battery", "signal"])
      expect((await server.admin("GET", `/api/devices?order=${order}`)).statusCode, order).to.equal(200);
  });
});
