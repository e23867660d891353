// Views of the device list: each person's own, with bounds.

import { expect } from "chai";
import { TestServer } from "../test-server.js";

describe("saved views of the device list", () => {
  let server: TestServer;
  beforeEach(async () => {
    server = await TestServer.open();
  });
  afterEach(() => server.close());

  it("are a person's own, thirty at most, and kept under their names", async () => {
    const { access: ada } = await server.addUser("ada", "viewer");
    const { access: eve } = await server.addUser("eve", "operator");
    const put = (token: string, name: string, query: string) =>
      server.as(token, "PUT", `/api/auth/views/${encodeURIComponent(name)}`, { query });
    const views = async (token: string) => (await server.as(token, "GET", "/api/auth/views")).json().views;
    expect((await put(ada, "late ones", "status=late")).statusCode).to.equal(200);
    expect(await views(ada)).to.deep.equal([{ name: "late ones", query: "status=late" }]);
    expect(await views(eve)).to.deep.equal([]);
    expect((await put(ada, "bad", "a b<script>")).statusCode).to.equal(400);
    for (let n = 1; n < 30; n++) await put(ada, `view ${n}`, "");
    expect((await put(ada, "one more", "")).json().error).to.equal("VIEW_LIMIT");
    expect((await put(ada, "late ones", "status=offline")).statusCode, "replaced").to.equal(200);
    const remove = (token: string) => server.as(token, "DELETE", "/api/auth/views/late%20ones");
    expect((await remove(eve)).json().error).to.equal("VIEW_UNKNOWN");
    expect((await remove(ada)).statusCode).to.equal(200);
    expect(await views(ada)).to.have.lengthOf(29);
    expect((await put(server.token, "x", "")).json().error).to.equal("NOT_A_USER");
  });
});
