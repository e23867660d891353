// swupdate itself updates a board from our server: it polls, fetches, checks, installs, restarts and reports.

import { randomBytes } from "node:crypto";
import type { AddressInfo } from "node:net";
import { expect } from "chai";
import { SwupdateBoard, type SwupdateOptions, swupdateOrSkip } from "../../services/swupdate.js";
import { LegacyServer } from "./legacy-server.js";

const TENANT = "linux-gateway";
/** swupdate sends its attributes, and fetches the bundle with its next poll. */
const POLL_SECONDS = 1;
const CONTENT = randomBytes(300_000);

describe("a gateway that runs swupdate", () => {
  let legacy: LegacyServer;
  let board: SwupdateBoard;
  let at: Pick<SwupdateOptions, "url" | "tenant" | "id">;

  before(function () {
    swupdateOrSkip(this);
  });
  beforeEach(async () => {
    legacy = await LegacyServer.open(TENANT, { pollSeconds: POLL_SECONDS });
    await legacy.server.app.listen({ port: 0, host: "127.0.0.1" });
    const { port } = legacy.server.app.server.address() as AddressInfo;
    at = { url: `http://127.0.0.1:${port}`, tenant: TENANT, id: "gw-1" };
    board = await SwupdateBoard.open({ version: "1.0.0", serial: "4711" });
  });
  afterEach(async () => {
    await board.close();
    await legacy.close();
  });

  const policy = (registration: string) =>
    legacy.server.admin("PUT", `/api/registration/${TENANT}`, { registration, tokens: "first-use" });
  const upload = async (isForged = false) => {
    const bundle = await board.bundle(CONTENT, isForged);
    const answer = await legacy.upload(bundle, { filename: "gateway-1.2.0.swu" });
    expect(answer.json()).to.include({ chip: "other", file_size: bundle.length });
  };
  const installAndRestart = async (options: SwupdateOptions) => {
    board.start(options);
    await board.said(/Post-update actions successfully executed/);
    expect((await board.installed()).equals(CONTENT)).to.equal(true);
    expect(await legacy.server.lastAttempt()).to.include({ status: "downloading", step: "proceeding" });
    await board.stop();
    await board.identify({ version: "1.2.0", serial: "4711" });
    board.start({ ...options, isConfirming: true });
    await board.said(/No pending action to process/);
    expect(await legacy.server.lastAttempt()).to.include({
      device_id: "gw-1",
      status: "success",
      outcome: "reported",
    });
    expect((await legacy.server.admin("GET", "/api/devices/gw-1")).json()).to.include({
      current_version: "1.2.0",
    });
  };

  it("is updated, by its own token where every device needs one", async () => {
    await policy("approval");
    const given = await legacy.server.admin("POST", "/api/device-identities/gw-1/token", {
      device_type: TENANT,
    });
    await upload();
    await installAndRestart({ ...at, token: { kind: "target", value: given.json().token } });
    expect(await legacy.server.store.findAttributes("gw-1")).to.deep.equal({
      version: "1.2.0",
      serial: "4711",
    });
  });

  it("is updated by the token of its type", async () => {
    await policy("enrolment");
    const made = await legacy.server.admin("POST", "/api/enrolment-tokens", {
      name: "x",
      device_type: TENANT,
    });
    await upload();
    await installAndRestart({ ...at, token: { kind: "gateway", value: made.json().token } });
  });

  it("is updated without a token where its type is open", async () => {
    await upload();
    await installAndRestart(at);
  });

  it("gets nothing without a token where its type is not open", async () => {
    await policy("enrolment");
    await upload();
    board.start(at);
    await board.said(/HTTP\/1.1 401/);
    expect(await legacy.server.store.findDevice("gw-1")).to.equal(undefined);
    expect(await board.installed()).to.have.length(0);
  });

  it("refuses an untrusted bundle, and the attempt fails with its reason", async () => {
    await upload(true);
    board.start(at);
    await board.said(/"finished": "failure"/);
    await board.said(/Got channel reply: \{\}/);
    await board.stop();
    expect(await legacy.server.lastAttempt()).to.include({ status: "failed", error_code: "FAILED" });
    expect(await board.installed()).to.have.length(0);
  });
});
