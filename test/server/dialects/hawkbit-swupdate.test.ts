// swupdate itself updates a board from our server: it polls, fetches, checks, installs, restarts and reports.

import { randomBytes } from "node:crypto";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
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
    // The server's clock stands still, and limits would never let anybody in again.
    const unlimited = { deviceRate: undefined, addressRate: undefined };
    legacy = await LegacyServer.open(TENANT, { pollSeconds: POLL_SECONDS, ...unlimited });
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
    board.start({ ...options, installed: "works" });
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

  describe("in a fleet of two", () => {
    let boards: readonly { readonly board: SwupdateBoard; readonly at: typeof at }[];

    beforeEach(async () => {
      const twin = await SwupdateBoard.open({ version: "1.0.0" }, board);
      boards = [
        { board, at },
        { board: twin, at: { ...at, id: "gw-2" } },
      ];
    });
    afterEach(() => boards[1]?.board.close());

    const each = <Result>(work: (one: (typeof boards)[number]) => Promise<Result>) =>
      Promise.all(boards.map(work));
    /** swupdate tells a server nothing but what it polls for: so the server is asked until it has heard it. */
    const until = async <Value>(read: () => Promise<Value>, isIt: (value: Value) => boolean) => {
      for (let value = await read(); ; value = await read()) {
        if (isIt(value)) return value;
        await sleep(50);
      }
    };
    const rollOut = async (version: string, content: Buffer) => {
      const fields = { version, filename: `${version}.swu`, is_stable: "false" };
      const uploaded = await legacy.upload(await board.bundle(content), fields);
      // The first failure pauses it: so no board tries twice, however long the other one takes.
      const plan = { stages: [{ percent: 100, soak_seconds: 0 }], gates: { min_samples: 1 } };
      return legacy.startRollout(uploaded.json().id, plan);
    };
    const rollout = async (id: number) => (await legacy.server.admin("GET", `/api/rollouts/${id}`)).json();
    const state = (id: number, wanted: string) =>
      until(
        () => rollout(id),
        (one) => one.state === wanted,
      );
    const attempts = async (query: string) =>
      (await legacy.server.admin("GET", `/api/ota/admin/logs?${query}`)).json().logs as {
        readonly error_code: string;
        readonly step: string;
      }[];
    const installAndRestart = async (installed: "works" | "fails", version: string, options: object = {}) => {
      await each(async ({ board: one }) => {
        await one.said(/Post-update actions successfully executed/);
        await one.stop();
      });
      await each(async ({ board: one, at: its }) => {
        await one.identify({ version });
        one.start({ ...its, installed, ...options });
      });
    };

    it("an image that fails pauses its rollout, the next one reaches all, and one is cancelled", async () => {
      const { store } = legacy.server;
      await each(async ({ board: one, at: its }) => {
        one.start(its);
        await until(
          () => store.findAttributes(its.id),
          (known) => known !== undefined,
        );
      });

      const failing = await rollOut("2.0.0", Buffer.from("does not boot"));
      await installAndRestart("fails", "1.0.0");
      expect((await state(failing, "paused")).reason).to.match(/^([12]) of \1 devices? failed \(100 %/);
      const failed = await until(
        () => attempts("status=failed"),
        ({ length }) => length === 2,
      );
      expect(failed.map(({ error_code }) => error_code)).to.include("FAILED");

      const fixed = await rollOut("2.0.1", CONTENT);
      await installAndRestart("works", "2.0.1", { maxSpeed: "200k" });
      expect((await state(fixed, "finished")).reason).to.include("2 of 2");
      await each(async ({ board: one, at: its }) => {
        expect((await one.installed()).equals(CONTENT)).to.equal(true);
        expect(await store.findDevice(its.id)).to.include({ version: "2.0.1" });
      });

      const unwantedBytes = 8_000_000;
      const unwanted = await rollOut("2.0.2", randomBytes(unwantedBytes));
      // Debian's swupdate sometimes hangs when it hears of a cancel while it downloads: so the power fails meanwhile.
      await each(async ({ board: one }) => {
        await one.said(/GET .*artifacts\/2\.0\.2\.swu HTTP/);
        await one.stop();
      });
      await legacy.server.admin("POST", `/api/rollouts/${unwanted}/cancel`);
      await each(async ({ board: one, at: its }) => one.start(its));
      const cancelled = await until(
        () => attempts("status=failed&limit=2"),
        (both) => both.every(({ step }) => step === "cancel-heard"),
      );
      for (const { error_code } of cancelled) expect(error_code).to.equal("WITHDRAWN");
      await each(async ({ board: one, at: its }) => {
        await one.said(/No pending action to process/);
        expect((await one.installed()).length, "of the other partition").to.be.below(unwantedBytes);
        expect(await store.findDevice(its.id)).to.include({ version: "2.0.1" });
      });
    });
  });
});
