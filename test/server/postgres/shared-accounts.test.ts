import { expect } from "chai";
import { makeLink } from "../../../server/auth/accounts.js";
import { openPostgresStore } from "../../../server/store/postgres.js";
import { postgresOrSkip } from "../../services/postgres.js";
import { PASSWORD, TestServer } from "../test-server.js";

describe("accounts of two servers on one PostgreSQL", () => {
  let servers: TestServer[] = [];
  let one: TestServer;
  let other: TestServer;
  beforeEach(async function () {
    const cluster = await postgresOrSkip(this);
    const url = await cluster.newDatabase();
    const stores = [await openPostgresStore(url), await openPostgresStore(url)];
    servers = await Promise.all(stores.map((store) => TestServer.open({}, store)));
    [one, other] = servers as [TestServer, TestServer];
  });
  afterEach(() => Promise.all(servers.map((server) => server.close())));

  const post = (server: TestServer, url: string, payload: object) =>
    server.app.inject({ method: "POST", url, payload });
  const statusOf = async (server: TestServer, token: string) =>
    (await server.as(token, "GET", "/api/auth/me")).statusCode;

  it("are the same: signed in at one, accepted at the other, and signed out at both", async () => {
    const { access } = await one.addUser("ada", "admin");
    expect(await statusOf(other, access)).to.equal(200);
    await other.as(access, "POST", "/api/auth/logout", {});
    expect(await statusOf(one, access)).to.equal(401);
  });

  it("have one first administrator, even if two people open the link at once", async () => {
    const link = makeLink(null, one.nowMs, 60_000);
    await one.store.putLink(link);
    const answers = await Promise.all(
      servers.map((server, index) =>
        post(server, "/api/setup", {
          token: link.secret,
          name: `admin${index}`,
          password: "a good sentence",
        }),
      ),
    );
    expect(answers.map(({ statusCode }) => statusCode).sort()).to.deep.equal([200, 410]);
    expect(await one.store.countAdmins()).to.equal(1);
  });

  it("survive a refresh token that is used at both at once, and end when an old one is reused", async () => {
    const { refresh } = await one.addUser("ada", "admin");
    const both = await Promise.all(
      servers.map((server) => post(server, "/api/auth/refresh", { refresh_token: refresh })),
    );
    expect(both.map(({ statusCode }) => statusCode)).to.deep.equal([200, 200]);
    const successors = both
      .map((answer) => answer.json().refresh_token)
      .filter((token) => token !== undefined);
    expect(successors).to.have.length(1);
    const next = await post(other, "/api/auth/refresh", { refresh_token: successors[0] });
    expect(next.statusCode).to.equal(200);
    expect((await post(one, "/api/auth/refresh", { refresh_token: refresh })).statusCode).to.equal(401);
    expect(await statusOf(other, next.json().access_token)).to.equal(401);
  });

  it("always keep one administrator, whichever server is asked", async () => {
    await one.addUser("ada", "admin");
    await one.addUser("bob", "admin");
    const names = ["ada", "bob"];
    const answers = await Promise.all(
      servers.map((server, index) =>
        server.admin("PATCH", `/api/users/${names[index]}`, { is_active: false }),
      ),
    );
    expect(answers.map(({ statusCode }) => statusCode).sort()).to.deep.equal([200, 409]);
    expect((await post(one, "/api/auth/login", { name: "ada", password: PASSWORD })).statusCode).to.be.oneOf([
      200, 401,
    ]);
    expect(await other.store.countAdmins()).to.equal(1);
  });

  it("give one enrolment token's last place to one device", async () => {
    await one.admin("PUT", "/api/registration/*", { registration: "enrolment", tokens: "first-use" });
    const { token } = (
      await one.admin("POST", "/api/enrolment-tokens", { name: "one", max_use_count: 1 })
    ).json();
    const answers = await Promise.all(
      servers.map((server, index) => server.check({ device_id: `base-${index}` }, token)),
    );
    expect(answers.map(({ statusCode }) => statusCode).sort()).to.deep.equal([200, 401]);
  });
});
