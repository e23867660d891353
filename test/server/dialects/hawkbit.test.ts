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
    expect((await request("PUT", `${BASE}/configData`, { data: { a: 1 } })).statusCode).to.equal(400);
  });
});
