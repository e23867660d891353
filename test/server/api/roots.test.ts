// Trust roots at the API: who publishes them, what is refused, what devices are told, and whose releases are taken from then on.

import { expect } from "chai";
import { signRoot } from "../../../release/root.js";
import { draftRoot, nextRoot, type RootChanges } from "../../../release/root-draft.js";
import {
  EXPIRES,
  firstRoot,
  keysOfHolder,
  planOfThree,
  pointOf,
  signedBy,
} from "../../release/root-holders.js";
import { makeRelease, releaseKeys, START_MS, TestServer } from "../test-server.js";

const PATH = "/api/v1/roots";

describe("trust roots", () => {
  let server: TestServer;
  beforeEach(async () => {
    server = await TestServer.open();
  });
  afterEach(() => server.close());

  const publish = (root: string) => server.admin("POST", PATH, { root });
  const first = async (changes?: Parameters<typeof firstRoot>[0]): Promise<string> =>
    (await firstRoot(changes)).text;
  /** The next one, signed by ann and ben. */
  async function next(held: string, changes: Partial<RootChanges> = {}): Promise<string> {
    const { readRoot } = await import("../../../release/root.js");
    return (
      await signedBy(await nextRoot(readRoot(held).root, { expires: EXPIRES, ...changes }), ["ann", "ben"])
    ).text;
  }
  const told = async (body: object = {}) => (await server.check(body)).json().root_url;

  it("are published one after the other, and anyone may fetch them", async () => {
    const one = await first();
    expect((await server.app.inject(`${PATH}/1`)).json()).to.include({ error: "ROOT_UNKNOWN" });
    const answer = await publish(`${one}\n`);
    expect(answer.statusCode).to.equal(201);
    expect(answer.json()).to.include({ version: 1, threshold: 2, release_threshold: 1, expires_soon: false });
    const two = await next(one);
    expect((await publish(two)).statusCode).to.equal(201);
    for (const [version, text] of [
      [1, one],
      [2, two],
    ] as const) {
      const got = await server.app.inject(`${PATH}/${version}`);
      expect([got.statusCode, got.body]).to.deep.equal([200, text]);
      expect(got.headers["content-type"]).to.equal("application/jose+json");
      expect(got.headers["content-length"]).to.equal(`${text.length}`);
      const again = await server.app.inject({
        url: `${PATH}/${version}`,
        headers: { "if-none-match": `${got.headers.etag}` },
      });
      expect([again.statusCode, again.body]).to.deep.equal([304, ""]);
    }
    const audited = async (version: number) =>
      (await server.admin("GET", `/api/audit?subject=root/${version}`))
        .json()
        .entries.map((entry: { action: string }) => entry.action);
    expect([await audited(1), await audited(2)]).to.deep.equal([["root.published"], ["root.published"]]);
  });

  it("are refused where a device refuses them", async () => {
    const one = await first();
    const draft = await draftRoot(await planOfThree());
    const refused = async (root: string, sentence: RegExp) => {
      const answer = await publish(root);
      expect([answer.statusCode, answer.json().error]).to.deep.equal([422, "ROOT_REFUSED"]);
      expect(answer.json().message).to.match(sentence);
    };
    await refused(draft.text, /signed by 0 of its own keys/);
    await refused((await signedBy(draft, ["ann"])).text, /signed by 1 of its own keys/);
    await refused("no root", /is no JWS/);
    await refused(await first({ expires: START_MS / 1000 - 1 }), /expired at 2026-/);
    await publish(one);
    await refused(one, /it is version 1, after version 1 comes 2/);
    await refused(await next(await next(one)), /it is version 3, after version 1 comes 2/);
    // Somebody with an administrator's token, and one stolen root key.
    const theft = await draftRoot({
      ...(await planOfThree()),
      ...{ version: 2, threshold: 1, root: [await pointOf("ann")], release: [await pointOf("dora")] },
    });
    await refused((await signedBy(theft, ["ann"])).text, /by 1 keys of version 1, which asks for 2/);
    expect((await publish("x".repeat(2000))).json()).to.include({ error: "INVALID_REQUEST" });
    expect((await server.admin("GET", PATH)).json().roots).to.have.length(1);
  });

  it("are published by administrators only", async () => {
    const one = await first();
    const { access } = await server.addUser("olga", "operator");
    expect((await server.as(access, "POST", PATH, { root: one })).statusCode).to.equal(403);
    expect((await server.as(access, "GET", PATH)).statusCode).to.equal(200);
    expect(
      (await server.app.inject({ method: "POST", url: PATH, payload: { root: one } })).statusCode,
    ).to.equal(401);
  });

  it("are offered to devices that have an older one, one version after the other, and to no others", async () => {
    const one = await first();
    await publish(one);
    await publish(await next(one));
    expect(await told({ root_version: 1 })).to.equal(`${PATH}/2`);
    expect(await told({ root_version: 2 })).to.equal(undefined);
    expect(await told({ root_version: 7 })).to.equal(undefined);
    expect(await told()).to.equal(undefined);
    expect((await server.check({ root_version: 0 })).statusCode).to.equal(400);
  });

  it("reach a device whose checks took the fast path, and what it has is remembered", async () => {
    await server.listen();
    const one = await first();
    await publish(one);
    const has = async (version: number) => {
      await server.check({ root_version: version });
      return told({ root_version: version });
    };
    expect(await has(1)).to.equal(undefined);
    await publish(await next(one));
    expect(await has(1)).to.equal(`${PATH}/2`);
    const list = async () => (await server.admin("GET", PATH)).json();
    expect(await list()).to.deep.include({ behind: 1, devices: [{ root_version: 1, device_count: 1 }] });
    expect((await server.admin("GET", "/api/devices?root=behind")).json().total).to.equal(1);
    await server.check({ root_version: 2 });
    expect(await has(2)).to.equal(undefined);
    expect(await list()).to.deep.include({ behind: 0, devices: [{ root_version: 2, device_count: 1 }] });
    expect((await server.admin("GET", "/api/devices?root=behind")).json().total).to.equal(0);
    expect((await server.admin("GET", "/api/devices/base-010203")).json()).to.include({ root_version: 2 });
  });

  it("that a device refuses are in the log, with its reason", async () => {
    await server.check({ root_version: 1 });
    await server.check({ root_version: 1, root_refused: "trust root: it is signed by 1 keys" });
    const [event] = await server.store.listEvents({ kind: "device.root-refused", limit: 5 });
    expect(event).to.include({
      deviceId: "base-010203",
      message: "base-010203 refuses the trust root after 1: trust root: it is signed by 1 keys",
    });
    expect((await server.check({ root_refused: "x".repeat(201) })).statusCode).to.equal(400);
  });

  it("say 30 days before that they expire", async () => {
    server.nowMs = EXPIRES * 1000 - 31 * 86_400_000;
    await publish(await first());
    const soon = async () => (await server.admin("GET", PATH)).json().roots[0].expires_soon;
    expect(await soon()).to.equal(false);
    server.nowMs += 2 * 86_400_000;
    expect(await soon()).to.equal(true);
  });

  it("decide whose releases are taken, and count what each key has signed", async () => {
    const { privateKey } = await keysOfHolder("release");
    const { publicKey } = await releaseKeys();
    const of = async (version: string, key = privateKey) =>
      (await server.upload(await makeRelease(version, { key }))).json();
    expect(await of("1.1.0", (await releaseKeys()).privateKey)).to.include({ version: "1.1.0" });
    const one = await first();
    await publish(one);
    expect(await of("1.2.0", (await releaseKeys()).privateKey)).to.include({ error: "KEY_UNKNOWN" });
    expect(await of("1.2.0")).to.include({ version: "1.2.0" });
    const counts = async () =>
      (await server.admin("GET", PATH))
        .json()
        .roots[0].keys.map((key: { release_count: number }) => key.release_count);
    expect(await counts()).to.deep.equal([0, 0, 0, 1, 0]);
    // Revoked: what it has signed is still here, and nothing new is taken.
    const { kid = "" } = (await keysOfHolder("release")).publicKey;
    const { x = "", y = "" } = publicKey;
    await publish(await next(one, { remove: [["release", kid]], add: [["release", { x, y }]] }));
    expect(await of("1.3.0")).to.include({ error: "KEY_UNKNOWN" });
    expect(await of("1.3.0", (await releaseKeys()).privateKey)).to.include({ version: "1.3.0" });
    expect(await counts()).to.deep.equal([0, 0, 0, 2, 0]);
  });

  it("refuse releases below their least security version", async () => {
    const { privateKey } = await keysOfHolder("release");
    await publish(await first({ minSecurityVersion: 3 }));
    const upload = async (version: string, securityVersion: number) =>
      (
        await server.upload(
          await makeRelease(version, { key: privateKey, image: { secureVersion: securityVersion } }),
        )
      ).json();
    expect(await upload("1.1.0", 2)).to.include({ error: "SECURITY_VERSION_TOO_OLD" });
    expect(await upload("1.1.1", 3)).to.include({ version: "1.1.1" });
  });

  it("ask for two signatures where they say so", async () => {
    const release = [await pointOf("release"), await pointOf("release2")];
    await publish(await first({ release, releaseThreshold: 2 }));
    const { privateKey } = await keysOfHolder("release");
    const answer = (await server.upload(await makeRelease("1.1.0", { key: privateKey }))).json();
    expect(answer).to.include({
      error: "SIGNATURE_MISSING",
      message: "signed by 1 of the 2 trusted keys, 2 are needed",
    });
  });

  it("are whole: what another holder signs later is another text of the same version", async () => {
    const file = await firstRoot();
    await publish(file.text);
    const more = await signRoot(file, (await keysOfHolder("cleo")).privateKey);
    expect((await publish(more.text)).json()).to.include({ error: "ROOT_REFUSED" });
    expect((await server.app.inject(`${PATH}/1`)).body).to.equal(file.text);
  });
});
