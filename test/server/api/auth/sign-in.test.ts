import { expect } from "chai";
import { decodeJwt, decodeProtectedHeader, SignJWT } from "jose";
import { makeLink } from "../../../../server/auth/accounts.js";
import { Auth } from "../../../../server/auth/auth.js";
import { hashPassword } from "../../../../server/auth/password.js";
import type { Actor } from "../../../../server/shared/actor.js";
import { PASSWORD, START_MS, TestServer } from "../../test-server.js";

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

describe("signing in", () => {
  let server: TestServer;
  beforeEach(async () => {
    server = await TestServer.open();
  });
  afterEach(() => server.close());

  const post = (url: string, payload: object, headers: Record<string, string> = {}) =>
    server.app.inject({ method: "POST", url, payload, headers });
  const login = (name: string, password: string) => post("/api/auth/login", { name, password });
  const refresh = (token: string) => post("/api/auth/refresh", { refresh_token: token });
  const me = (token: string) => server.as(token, "GET", "/api/auth/me");

  it("gives an access token for 15 minutes that names its key and its session, and nothing else", async () => {
    const { access } = await server.addUser("ada", "operator");
    expect(decodeProtectedHeader(access)).to.include({ alg: "ES256", typ: "at+jwt" });
    expect(Object.keys(decodeJwt(access)).sort()).to.deep.equal(["exp", "iat", "iss", "sid"]);
    expect((await me(access)).json()).to.deep.include({ name: "ada", kind: "user", role: "operator" });
    server.nowMs += 15 * MINUTE_MS - 1000;
    expect((await me(access)).statusCode).to.equal(200);
    server.nowMs += 1000;
    expect((await me(access)).statusCode).to.equal(401);
  });

  it("answers the same for a wrong password, an unknown user, a disabled one and one without a password", async () => {
    await server.addUser("ada", "viewer");
    await server.addUser("bob", "viewer");
    await server.admin("PATCH", "/api/users/bob", { is_active: false });
    await server.admin("POST", "/api/users", { name: "eve", role: "viewer" });
    const answers = [
      await login("ada", "wrong horse battery"),
      await login("nobody", PASSWORD),
      await login("bob", PASSWORD),
      await login("eve", PASSWORD),
      await login("eve", ""),
      await login("no name like this!", PASSWORD),
    ];
    for (const answer of answers) {
      expect(answer.statusCode).to.equal(401);
      expect(answer.body).to.equal(answers[0]?.body);
    }
  });

  it("refuses tokens that are forged, of another key, without expiry, or of another kind", async () => {
    const { access } = await server.addUser("ada", "admin");
    const { kid = "" } = decodeProtectedHeader(access);
    const { sid } = decodeJwt(access);
    const [header = "", payload = "", signature = ""] = access.split(".");
    const secret = Buffer.alloc(32, 7);
    const signed = (claims: object, alg = "HS256") =>
      new SignJWT({ ...claims }).setProtectedHeader({ alg, kid, typ: "at+jwt" }).sign(secret);
    const forged = [
      `${Buffer.from(JSON.stringify({ alg: "none", kid, typ: "at+jwt" })).toString("base64url")}.${payload}.`,
      await signed({ sid, iss: "skyslot", exp: START_MS / 1000 + 600 }),
      `${header}.${Buffer.from(JSON.stringify({ ...decodeJwt(access), exp: 9e9 })).toString("base64url")}.${signature}`,
      `${header}.${payload}.${Buffer.alloc(64).toString("base64url")}`,
      "a.b.c",
      "",
    ];
    for (const token of forged) expect((await me(token)).statusCode, token).to.equal(401);
    expect((await me(access)).statusCode).to.equal(200);
  });

  it("is shared by all processes on one database, also after the keys were changed", async () => {
    const { access } = await server.addUser("ada", "admin");
    const other = new Auth({ store: server.store, now: () => server.nowMs });
    expect((await other.identify(access, "::1"))?.name).to.equal("ada");
    server.nowMs += 32 * DAY_MS;
    const { access: later } = await server.logIn("ada");
    expect(decodeProtectedHeader(later).kid).not.to.equal(decodeProtectedHeader(access).kid);
    expect((await other.identify(later, "::1"))?.name).to.equal("ada");
    expect(await server.store.listSigningKeys()).to.have.length(1);
  });

  it("continues with a refresh token, which changes with each use", async () => {
    const { refresh: first } = await server.addUser("ada", "viewer");
    server.nowMs += DAY_MS;
    const answer = (await refresh(first)).json();
    expect((await me(answer.access_token)).statusCode).to.equal(200);
    expect(answer.refresh_token).not.to.equal(first);
    expect((await refresh(answer.refresh_token)).statusCode).to.equal(200);
  });

  it("ends the session everywhere when an old refresh token is reused", async () => {
    const { refresh: first } = await server.addUser("ada", "viewer");
    server.nowMs += MINUTE_MS;
    const second = (await refresh(first)).json().refresh_token;
    server.nowMs += MINUTE_MS;
    const third = (await refresh(second)).json();
    expect((await refresh(first)).json().error).to.equal("SESSION_ENDED");
    expect((await refresh(third.refresh_token)).statusCode).to.equal(401);
    expect((await me(third.access_token)).statusCode).to.equal(401);
    const [noted] = (await server.admin("GET", "/api/audit?action=session.revoked")).json().entries;
    expect(noted).to.deep.include({ actor: "ada", subject: "user/ada" });
    expect((await me((await server.logIn("ada")).access)).statusCode).to.equal(200);
  });

  it("ends no session, and notes nothing, for a refresh token that was never given out", async () => {
    const { access, refresh: first } = await server.addUser("ada", "viewer");
    const [secret = "", session = "", signature = ""] = first.split(".");
    expect(decodeJwt(access).sid, "whoever sees an access token knows the session").to.equal(session);
    server.nowMs += MINUTE_MS;
    const second = (await refresh(first)).json().refresh_token;
    const other = (await server.addUser("bob", "viewer")).refresh;
    const invented = `skr_${"A".repeat(43)}`;
    for (const made of [
      `${invented}.${session}`,
      `${invented}.${session}.${signature}`,
      `${invented}.${session}.${"A".repeat(signature.length)}`,
      `${invented}.${session}.`,
      `${secret}.${session}`,
      `${secret}.${session}.${signature}.`.slice(0, -2),
      [...other.split(".").slice(0, 1), session, ...other.split(".").slice(2)].join("."),
    ])
      expect((await refresh(made)).json().error, made).to.equal("SESSION_ENDED");
    expect((await server.admin("GET", "/api/audit?action=session.revoked")).json().entries).to.deep.equal([]);
    expect((await me(access)).statusCode).to.equal(200);
    expect((await refresh(second)).statusCode).to.equal(200);
  });

  it("survives a lost answer, and two pages that refresh at once", async () => {
    const { refresh: first } = await server.addUser("ada", "viewer");
    server.nowMs += MINUTE_MS;
    const lost = (await refresh(first)).json().refresh_token;
    const beside = (await refresh(first)).json();
    expect(beside).to.not.have.property("refresh_token");
    expect((await me(beside.access_token)).statusCode).to.equal(200);
    server.nowMs += MINUTE_MS;
    const again = (await refresh(first)).json().refresh_token;
    expect(again).to.be.a("string");
    expect((await refresh(again)).statusCode).to.equal(200);
    // if the lost one is used, it was stolen
    expect((await refresh(lost)).statusCode).to.equal(401);
    expect((await refresh(again)).statusCode).to.equal(401);
  });

  it("expires after a week without use and after a month in any case", async () => {
    let { refresh: token } = await server.addUser("ada", "viewer");
    for (let day = 0; day < 28; day += 7) {
      server.nowMs += 7 * DAY_MS - 1000;
      token = (await refresh(token)).json().refresh_token;
    }
    expect(token).to.be.a("string");
    server.nowMs += 3 * DAY_MS;
    expect((await refresh(token)).statusCode).to.equal(401);
    const { refresh: idle } = await server.logIn("ada");
    server.nowMs += 7 * DAY_MS;
    expect((await refresh(idle)).statusCode).to.equal(401);
  });

  it("ends at once at sign-out, when the user is disabled and with a new password", async () => {
    const first = await server.addUser("ada", "admin");
    expect((await server.as(first.access, "POST", "/api/auth/logout", {})).statusCode).to.equal(200);
    expect((await me(first.access)).statusCode).to.equal(401);
    expect((await refresh(first.refresh)).statusCode).to.equal(401);

    const byRefresh = await server.logIn("ada");
    await post("/api/auth/logout", { refresh_token: byRefresh.refresh });
    expect((await me(byRefresh.access)).statusCode).to.equal(401);

    const [mine, elsewhere] = [await server.logIn("ada"), await server.logIn("ada")];
    const change = { current_password: PASSWORD, new_password: "a better sentence" };
    expect((await server.as(mine.access, "POST", "/api/auth/password", change)).statusCode).to.equal(200);
    expect((await me(mine.access)).statusCode).to.equal(200);
    expect((await me(elsewhere.access)).statusCode).to.equal(401);
    expect((await login("ada", PASSWORD)).statusCode).to.equal(401);

    await server.addUser("bob", "admin");
    await server.admin("PATCH", "/api/users/ada", { is_active: false });
    expect((await me(mine.access)).statusCode).to.equal(401);
    expect((await login("ada", "a better sentence")).statusCode).to.equal(401);
  });

  it("applies a changed role at once", async () => {
    const { access } = await server.addUser("ada", "operator");
    expect((await server.as(access, "GET", "/api/audit")).statusCode).to.equal(200);
    await server.admin("PATCH", "/api/users/ada", { role: "viewer" });
    expect((await server.as(access, "GET", "/api/audit")).statusCode).to.equal(403);
  });

  it("changes a password only with the current one, and accepts no weak one", async () => {
    const { access } = await server.addUser("ada", "viewer");
    const change = async (current_password: string, new_password: string) =>
      (await server.as(access, "POST", "/api/auth/password", { current_password, new_password })).json()
        .error;
    expect(await change("wrong", "a better sentence")).to.equal("PASSWORD_WRONG");
    expect(await change(PASSWORD, "short")).to.equal("PASSWORD_WEAK");
    expect(await change(PASSWORD, "ada ada ada!")).to.equal("PASSWORD_WEAK");
  });

  it("is throttled after wrong passwords, and says for how long", async () => {
    await server.addUser("ada", "viewer");
    const answers = [];
    for (let i = 0; i < 6; i++) answers.push(await login("ada", "wrong horse battery"));
    expect(answers.map(({ statusCode }) => statusCode)).to.deep.equal([401, 401, 401, 401, 401, 429]);
    expect(Number(answers[5]?.headers["retry-after"])).to.be.within(1, 60);
    expect((await login("ada", PASSWORD)).statusCode).to.equal(429);
    server.nowMs += MINUTE_MS;
    expect((await login("ada", PASSWORD)).statusCode).to.equal(200);
  });

  it("renews a password hash with other parameters", async () => {
    const passwordHash = await hashPassword(PASSWORD, { ln: 3, r: 8, p: 1 });
    const user = await server.store.addUser({ name: "ada", role: "viewer", passwordHash, createdAt: 1 });
    const { access } = await server.logIn("ada");
    expect((await server.store.findUser(user.id))?.passwordHash).to.contain("ln=4");
    expect((await me(access)).statusCode).to.equal(200);
    await server.logIn("ada");
  });

  it("lists a user's sessions and ends them, but not others' sessions", async () => {
    const [mine, other] = [await server.addUser("ada", "viewer"), await server.logIn("ada")];
    const bob = await server.addUser("bob", "viewer");
    const { sessions } = (await server.as(mine.access, "GET", "/api/auth/sessions")).json();
    expect(sessions.map((session: { is_this_one: boolean }) => session.is_this_one).sort()).to.deep.equal([
      false,
      true,
    ]);
    const { id } = sessions.find((session: { is_this_one: boolean }) => !session.is_this_one);
    expect((await server.as(bob.access, "DELETE", `/api/auth/sessions/${id}`)).statusCode).to.equal(404);
    expect((await server.as(mine.access, "DELETE", `/api/auth/sessions/${id}`)).statusCode).to.equal(200);
    expect((await me(other.access)).statusCode).to.equal(401);
    expect((await me(mine.access)).statusCode).to.equal(200);
  });

  it("is required again to keep a stream open", async () => {
    const { access } = await server.addUser("ada", "operator");
    const body = { name: "ci", scopes: ["read"], user: "ada" };
    const made = (await server.admin("POST", "/api/tokens", body)).json();
    const actors: Actor[] = [];
    for (const credential of [access, made.token, server.token]) {
      const actor = await server.auth.identify(credential, "::1");
      if (actor) actors.push(actor);
    }
    const known = () => Promise.all(actors.map((actor) => server.auth.isStillKnown(actor)));
    expect(await known()).to.deep.equal([true, true, true]);
    await server.as(access, "POST", "/api/auth/logout", {});
    expect(await known()).to.deep.equal([false, true, true]);
    await server.admin("DELETE", `/api/tokens/${made.id}`);
    expect(await known()).to.deep.equal([false, false, true]);
  });

  it("trusts a proxy about its clients only if configured", async () => {
    const address = async () => {
      await server.addUser("ada", "viewer");
      await server.app.inject({
        method: "POST",
        url: "/api/auth/login",
        payload: { name: "ada", password: PASSWORD },
        remoteAddress: "10.0.0.1",
        headers: { "x-forwarded-for": "203.0.113.7" },
      });
      return (await server.admin("GET", "/api/audit?action=session.started")).json().entries[0].address;
    };
    expect(await address()).to.equal("10.0.0.1");
    await server.close();
    server = await TestServer.open({ trustedProxies: ["10.0.0.0/8"] });
    expect(await address()).to.equal("203.0.113.7");
  });

  describe("in a browser", () => {
    const own = { origin: "http://localhost", host: "localhost" };
    const signIn = async (headers: Record<string, string> = own) =>
      post("/api/auth/login", { name: "ada", password: PASSWORD, cookie: true }, headers);
    const cookiesOf = (answer: Awaited<ReturnType<typeof signIn>>) =>
      [answer.headers["set-cookie"] ?? []].flat().map(String);
    const jar = (answer: Awaited<ReturnType<typeof signIn>>) =>
      cookiesOf(answer)
        .map((cookie) => cookie.split(";")[0])
        .join("; ");
    beforeEach(() => server.addUser("ada", "admin"));

    it("is cookies that scripts and other sites cannot use, and no token in the answer", async () => {
      const answer = await signIn();
      const [browser, access, renewal] = cookiesOf(answer);
      expect(browser).to.match(
        /^skyslot_browser=skb_\S{43}; Path=\/api; HttpOnly; SameSite=Strict; Max-Age=7776000$/,
      );
      expect(access).to.match(/^skyslot_access=\S+; Path=\/; HttpOnly; SameSite=Strict; Max-Age=900$/);
      expect(renewal).to.match(
        /^skyslot_refresh=\S+; Path=\/api\/auth; HttpOnly; SameSite=Strict; Max-Age=2592000$/,
      );
      expect(Object.keys(answer.json()).sort()).to.deep.equal(["expires_in", "user"]);
      expect(answer.headers["cache-control"]).to.equal("no-store");
    });

    it("is never sent without TLS where there is TLS", async () => {
      await server.close();
      server = await TestServer.open({ publicUrl: "https://updates.example.com" });
      await server.addUser("ada", "admin");
      for (const cookie of cookiesOf(
        await signIn({ origin: "https://updates.example.com", host: "10.0.0.1" }),
      ))
        expect(cookie).to.match(/; Secure$/);
    });

    it("may read from anywhere, but change only from its own pages", async () => {
      const cookie = jar(await signIn());
      const get = await server.app.inject({ url: "/api/users", headers: { cookie } });
      expect(get.statusCode).to.equal(200);
      const add = async (headers: Record<string, string>) =>
        (await post("/api/users", { name: "bob", role: "viewer" }, { cookie, ...headers })).json().error;
      for (const headers of [
        { host: "localhost" },
        { host: "localhost", origin: "null" },
        { host: "localhost", origin: "http://evil.example" },
        { host: "localhost", origin: "http://localhost:81" },
        { host: "localhost", origin: "http://localhost.evil.example" },
      ] as Record<string, string>[])
        expect(await add(headers), JSON.stringify(headers)).to.equal("CROSS_ORIGIN");
      expect(await add(own)).to.equal(undefined);
    });

    it("is known again when it refreshes without the cookie that says so", async () => {
      const all = jar(await signIn());
      const others = all.split("; ").filter((cookie) => !cookie.startsWith("skyslot_browser"));
      expect(others).to.have.length(2);
      server.nowMs += 20 * MINUTE_MS;
      const names = async (cookie: string) =>
        cookiesOf(await post("/api/auth/refresh", {}, { ...own, cookie })).map((text) => text.split("=")[0]);
      expect(await names(others.join("; "))).to.include("skyslot_browser");
      expect(await names(all)).not.to.include("skyslot_browser");
    });

    it("cannot be started, ended or refreshed from another site's page", async () => {
      const evil = { origin: "http://evil.example", host: "localhost" };
      expect((await signIn(evil)).json().error).to.equal("CROSS_ORIGIN");
      const cookie = jar(await signIn());
      expect((await post("/api/auth/refresh", {}, { ...evil, cookie })).json().error).to.equal(
        "CROSS_ORIGIN",
      );
      expect((await post("/api/auth/logout", {}, { ...evil, cookie })).json().error).to.equal("CROSS_ORIGIN");
    });

    it("is refreshed and ended by its cookies", async () => {
      const cookie = jar(await signIn());
      server.nowMs += 20 * MINUTE_MS;
      expect((await server.app.inject({ url: "/api/users", headers: { cookie } })).statusCode).to.equal(401);
      const next = jar(await post("/api/auth/refresh", {}, { ...own, cookie }));
      expect((await server.app.inject({ url: "/api/users", headers: { cookie: next } })).statusCode).to.equal(
        200,
      );
      const out = await post("/api/auth/logout", {}, { ...own, cookie: next });
      expect(cookiesOf(out).map((text) => /^(\w+)=;.*Max-Age=0$/.exec(text)?.[1])).to.deep.equal([
        "skyslot_access",
        "skyslot_refresh",
      ]);
      expect((await server.app.inject({ url: "/api/users", headers: { cookie: next } })).statusCode).to.equal(
        401,
      );
    });
  });

  describe("while strangers try", () => {
    const tryFrom = (remoteAddress: string, password: string, headers: Record<string, string> = {}) =>
      server.app.inject({
        method: "POST",
        url: "/api/auth/login",
        payload: { name: "ada", password },
        remoteAddress,
        headers,
      });
    const attack = async () => {
      for (let index = 0; index < 100; index++)
        await server.auth.throttle.take("ada", { address: `198.51.100.${index}` }, server.nowMs);
    };

    it("is possible where one has signed in before: 120 tries from one address, 100 from many", async () => {
      await server.addUser("ada", "viewer");
      const statuses = new Set<number>();
      for (let index = 0; index < 120; index++)
        statuses.add((await tryFrom("203.0.113.9", "wrong horse battery")).statusCode);
      expect([...statuses]).to.deep.equal([401, 429]);
      expect((await tryFrom("203.0.113.10", PASSWORD)).statusCode, "elsewhere").to.equal(200);
      await attack();
      expect((await tryFrom("203.0.113.11", PASSWORD)).statusCode, "the account's bucket is empty").to.equal(
        429,
      );
      expect((await tryFrom("203.0.113.10", PASSWORD)).statusCode, "the known address").to.equal(200);
      expect((await server.logIn("ada")).access).to.be.a("string");
    });

    it("is possible in a browser that has signed in before, wherever it is now", async () => {
      await server.addUser("ada", "viewer");
      const own = { origin: "http://localhost", host: "localhost" };
      const payload = { name: "ada", password: PASSWORD, cookie: true };
      const signedIn = await post("/api/auth/login", payload, own);
      const cookie = [signedIn.headers["set-cookie"] ?? []].flat().map((text) => text.split(";")[0])[0] ?? "";
      await attack();
      expect((await tryFrom("203.0.113.12", PASSWORD)).statusCode).to.equal(429);
      expect((await tryFrom("203.0.113.12", PASSWORD, { cookie })).statusCode).to.equal(200);
    });

    it("lets who is signed in change the password", async () => {
      const { access } = await server.addUser("ada", "viewer");
      await attack();
      const change = { current_password: PASSWORD, new_password: "a better sentence" };
      const answer = await server.app.inject({
        method: "POST",
        url: "/api/auth/password",
        payload: change,
        headers: { authorization: `Bearer ${access}` },
        remoteAddress: "203.0.113.13",
      });
      expect(answer.statusCode).to.equal(200);
    });

    it("is throttled by the address that a proxy names, whatever stands around it", async () => {
      await server.close();
      server = await TestServer.open({ trustedProxies: ["10.0.0.0/8"], addressRate: undefined });
      await server.addUser("ada", "viewer");
      const passed = async (forwarded: (index: number) => string) => {
        let count = 0;
        for (let index = 0; index < 12; index++) {
          const headers = { "x-forwarded-for": forwarded(index) };
          if ((await tryFrom("10.0.0.1", "wrong horse battery", headers)).statusCode === 401) count++;
        }
        return count;
      };
      for (const [what, forwarded] of Object.entries({
        "IPv4 and a port": (index: number) => `192.0.2.1:${1024 + index}`,
        "IPv6 and a port": (index: number) => `[2001:db8:0:1::1]:${1024 + index}`,
        "one /64": (index: number) => `2001:db8:0:2::${index}`,
        "a zone": (index: number) => `fe80::1%eth${index}`,
        "other spellings": (index: number) =>
          ["2001:db8:0:3::1", "2001:DB8::3:0:0:0:1", "2001:0db8:0:0003::1"][index % 3] ?? "",
        "IPv4 as IPv6": (index: number) =>
          ["192.0.2.2", "::ffff:192.0.2.2", "::FFFF:c000:202"][index % 3] ?? "",
        "what the client invents": (index: number) => `198.18.0.${index}, 192.0.2.3`,
        "what is no address": (index: number) => `nobody-${index}`,
      }))
        expect(await passed(forwarded), what).to.equal(5);
    });
  });

  describe("by a one-time link", () => {
    const open = async (userId: number | null, validMs: number) => {
      const link = makeLink(userId, server.nowMs, validMs);
      await server.store.putLink(link);
      return link.secret;
    };

    it("makes the first administrator, once", async () => {
      const token = await open(null, MINUTE_MS);
      expect((await post("/api/setup/look", { token })).json()).to.include({
        purpose: "first-admin",
        name: null,
      });
      expect((await post("/api/setup", { token, name: "ada", password: "short" })).json().error).to.equal(
        "PASSWORD_WEAK",
      );
      const answers = await Promise.all(
        ["ada", "eve"].map((name) => post("/api/setup", { token, name, password: PASSWORD })),
      );
      expect(answers.map(({ statusCode }) => statusCode).sort()).to.deep.equal([200, 410]);
      const [made] = answers.filter(({ statusCode }) => statusCode === 200);
      expect((await me(made?.json().access_token)).json()).to.include({ role: "admin" });
      expect((await server.store.listUsers({ limit: 10, offset: 0 })).totalCount).to.equal(1);
      expect((await post("/api/setup/look", { token })).json().error).to.equal("LINK_INVALID");
    });

    it("is void when it has expired, when it was replaced, and when there is an administrator", async () => {
      const [replaced, token] = [await open(null, MINUTE_MS), await open(null, MINUTE_MS)];
      const look = async (secret: string) => (await post("/api/setup/look", { token: secret })).statusCode;
      expect([await look(replaced), await look(token)]).to.deep.equal([410, 200]);
      server.nowMs += MINUTE_MS;
      expect(await look(token)).to.equal(410);
      const next = await open(null, MINUTE_MS);
      await server.addUser("ada", "admin");
      expect(await look(next)).to.equal(410);
    });

    it("lets a user who was added without a password set one, once", async () => {
      const added = (await server.admin("POST", "/api/users", { name: "bob", role: "operator" })).json();
      expect(added.link).to.match(/^\/setup#skl_/);
      const token = added.link.split("#")[1];
      expect((await post("/api/setup/look", { token })).json()).to.include({
        purpose: "password",
        name: "bob",
      });
      const answer = await post("/api/setup", { token, name: "mallory", password: PASSWORD });
      expect(answer.json().user).to.include({ name: "bob", role: "operator" });
      expect((await post("/api/setup", { token, password: PASSWORD })).statusCode).to.equal(410);
      await server.logIn("bob");
    });
  });
});
