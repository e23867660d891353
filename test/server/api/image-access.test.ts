// Who may download the images of a type, by every route that sends some.

import { expect } from "chai";
import type { InjectOptions } from "fastify";
import { ACCESS_CACHE_MS } from "../../../server/fast-path/access-cache.js";
import { arduinoImage } from "../dialects/legacy-server.js";
import { type MadeRelease, makeRelease, TestServer } from "../test-server.js";

const ID = "base-010203";
const DOWNLOAD = "/api/ota/download/1";

describe("images of a closed type", () => {
  let server: TestServer;
  let made: MadeRelease;
  before(async () => {
    made = await makeRelease("1.1.0");
  });
  beforeEach(async () => {
    server = await TestServer.open();
    await server.upload(made);
  });
  afterEach(() => server.close());

  const later = () => {
    server.nowMs += ACCESS_CACHE_MS;
  };
  const close = async (registration = "enrolment", tokens = "first-use", type = "base") => {
    await server.admin("PUT", `/api/registration/${type}`, { registration, tokens });
    later();
  };
  const enrolment = async (fields: object = {}) =>
    (await server.admin("POST", "/api/enrolment-tokens", { name: "batch", ...fields })).json() as {
      id: number;
      token: string;
    };
  /** A device with its own token. */
  const enrol = async (device_id = ID, fields: object = {}): Promise<string> => {
    const { token } = await enrolment();
    return (await server.check({ device_id, keeps_token: true, ...fields }, token)).json().device_token;
  };
  const get = (url: string, authorization?: string, more: InjectOptions = {}) =>
    server.app.inject({
      url,
      ...more,
      headers: { ...more.headers, ...(authorization === undefined ? {} : { authorization }) },
    });
  const status = async (url: string, authorization?: string) => (await get(url, authorization)).statusCode;
  const basic = (name: string, password: string) =>
    `Basic ${Buffer.from(`${name}:${password}`).toString("base64")}`;

  it("are refused without credentials, by any method and in any part, as soon as the type is closed", async () => {
    expect(await status(DOWNLOAD)).to.equal(200);
    for (const [registration, tokens] of [
      ["enrolment", "first-use"],
      ["enrolment", "optional"],
      ["approval", "first-use"],
      ["approval", "optional"],
      ["open", "required"],
    ] as const) {
      await close(registration, tokens);
      for (const method of ["GET", "HEAD"] as const)
        for (const headers of [
          {},
          { range: "bytes=0-9" },
          { range: "bytes=0-9", "if-range": `"${"a".repeat(64)}"` },
          { "if-none-match": "*" },
          { range: "bytes=999999999-" },
        ]) {
          const answer = await get(DOWNLOAD, undefined, { method, headers });
          expect(answer.statusCode, `${registration} ${tokens}`).to.equal(401);
          expect(answer.headers).not.to.have.any.keys("etag", "content-range");
        }
      expect(await status(`${DOWNLOAD}?device=${ID}&direct=1`)).to.equal(401);
    }
    const refused = await get(DOWNLOAD);
    expect(refused.headers["www-authenticate"]).to.match(/^Bearer/);
    await server.admin("DELETE", "/api/registration/base");
    later();
    expect(await status(DOWNLOAD)).to.equal(200);
  });

  it("are sent to a device of the type with its own token, in parts too, uncacheable", async () => {
    await close();
    const token = await enrol();
    const { download_url } = (await server.check({}, token)).json();
    expect(download_url).to.equal(`${DOWNLOAD}?device=${ID}`);
    const whole = await get(download_url, `Bearer ${token}`);
    expect(whole.rawPayload.equals(made.image)).to.equal(true);
    expect(whole.headers["cache-control"]).to.equal("private, max-age=300");
    const part = await get(download_url, `Bearer ${token}`, { headers: { range: "bytes=5-9" } });
    expect(part.rawPayload.equals(made.image.subarray(5, 10))).to.equal(true);
    for (const way of [`TargetToken ${token}`, basic(ID, token), basic("", token)])
      expect(await status(download_url, way), way).to.equal(200);
    expect(await status(DOWNLOAD, basic(ID, token))).to.equal(200);
  });

  it("are sent to it with a token that was just issued and not used elsewhere", async () => {
    await close();
    const token = await enrol();
    expect(await status(`${DOWNLOAD}?device=${ID}`, `Bearer ${token}`)).to.equal(200);
  });

  it("are not sent to a device with another's name, another's token, or of another type", async () => {
    await close();
    await close("enrolment", "first-use", "led");
    const [mine, others] = [await enrol(), await enrol("base-2")];
    const led = await enrol("led-1", { device_type: "led" });
    const url = `${DOWNLOAD}?device=`;
    expect(await status(`${url}base-2`, `Bearer ${mine}`)).to.equal(401);
    expect(await status(`${url}${ID}`, `Bearer ${others}`)).to.equal(401);
    expect(await status(`${url}led-1`, `Bearer ${led}`)).to.equal(401);
    expect(await status(`${url}${ID}`, `Bearer ${led}`)).to.equal(401);
    expect(await status(`${url}nobody`, `Bearer ${mine}`)).to.equal(401);
    expect((await get(DOWNLOAD, `Bearer ${mine}`)).json().error).to.equal("DEVICE_UNNAMED");
    expect(await status(`${url}base-2`, basic(ID, mine))).to.equal(401);
    expect(await status(`${url}${ID}`, `Bearer ${mine}`)).to.equal(200);
  });

  it("are not sent to a device that is blocked or waits for approval, nor with a token that was reset or replaced", async () => {
    await close("approval");
    const url = `${DOWNLOAD}?device=${ID}`;
    const token = (await server.check({ keeps_token: true })).json().device_token;
    await server.check({}, token);
    const change = async (action: string) => {
      await server.admin("POST", "/api/device-identities/change", { device_ids: [ID], action });
      later();
    };
    expect((await get(url, `Bearer ${token}`)).json().error).to.equal("DEVICE_PENDING");
    await change("approve");
    expect(await status(url, `Bearer ${token}`)).to.equal(200);
    await change("block");
    expect((await get(url, `Bearer ${token}`)).json().error).to.equal("DEVICE_BLOCKED");
    await change("approve");
    await change("rotate-token");
    const next = (await server.check({ keeps_token: true }, token)).json().device_token;
    expect(await status(url, `Bearer ${token}`), "the old one until the new one is used").to.equal(200);
    await server.check({}, next);
    later();
    expect(await status(url, `Bearer ${token}`)).to.equal(401);
    expect(await status(url, `Bearer ${next}`)).to.equal(200);
    await change("forget-token");
    expect(await status(url, `Bearer ${next}`)).to.equal(401);
  });

  it("are sent for the type's token, unless each device needs its own, until it is revoked", async () => {
    await close();
    const { id, token } = await enrolment({ device_type: "base" });
    const led = await enrolment({ device_type: "led" });
    const short = await enrolment({ expires_in_days: 1 });
    const url = `${DOWNLOAD}?device=base-7`;
    expect(await status(url, `Bearer ${token}`)).to.equal(200);
    expect(await status(url, `Bearer ${led.token}`)).to.equal(401);
    await close("enrolment", "required");
    expect(await status(url, `Bearer ${token}`)).to.equal(401);
    await close("approval");
    expect(await status(url, `Bearer ${token}`), "it is not approved").to.equal(403);
    await close();
    expect(await status(url, `Bearer ${short.token}`)).to.equal(200);
    server.nowMs += 86_400_000;
    expect(await status(url, `Bearer ${short.token}`)).to.equal(401);
    await server.admin("DELETE", `/api/enrolment-tokens/${id}`);
    later();
    expect(await status(url, `Bearer ${token}`)).to.equal(401);
    const own = await enrol();
    await server.check({}, own);
    const again = await enrolment();
    expect(await status(`${DOWNLOAD}?device=${ID}`, `Bearer ${again.token}`), "it has its own").to.equal(401);
  });

  it("are sent to signed-in users and to programs that may read or report a mesh", async () => {
    await close();
    const { access } = await server.addUser("eve", "viewer");
    expect(await status(DOWNLOAD, `Bearer ${access}`)).to.equal(200);
    expect((await get(DOWNLOAD, undefined, { cookies: { skyslot_access: access } })).statusCode).to.equal(
      200,
    );
    await server.addUser("ada", "operator");
    const make = async (scopes: string[], device_types?: string[]) => {
      const body = {
        name: `t${server.nowMs}`,
        user: "ada",
        scopes,
        ...(device_types ? { device_types } : {}),
      };
      server.nowMs++;
      const { token, id } = (await server.admin("POST", "/api/tokens", body)).json();
      return { id, shown: `Bearer ${token}` };
    };
    const gateway = await make(["mesh:report"], ["base"]);
    expect(await status(DOWNLOAD, gateway.shown)).to.equal(200);
    expect(await status(DOWNLOAD, (await make(["read"])).shown)).to.equal(200);
    expect(await status(DOWNLOAD, (await make(["mesh:report"], ["led"])).shown)).to.equal(403);
    expect(await status(DOWNLOAD, (await make(["content:write"])).shown)).to.equal(403);
    await server.admin("DELETE", `/api/tokens/${gateway.id}`);
    expect(await status(DOWNLOAD, gateway.shown)).to.equal(401);
    await server.admin("PATCH", "/api/users/eve", { is_active: false });
    expect(await status(DOWNLOAD, `Bearer ${access}`)).to.equal(401);
    for (const nonsense of ["Bearer x", "Bearer ska_x", "Basic eDp5", "Digest x", "Bearer", ""])
      expect(await status(DOWNLOAD, nonsense), nonsense).to.equal(401);
  });

  it("are not revealed by their content hash: without access the answer is that of a missing one", async () => {
    const { file_hash } = (await server.admin("GET", "/api/ota/admin/firmware/1")).json();
    const url = `/api/ota/files/${file_hash}`;
    const none = `/api/ota/files/${"0".repeat(64)}`;
    expect((await get(url)).headers["cache-control"]).to.contain("immutable");
    await close();
    const answerTo = async (path: string, authorization?: string) => {
      const { statusCode, body } = await get(path, authorization);
      return [statusCode, body.replaceAll(/[0-9a-f]{64}/g, "")];
    };
    for (const shown of [undefined, "Bearer x", "Bearer skd_x", `Bearer skd_${"A".repeat(43)}`])
      expect(await answerTo(url, shown), shown).to.deep.equal(await answerTo(none, shown));
    const token = await enrol();
    const answer = await get(`${url}?device=${ID}`, `Bearer ${token}`);
    expect([answer.statusCode, answer.headers["cache-control"]]).to.deep.equal([200, "private, max-age=300"]);
  });

  it("are sent by their content hash if one of their types is open", async () => {
    await server.admin("PUT", "/api/types/old", { kind: "legacy" });
    await server.admin("PUT", "/api/types/older", { kind: "legacy" });
    const image = arduinoImage("both");
    for (const device_type of ["old", "older"])
      await server.upload({ image }, { device_type, version: "1.0.0" });
    const { file_hash } = (await server.admin("GET", "/api/ota/admin/firmware/2")).json();
    for (const type of ["old", "older"]) {
      await close("enrolment", "optional", type);
      expect(await status(`/api/ota/files/${file_hash}`), type).to.equal(type === "old" ? 200 : 404);
    }
  });

  it("are in no manifest for clients without access, which cannot see that any exist", async () => {
    const urls = ["/api/web-tools/base/manifest.json", "/manifest?types=base"];
    for (const url of urls) expect(await status(url)).to.equal(200);
    await close();
    for (const url of urls) {
      const none = await get(url.replace("base", "none"));
      const closed = await get(url);
      expect(closed.statusCode).to.equal(404);
      expect(closed.body.replace("base", "none")).to.equal(none.body);
    }
    const token = await enrol();
    for (const url of urls) {
      const mine = await get(`${url}${url.includes("?") ? "&" : "?"}device=${ID}`, `Bearer ${token}`);
      expect(mine.statusCode).to.equal(200);
      expect(mine.body).to.contain(`${DOWNLOAD}?device=${ID}`).and.not.to.contain(token);
      expect(mine.headers).not.to.have.property("access-control-allow-origin");
    }
  });

  it("are sent to an Arduino sketch that sends the token as a password", async () => {
    await server.admin("PUT", "/api/types/old", { kind: "legacy" });
    await server.upload({ image: arduinoImage("old") }, { device_type: "old", version: "1.2.0" });
    await close("enrolment", "optional", "old");
    const headers = { "x-esp32-sta-mac": "AA:BB:CC:DD:EE:01", "x-esp32-version": "1.0.0" };
    const { token } = await enrolment({ device_type: "old" });
    const ask = async (authorization?: string) =>
      (await get("/api/arduino/old", authorization, { headers })).statusCode;
    expect(await ask()).to.equal(401);
    expect(await ask(basic("sketch", token))).to.equal(200);
    expect(await ask(), "though it is known now").to.equal(401);
    // It was sent the whole image, and does not run it.
    server.nowMs += 11 * 60_000;
    expect(await ask(`Bearer ${token}`)).to.equal(304);
    server.nowMs += 11 * 60_000;
    expect(await ask(`Bearer ${token}`)).to.equal(200);
  });

  it("are protected like the pictures of the type's displays", async () => {
    const picture = `/api/content/${ID}`;
    await server.check();
    expect(await status(picture)).to.equal(404);
    await close("enrolment", "first-use", "*");
    const { token } = await enrolment();
    expect(await status(picture)).to.equal(401);
    expect(await status("/api/content/nobody"), "of an unknown device").to.equal(401);
    expect(await status(picture, `Bearer ${token}`)).to.equal(404);
    expect(await status(picture, `Bearer ${server.token}`)).to.equal(404);
  });

  it("are protected for a device that was given a token and has not been here", async () => {
    await close();
    const made = await server.admin("POST", "/api/device-identities/base-77/token", { device_type: "base" });
    expect(await status("/api/content/base-77")).to.equal(401);
    expect(await status("/api/content/base-77", `Bearer ${made.json().token}`)).to.equal(404);
  });

  it("cannot be registered by their hash for another type, by a token for that type", async () => {
    await server.admin("PUT", "/api/types/mine", { kind: "legacy" });
    await server.admin("PUT", "/api/types/old", { kind: "legacy" });
    await server.addUser("ada", "operator");
    const make = async (name: string, device_types?: string[]) => {
      const body = {
        name,
        user: "ada",
        scopes: ["read", "releases:write"],
        ...(device_types ? { device_types } : {}),
      };
      return (await server.admin("POST", "/api/tokens", body)).json().token as string;
    };
    const bound = await make("bound", ["mine", "yours"]);
    const hashes = [(await server.admin("GET", "/api/ota/admin/firmware/1")).json().file_hash];
    await server.upload({ image: arduinoImage("theirs") }, { device_type: "old", version: "1.0.0" });
    hashes.push((await server.admin("GET", "/api/ota/admin/firmware/2")).json().file_hash);
    const register = (token: string, fields: object) =>
      server.as(token, "POST", "/api/ota/admin/firmware", fields);
    const none = await register(bound, { file_hash: "0".repeat(64), device_type: "mine", version: "1.0.0" });
    for (const file_hash of hashes) {
      const answer = await register(bound, { file_hash, device_type: "mine", version: "1.0.0" });
      expect([answer.statusCode, answer.json().error]).to.deep.equal([404, "FILE_UNKNOWN"]);
      expect(answer.body.replace(file_hash, "0".repeat(64))).to.equal(none.body);
    }
    const signed = await makeRelease("1.1.0", { type: "mine" });
    expect((await register(bound, { release: signed.release })).json().error).to.equal("FILE_UNKNOWN");
    await close("enrolment", "optional", "old");
    expect(await status(`/api/ota/files/${hashes[1]}`, `Bearer ${bound}`)).to.equal(404);
    const own = arduinoImage("mine");
    await server.upload({ image: own }, { device_type: "mine", version: "1.0.0" }, bound);
    const { file_hash } = (await server.admin("GET", "/api/ota/admin/firmware/3")).json();
    expect((await register(bound, { file_hash, device_type: "mine", version: "1.0.1" })).statusCode).to.equal(
      201,
    );
    expect(
      (await register(await make("unbound"), { file_hash: hashes[1], device_type: "mine", version: "1.2.0" }))
        .statusCode,
    ).to.equal(201);
  });

  it("are looked up in the database once, not for each part", async () => {
    await close();
    const token = await enrol();
    let lookUpCount = 0;
    const { findIdentity } = server.store;
    server.store.findIdentity = (id) => {
      lookUpCount++;
      return findIdentity.call(server.store, id);
    };
    const url = `${DOWNLOAD}?device=${ID}`;
    await status(url, `Bearer ${token}`);
    const first = lookUpCount;
    for (let at = 0; at < 20; at++)
      await get(url, `Bearer ${token}`, { headers: { range: `bytes=${at}-${at}` } });
    expect(lookUpCount).to.equal(first).and.to.be.above(0);
    expect(await status(url, "Bearer skd_other")).to.equal(401);
    later();
    await status(url, `Bearer ${token}`);
    expect(lookUpCount).to.be.above(first);
  });

  it("leave no token in the log of events", async () => {
    await close();
    const token = await enrol();
    await status(`${DOWNLOAD}?device=base-2`, `Bearer ${token}`);
    const { body } = await server.admin("GET", "/api/events?limit=100");
    expect(body).to.contain("device.refused").and.not.to.contain(token.slice(4));
  });

  it("are not redirected to a cache, which checks no token", async () => {
    await server.close();
    server = await TestServer.open({ downloadsFrom: "https://cdn.example" });
    await server.upload(made);
    const open = await get(DOWNLOAD);
    expect(open.statusCode).to.equal(302);
    await close();
    const token = await enrol();
    expect(await status(`${DOWNLOAD}?device=${ID}`)).to.equal(401);
    expect(await status(`${DOWNLOAD}?device=${ID}`, `Bearer ${token}`)).to.equal(200);
    expect((await server.check({}, token)).json().download_url).to.equal(`${DOWNLOAD}?device=${ID}&direct=1`);
  });
});
