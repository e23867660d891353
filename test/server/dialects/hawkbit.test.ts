import { expect } from "chai";
import { LegacyServer } from "./legacy-server.js";

const BASE = "/linux-gateway/controller/v1/gw-1";

describe("the device API of hawkBit", () => {
  let legacy: LegacyServer;
  const bundle = Buffer.from("squashfs".repeat(1000));
  const request = (method: "GET" | "POST" | "PUT" | "HEAD", url: string, payload?: object) =>
    legacy.server.app.inject({
      method,
      url: url.replace("http://gw.test", ""),
      headers: { host: "gw.test" },
      ...(payload ? { payload } : {}),
    });
  const poll = async () => (await request("GET", BASE)).json();
  const configure = () =>
    request("PUT", `${BASE}/configData`, { mode: "merge", data: { version: "1.0.0", hw: "a" } });
  const feedback = (link: string, execution: string, finished = "none", id: string | number = 1) =>
    request("POST", `${link}/feedback`, {
      id,
      status: { execution, result: { finished }, details: ["so it went"] },
    });
  const deployment = async (): Promise<string> => (await poll())._links.deploymentBase.href;

  beforeEach(async () => {
    legacy = await LegacyServer.open("linux-gateway");
    legacy.server.nowMs += 1000;
  });
  afterEach(() => legacy.close());

  it("requests the attributes once, and sends the polling interval", async () => {
    const first = await poll();
    expect(first.config.polling.sleep).to.equal("00:02:00");
    expect(first._links).to.deep.equal({ configData: { href: `http://gw.test${BASE}/configData` } });
    expect((await configure()).statusCode).to.equal(200);
    expect((await poll())._links).to.deep.equal({});
    const devices = (await legacy.server.admin("GET", "/api/devices")).json().devices;
    expect(devices[0]).to.include({ device_id: "gw-1", device_type: "linux-gateway" });
  });

  it("answers polls that find nothing new without a transaction, until something changes", async () => {
    await poll();
    await configure();
    await poll();
    const change = (action: string) =>
      legacy.server.admin("POST", "/api/device-identities/change", { device_ids: ["gw-1"], action });
    const { store } = legacy.server.app.context;
    const { transaction } = store;
    let transactionCount = 0;
    store.transaction = (...args) => {
      transactionCount++;
      return transaction.apply(store, args) as never;
    };
    legacy.server.nowMs += 5000;
    expect(await poll()).to.deep.equal({ config: { polling: { sleep: "00:02:00" } }, _links: {} });
    expect(transactionCount).to.equal(0);
    expect((await store.findDevice("gw-1"))?.lastSeen).to.equal(legacy.server.nowMs);
    await legacy.setKind("signed");
    expect((await request("GET", BASE)).json().error).to.equal("TYPE_IS_SIGNED");
    await legacy.setKind("legacy");
    expect((await poll())._links).to.deep.equal({});
    await change("block");
    expect((await request("GET", BASE)).json().error).to.equal("DEVICE_BLOCKED");
    await change("approve");
    expect((await poll())._links).to.deep.equal({});
    await legacy.upload(bundle);
    expect((await poll())._links).to.have.all.keys("deploymentBase");
    // An action that has begun and is open leaves no key.
    expect((await poll())._links).to.have.all.keys("deploymentBase");
  });

  it("takes a client from the poll to the file", async () => {
    await poll();
    await configure();
    const { md5, file_hash } = (await legacy.upload(bundle)).json();
    const link = await deployment();
    const { deployment: assigned, id } = (await request("GET", link)).json();
    expect(link).to.equal(`http://gw.test${BASE}/deploymentBase/${id}`);
    expect(assigned).to.include({ download: "forced", update: "forced" });
    const [artifact] = assigned.chunks[0].artifacts;
    expect(artifact.hashes).to.deep.include({ md5, sha256: file_hash });
    expect(artifact.hashes.sha1).to.match(/^[0-9a-f]{40}$/);
    expect(artifact.size).to.equal(bundle.length);
    expect((await request("HEAD", artifact._links.download.href)).headers["content-length"]).to.equal(
      `${bundle.length}`,
    );
    expect((await request("GET", artifact._links["download-http"].href)).rawPayload.equals(bundle)).to.equal(
      true,
    );
  });

  it("believes the client's success once it polls again", async () => {
    await poll();
    await configure();
    await legacy.upload(bundle);
    const link = await deployment();
    await feedback(link, "proceeding");
    expect(await legacy.server.lastAttempt()).to.include({ status: "downloading", step: "proceeding" });
    await feedback(link, "downloaded", "none", "text-id");
    await feedback(link, "closed", "success");
    expect(await legacy.server.lastAttempt()).to.include({ status: "installing", step: "claimed" });
    expect((await poll())._links).to.deep.equal({});
    expect(await legacy.server.lastAttempt()).to.include({ status: "success", step: "reported" });
  });

  it("records a failure with its reason", async () => {
    await poll();
    await legacy.upload(bundle);
    await feedback(await deployment(), "closed", "failure");
    const { logs } = (await legacy.server.admin("GET", "/api/ota/admin/logs?status=failed")).json();
    expect(logs[0]).to.include({ status: "failed", error_code: "FAILED", error_message: "so it went" });
  });

  it("sends a working client a cancel when the attempt has ended here, until it answers", async () => {
    await poll();
    await configure();
    const firmware = (await legacy.upload(bundle)).json();
    const link = await deployment();
    await feedback(link, "proceeding");
    await legacy.server.admin("DELETE", `/api/ota/admin/firmware/${firmware.id}`);
    const { _links } = await poll();
    expect(Object.keys(_links)).to.deep.equal(["cancelAction"]);
    const cancel = (await request("GET", _links.cancelAction.href)).json();
    expect(cancel.cancelAction.stopId).to.equal(cancel.id);
    expect((await feedback(link, "closed", "success")).statusCode, "late news change nothing").to.equal(200);
    await feedback(_links.cancelAction.href, "closed", "success");
    expect((await poll())._links).to.deep.equal({});
    expect(await legacy.server.lastAttempt()).to.include({ status: "failed", error_code: "WITHDRAWN" });
  });

  it("sends the cancel of what the client has begun, however many releases come before it is heard", async () => {
    await poll();
    await configure();
    await legacy.upload(bundle);
    const link = await deployment();
    await feedback(link, "proceeding");
    for (const version of ["1.3.0", "1.4.0", "1.5.0", "1.6.0"]) {
      expect((await legacy.upload(bundle, { version })).statusCode).to.equal(201);
      expect(Object.keys((await poll())._links), version).to.deep.equal(["cancelAction"]);
    }
    const { cancelAction } = (await poll())._links;
    expect(cancelAction.href).to.equal(link.replace("deploymentBase", "cancelAction"));
    await feedback(cancelAction.href, "closed", "success");
    expect(Object.keys((await poll())._links)).to.deep.equal(["deploymentBase"]);
  });

  for (const isCancelled of [true, false])
    it(`does not take for a success what swupdate has skipped, ${isCancelled ? "" : "not "}cancelled here`, async () => {
      await poll();
      await configure();
      const firmware = (await legacy.upload(bundle)).json();
      const link = await deployment();
      await request("GET", link);
      if (isCancelled) {
        await legacy.server.admin("DELETE", `/api/ota/admin/firmware/${firmware.id}`);
        expect(Object.keys((await poll())._links)).to.deep.equal(["cancelAction"]);
      }
      const status = { execution: "closed", result: { finished: "success" }, details: ["Skipped Update."] };
      await request("POST", `${link}/feedback`, { id: 1, status });
      expect(await legacy.server.lastAttempt()).to.include({
        status: "failed",
        error_code: isCancelled ? "WITHDRAWN" : "CANCELLED",
      });
      expect((await poll())._links).not.to.have.property("cancelAction");
      const device = (await legacy.server.admin("GET", "/api/devices/gw-1")).json();
      expect(device.current_version).to.equal("1.0.0");
    });

  describe("that fetches the whole file again and again and reports no end", () => {
    const fetchAction = async () => {
      const { deploymentBase } = (await poll())._links;
      if (!deploymentBase) return undefined;
      const { deployment: assigned } = (await request("GET", deploymentBase.href)).json();
      const { href } = assigned.chunks[0].artifacts[0]._links.download;
      expect((await request("HEAD", href)).statusCode).to.equal(200);
      const { statusCode } = await request("GET", href);
      // The server counts what it has sent when it has sent it.
      for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
      return statusCode;
    };

    it("is stopped: the attempt has failed, closes the gate, and the file waits", async () => {
      await poll();
      await configure();
      const firmware = (await legacy.upload(bundle, { is_stable: "false" })).json();
      const id = await legacy.startRollout(firmware.id);
      const answers: (number | undefined)[] = [];
      for (let boot = 0; boot < 9; boot++) {
        answers.push(await fetchAction());
        legacy.server.nowMs += 60_000;
      }
      expect(answers.filter((code) => code === 200)).to.have.length.within(3, 4);
      expect(answers.slice(5)).to.deep.equal([undefined, undefined, undefined, undefined]);
      const { logs } = (await legacy.server.admin("GET", "/api/ota/admin/logs?status=failed")).json();
      expect(logs[0]).to.include({ error_code: "NEVER_FINISHED" });
      const rollout = (await legacy.server.admin("GET", `/api/rollouts/${id}`)).json();
      expect(rollout).to.include({ state: "paused" });
    });

    it("may resume as often as it likes", async () => {
      await poll();
      await configure();
      await legacy.upload(bundle);
      const link = await deployment();
      const { deployment: assigned } = (await request("GET", link)).json();
      const path = assigned.chunks[0].artifacts[0]._links.download.href.replace("http://gw.test", "");
      for (let part = 0; part < 12; part++) {
        const headers = { host: "gw.test", range: "bytes=1000-" };
        const answer = await legacy.server.app.inject({ url: path, headers });
        expect(answer.statusCode).to.equal(206);
      }
      await feedback(link, "closed", "success");
      await poll();
      expect(await legacy.server.lastAttempt()).to.include({ status: "success" });
    });
  });

  describe("a report of any length", () => {
    const failed = { execution: "closed", result: { finished: "failure" } };
    const report = async (status: object) => {
      await poll();
      await legacy.upload(bundle);
      return request("POST", `${await deployment()}/feedback`, { id: 1, status });
    };
    const lines = Array.from({ length: 500 }, (_, at) => `line ${at}: ${"x".repeat(100)}`);
    for (const [name, details] of [
      ["one of 100 000 characters", ["why: ", "x".repeat(100_000), " disk full"]],
      ["one of 500 lines", ["why: ", ...lines, " disk full"]],
      ["one of 700 000 characters that is no list", `why: ${"ü".repeat(350_000)} disk full`],
      ["one with numbers and nothing in it", ["why: ", 5, null, { a: 1 }, "y".repeat(600), " disk full"]],
    ] as const)
      it(`is cut where it is ${name}, and keeps its start and its end`, async () => {
        const answer = await report({ ...failed, details });
        expect(answer.statusCode, answer.body).to.equal(200);
        const { error_code, error_message } = (await legacy.server.lastAttempt()) as Record<string, string>;
        expect(error_code).to.equal("FAILED");
        expect(error_message).to.have.length(500);
        expect(error_message)
          .to.match(/^why: /)
          .and.match(/ disk full$/);
      });

    it("may be of an execution that nobody knows", async () => {
      const execution = `now-${"z".repeat(200)}`;
      expect((await report({ execution, details: null })).statusCode).to.equal(200);
      expect(await legacy.server.lastAttempt()).to.include({ step: execution.slice(0, 32) });
    });
  });

  describe("the attributes of a client", () => {
    const put = async (data: object, mode?: string) =>
      (await request("PUT", `${BASE}/configData`, { ...(mode ? { mode } : {}), data })).statusCode;
    const attributes = async () =>
      (await legacy.server.admin("GET", "/api/devices/gw-1")).json().attributes as object | null;
    beforeEach(async () => {
      await poll();
      expect(await attributes()).to.equal(null);
      expect(await put({ a: "1", b: "2" })).to.equal(200);
    });

    for (const [mode, after] of [
      [undefined, { a: "1", b: "3", c: "4" }],
      ["merge", { a: "1", b: "3", c: "4" }],
      ["replace", { b: "3", c: "4" }],
      ["remove", { a: "1" }],
    ] as const)
      it(`are changed by mode ${mode ?? "merge where there is none"}`, async () => {
        expect(await put({ b: "3", c: "4" }, mode)).to.equal(200);
        expect(await attributes()).to.deep.equal(after);
      });

    it("are removed by null, and stay as they are in an unknown mode", async () => {
      expect(await put({ a: null })).to.equal(200);
      expect(await put({ b: "9" }, "overwrite")).to.equal(400);
      expect(await put({ b: {} })).to.equal(400);
      expect(await attributes()).to.deep.equal({ b: "2" });
    });

    it("may be all removed, and are not asked for again", async () => {
      expect(await put({ a: "", b: "" }, "remove")).to.equal(200);
      expect(await attributes()).to.deep.equal({});
      expect((await poll())._links).not.to.have.property("configData");
    });

    it("may be numbers, and are cut where they are too long or too many", async () => {
      expect(await put({ n: 5, yes: true, ["k".repeat(200)]: "v".repeat(5000) }, "replace")).to.equal(200);
      expect(await attributes()).to.deep.equal({ n: "5", yes: "true", ["k".repeat(128)]: "v".repeat(512) });
      const many = Object.fromEntries(Array.from({ length: 200 }, (_, at) => [`m${at}`, "x"]));
      expect(await put(many)).to.equal(200);
      const names = Object.keys((await attributes()) ?? {});
      expect(names).to.have.length(64).and.include.members(["n", "yes", "m0", "m60"]);
    });

    it("have names that mean something to JavaScript", async () => {
      await legacy.server.app.inject({
        method: "PUT",
        url: `${BASE}/configData`,
        headers: { "content-type": "application/json" },
        payload: '{"data": {"constructor": "c", "toString": "t"}}',
      });
      expect(await attributes())
        .to.include({ a: "1" })
        .and.have.ownProperty("constructor", "c");
    });
  });

  it("sends links to the public URL, with its path", async () => {
    await legacy.close();
    legacy = await LegacyServer.open("linux-gateway", { publicUrl: "https://updates.test/ota" });
    const { href } = (await poll())._links.configData;
    expect(href).to.equal(`https://updates.test/ota${BASE}/configData`);
  });

  it("accepts only its own actions and its own type", async () => {
    await poll();
    await legacy.upload(bundle);
    await poll();
    expect((await request("GET", `${BASE}/deploymentBase/99`)).json().error).to.equal("ACTION_UNKNOWN");
    await request("GET", BASE.replace("gw-1", "gw-2"));
    expect((await request("GET", `${BASE.replace("gw-1", "gw-2")}/deploymentBase/1`)).json().error).to.equal(
      "ACTION_UNKNOWN",
    );
    expect((await request("GET", BASE.replace("linux-gateway", "base"))).json().error).to.equal(
      "TYPE_IS_SIGNED",
    );
    expect((await feedback(`${BASE}/deploymentBase/x`, "closed")).statusCode).to.equal(400);
  });
});
