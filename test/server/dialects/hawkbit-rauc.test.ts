// rauc-hawkbit-updater 1.4 at our server, request by request as recorded from the client itself. It reports nothing between fetching an
// action and having the whole file, polls every 5 seconds meanwhile, and answers no cancel once it is done.

import { expect } from "chai";
import { LegacyServer } from "./legacy-server.js";

const TYPE = "linux-gateway";
const BASE = `/${TYPE}/controller/v1/gw-1`;
const HEADERS = {
  host: "gw.test",
  "user-agent": "rauc-hawkbit-c-agent/1.0",
  accept: "application/json;charset=UTF-8",
};
const JSON_TYPE = "application/json;charset=UTF-8";

describe("rauc-hawkbit-updater at the device API of hawkBit", () => {
  const bundle = Buffer.from("hsqs".repeat(5000));
  let legacy: LegacyServer;
  let authorization: string;
  let firmwareId: number;

  const get = (url: string, headers: Record<string, string> = {}) =>
    legacy.server.app.inject({
      url: url.replace("http://gw.test", ""),
      headers: { ...HEADERS, authorization, ...headers },
    });
  const send = async (method: "POST" | "PUT", url: string, body: object): Promise<void> => {
    const answer = await legacy.server.app.inject({
      method,
      url,
      headers: { ...HEADERS, authorization, "content-type": JSON_TYPE },
      payload: JSON.stringify(body),
    });
    // It accepts nothing else as a success.
    expect(answer.statusCode, answer.body).to.equal(200);
  };
  const sendFeedback = (path: string, execution: string, finished: string, detail: string): Promise<void> =>
    send("POST", `${BASE}/${path}/feedback`, {
      id: path.split("/")[1],
      time: "20261121T145712",
      status: { result: { finished }, execution, details: [detail] },
    });
  const identify = (data: object): Promise<void> =>
    send("PUT", `${BASE}/configData`, {
      time: "20261121T145024",
      status: { result: { finished: "success" }, execution: "closed" },
      data,
    });
  const poll = async (): Promise<Record<string, { href: string }>> => {
    const answer = (await get(BASE)).json();
    expect(answer.config.polling.sleep).to.match(/^\d\d:\d\d:\d\d$/);
    return answer._links;
  };
  const device = async () => (await legacy.server.admin("GET", "/api/devices/gw-1")).json();
  const withdraw = () => legacy.server.admin("DELETE", `/api/ota/admin/firmware/${firmwareId}`);
  /** It polls and fetches the action. Returns the action's path. */
  const retrieve = async () => {
    const { href } = (await poll()).deploymentBase ?? { href: "" };
    const { id, deployment } = (await get(href)).json();
    return { path: `deploymentBase/${id}`, id: id as string, deployment };
  };

  beforeEach(async () => {
    legacy = await LegacyServer.open(TYPE);
    await legacy.server.admin("PUT", `/api/registration/${TYPE}`, {
      registration: "enrolment",
      tokens: "first-use",
    });
    const made = await legacy.server.admin("POST", "/api/enrolment-tokens", { name: "x", device_type: TYPE });
    authorization = `GatewayToken ${made.json().token}`;
    legacy.server.nowMs += 1000;
    firmwareId = (await legacy.upload(bundle, { filename: "bundle.raucb" })).json().id;
    // The first: its version is not known yet.
    expect(await poll()).to.have.keys(["configData"]);
  });
  afterEach(() => legacy.close());

  it("is identified, resumes its download, installs and is done", async () => {
    await identify({ product: "Terminator", serialnumber: "4711", version: "1.0.0" });
    const { path, deployment } = await retrieve();
    expect(await legacy.server.lastAttempt()).to.include({
      status: "downloading",
      step: "retrieved",
      from_version: "1.0.0",
    });
    expect(deployment.chunks).to.have.length(1);
    const [artifact, ...others] = deployment.chunks[0].artifacts;
    expect(others).to.have.length(0);
    expect(artifact.hashes.sha1).to.match(/^[0-9a-f]{40}$/);
    const file = { accept: "application/octet-stream" };
    const rest = await get(artifact._links.download.href, { ...file, range: "bytes=7001-" });
    expect(rest.statusCode).to.equal(206);
    expect(rest.headers["content-range"]).to.equal(`bytes 7001-${bundle.length - 1}/${bundle.length}`);
    expect(rest.rawPayload.equals(bundle.subarray(7001))).to.equal(true);
    // It was cut off after the last byte: to the client that is a success.
    const nothing = await get(artifact._links.download.href, { ...file, range: `bytes=${bundle.length}-` });
    expect(nothing.statusCode).to.equal(416);
    await sendFeedback(path, "proceeding", "none", "Download complete. 84.45 MB/s");
    await sendFeedback(path, "proceeding", "none", "File checksum OK.");
    expect(await legacy.server.lastAttempt()).to.include({ status: "downloading", step: "proceeding" });
    await sendFeedback(path, "proceeding", "none", "installing");
    expect(await legacy.server.lastAttempt()).to.include({ status: "installing", step: "proceeding" });
    await sendFeedback(path, "proceeding", "none", " 38% Checking bundle done.");
    await sendFeedback(path, "proceeding", "none", "idle");
    expect(await legacy.server.lastAttempt()).to.include({ status: "installing", step: "proceeding" });
    await sendFeedback(path, "closed", "success", "Software bundle installed successfully.");
    expect(await poll()).to.deep.equal({});
    expect(await legacy.server.lastAttempt()).to.include({ status: "success", outcome: "reported" });
    expect(await device()).to.include({ current_version: "1.2.0" });
  });

  for (const [name, data] of [
    ["no version", { product: "Terminator" }],
    ["none that can be one", { version: "spring release / 2" }],
    ["more than that", { version: "1".repeat(49) }],
  ] as const)
    it(`is updated from an unknown version when it reports ${name}`, async () => {
      await identify(data);
      await retrieve();
      expect(await device()).to.include({ current_version: "unknown" });
      expect(await legacy.server.lastAttempt()).to.include({ from_version: "unknown" });
    });

  it("is not downgraded by a release that is older than its reported version", async () => {
    await identify({ version: "2.5.0" });
    expect(await poll()).to.deep.equal({});
    expect(await device()).to.include({ current_version: "2.5.0" });
  });

  it("reports a failed installation", async () => {
    const { path } = await retrieve();
    await sendFeedback(path, "proceeding", "none", "  5% Installing");
    await sendFeedback(path, "closed", "failure", "Failed to install software bundle.");
    expect(await legacy.server.lastAttempt()).to.include({
      status: "failed",
      error_code: "FAILED",
      error_message: "Failed to install software bundle.",
    });
  });

  it("gets a cancel in the middle of its download, of which it has reported nothing so far", async () => {
    const { id } = await retrieve();
    await withdraw();
    const links = await poll();
    expect(links).not.to.have.property("deploymentBase");
    const { cancelAction } = (await get(links.cancelAction?.href ?? "")).json();
    expect(cancelAction.stopId).to.equal(id);
    await sendFeedback(`cancelAction/${id}`, "closed", "success", "Action canceled.");
    expect(await poll()).not.to.have.property("cancelAction");
    expect(await legacy.server.lastAttempt()).to.include({ status: "failed", error_code: "WITHDRAWN" });
  });

  it("is not given an action that has ended since its poll", async () => {
    const { href } = (await poll()).deploymentBase ?? { href: "" };
    await withdraw();
    await poll();
    const late = await get(href);
    expect(late.statusCode).to.equal(404);
    expect(late.json().error).to.equal("ACTION_ENDED");
    expect(await poll(), "it never began").not.to.have.property("cancelAction");
  });

  it("continues an installation in progress, and its version is known afterwards", async () => {
    const { path, id } = await retrieve();
    await sendFeedback(path, "proceeding", "none", "  5% Installing");
    await withdraw();
    expect(await poll()).to.have.property("cancelAction");
    const words = "Cancelation impossible, installation started already.";
    await sendFeedback(`cancelAction/${id}`, "rejected", "success", words);
    expect(await poll()).not.to.have.property("cancelAction");
    await sendFeedback(path, "closed", "success", "Software bundle installed successfully.");
    expect(await legacy.server.lastAttempt()).to.include({ status: "failed", error_code: "WITHDRAWN" });
    expect(await device()).to.include({ current_version: "1.2.0" });
    const [event] = await legacy.server.store.listEvents({ limit: 1 });
    expect(event?.message).to.equal(
      "gw-1 reports that it has installed linux-gateway 1.2.0, after WITHDRAWN ended the attempt here",
    );
  });

  for (const finished of ["success", "failure"])
    it(`gets no cancel once it has reported its ${finished}: it would not answer`, async () => {
      const { path } = await retrieve();
      await withdraw();
      expect(await poll()).to.have.property("cancelAction");
      await sendFeedback(path, "closed", finished, "Done.");
      expect(await poll()).not.to.have.property("cancelAction");
      const next = await legacy.upload(Buffer.from("new".repeat(5000)), { version: "1.3.0" });
      expect(next.statusCode).to.equal(201);
      expect(await poll()).to.have.property("deploymentBase");
    });
});
