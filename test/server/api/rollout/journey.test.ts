import { expect } from "chai";
import type { ProgressView } from "../../../../server/api/rollout-views.js";
import { sampleFirmware } from "../../../contract/store/samples.js";
import { TestServer } from "../../test-server.js";
import { type Fate, imageOf, VirtualClient } from "./virtual-fleet.js";

const MINUTE = 60_000;

describe("a rollout to fifty devices", () => {
  let server: TestServer;
  let fleet: VirtualClient[];
  let fate: (id: string, version: string) => Fate;
  beforeEach(async () => {
    server = await TestServer.open({ deviceRate: undefined });
    fate = () => "validate";
    fleet = Array.from({ length: 50 }, (_, index) => newClient(`base-${`${index}`.padStart(6, "0")}`));
  });
  afterEach(() => server.close());

  const newClient = (id: string) => new VirtualClient(server.app, id, (version) => fate(id, version));
  const publish = async (version: string, changes: object = {}) =>
    server.store.addFirmware(
      sampleFirmware({
        version,
        imageSha256: imageOf(version),
        isStable: false,
        fileHash: imageOf(`file ${version}`),
        ...changes,
      }),
    );
  /** Every device acts once every two minutes. */
  const pass = async (minutes: number) => {
    for (let minute = 0; minute < minutes; minute += 2) {
      for (const client of fleet) await client.act();
      server.nowMs += 2 * MINUTE;
    }
  };
  /** Continues until a rollout is in a state, with a limit. */
  const passUntil = async (id: number, state: string) => {
    for (let turn = 0; turn < 60 && (await show(id)).state !== state; turn++) await pass(2);
    const shown = await show(id);
    expect(shown.state, shown.reason).to.equal(state);
    return shown;
  };
  const call = async <Answer = ProgressView>(
    path: string,
    body: object = {},
    status = 200,
  ): Promise<Answer> => {
    const answer = await server.admin("POST", `/api/rollouts${path}`, body);
    expect(answer.statusCode, answer.body).to.equal(status);
    return answer.json();
  };
  const show = async (id: number): Promise<ProgressView> =>
    (await server.admin("GET", `/api/rollouts/${id}`)).json();
  const start = async (plan: object) => {
    const { id } = await call("", plan, 201);
    return (await call(`/${id}/start`)).id;
  };
  const running = (version: string) => fleet.filter((client) => client.version === version).length;

  it("stops at injected failures with a reason, continues when it is resumed, and finishes", async () => {
    await publish("1.1.0");
    await pass(2);
    const plan = {
      firmware_id: 1,
      name: "autumn",
      stages: [
        { percent: 20, soak_seconds: 600, min_validated: 3, min_validated_fraction: 0.8 },
        { percent: 100, soak_seconds: 600, min_validated: 10, min_validated_fraction: 0.8 },
      ],
      gates: { max_failed_fraction: 0.3, max_rolled_back_fraction: 0.3, min_samples: 4 },
    };
    const dry = await call<{ stages: { device_count: number }[]; seed: string; device_count: number }>(
      "/plan",
      plan,
    );
    expect(dry.device_count).to.equal(50);
    const firstStage = dry.stages[0]?.device_count ?? 0;
    expect(firstStage).to.be.within(5, 16);

    const id = await start({ ...plan, seed: dry.seed });
    await pass(2);
    expect((await show(id)).tallies[0]?.given).to.equal(firstStage);
    expect(running("1.1.0")).to.equal(0);
    await pass(8);
    const delivered = await show(id);
    expect(delivered).to.include({ state: "running", stage: 0 });
    expect(delivered.tallies[0]).to.include({ validated: firstStage, soaked: 0 });
    expect(running("1.1.0")).to.equal(firstStage);
    // Neither delivery nor validation opens the next stage: the devices must run it for the soak time.
    let promoted = await show(id);
    for (let turn = 0; turn < 10 && promoted.stage === 0; turn++) {
      await pass(2);
      promoted = await show(id);
    }
    expect(promoted.stage).to.equal(1);
    expect(server.nowMs - Date.parse(promoted.started_at ?? "")).to.be.at.least(10 * MINUTE);
    expect(promoted.reason).to.match(
      /^stage "20 %" opened: \d+ devices have run the release for 10 min, \d+ of \d+ validated$/,
    );

    fate = (device) => (Number(device.slice(-6)) % 2 === 0 ? "roll back" : "validate");
    const paused = await passUntil(id, "paused");
    expect(paused.reason).to.match(/^\d+ of \d+ devices rolled back \([\d.]+ %\), the limit is 30 %$/);
    const given = paused.tallies[0]!.given + paused.tallies[1]!.given;
    await pass(10);
    expect((await show(id)).tallies[1]!.given + firstStage).to.equal(given);

    // The cause is fixed; the devices that rolled back are offered it again.
    fate = () => "validate";
    const newcomer = newClient("base-newcomer");
    fleet.push(newcomer);
    await newcomer.act();
    const approval = { device_ids: [newcomer.id], action: "approve" };
    await server.admin("POST", "/api/device-identities/change", approval);
    expect((await call(`/${id}/resume`)).state).to.equal("running");
    const finished = await passUntil(id, "finished");
    expect(finished.reason).to.equal("51 of 51 devices validated");
    expect(running("1.1.0")).to.equal(51);
    // A device that appears even later gets it too.
    fleet.push(newClient("base-latecomer"));
    await pass(10);
    expect(running("1.1.0")).to.equal(52);

    const { events } = (await server.admin("GET", "/api/events?limit=500")).json();
    const story = events
      .map(({ kind }: { kind: string }) => kind)
      .filter((kind: string) => kind.startsWith("rollout."));
    expect(story.reverse()).to.deep.equal(
      ["created", "started", "promoted", "paused", "resumed", "finished"].map((word) => `rollout.${word}`),
    );
  });

  it("never updates more at once than its limit, and all of them in the end", async () => {
    await publish("1.1.0");
    const id = await start({
      firmware_id: 1,
      max_concurrent: 4,
      stages: [{ percent: 100, soak_seconds: 0 }],
    });
    let most = 0;
    for (let turn = 0; turn < 120 && running("1.1.0") < 50; turn++) {
      // Another order each time: the first to ask gets the place.
      fleet.push(fleet.shift()!);
      for (const client of fleet) {
        await client.act();
        const updating = fleet.filter(({ isUpdating }) => isUpdating).length;
        most = Math.max(most, updating);
        expect(updating).to.be.at.most(4);
      }
      server.nowMs += 2 * MINUTE;
      expect((await show(id)).tallies[0]?.updating).to.be.at.most(4);
    }
    expect(most).to.equal(4);
    expect(running("1.1.0")).to.equal(50);
  });

  it("passes the leases of silent devices to others, and pauses because of them", async () => {
    await publish("1.1.0");
    fate = (id) => (Number(id.slice(-6)) < 10 ? "silent" : "validate");
    const id = await start({
      firmware_id: 1,
      max_concurrent: 10,
      lease_seconds: 600,
      stages: [{ percent: 100, soak_seconds: 60 }],
      gates: { max_silent_fraction: 0.15, silent_seconds: 1800, min_samples: 10 },
    });
    await pass(6);
    expect((await show(id)).tallies[0]).to.include({ updating: 10, validated: 0, silent: 0 });
    await pass(18);
    expect((await show(id)).state).to.equal("running");
    expect(running("1.1.0")).to.be.above(5);
    await pass(20);
    const paused = await show(id);
    expect(paused).to.include({ state: "paused" });
    expect(paused.reason).to.match(
      /^10 of \d+ devices that took it went silent for 30 min \([\d.]+ %\), the limit is 15 %$/,
    );
    expect(paused.tallies[0]?.silent).to.equal(10);
  });

  it("ends for every device when it is cancelled, and the release is not offered by itself afterwards", async () => {
    await publish("1.1.0", { isStable: true });
    const id = await start({ firmware_id: 1, stages: [{ percent: 100 }] });
    await pass(2);
    for (const client of fleet) client.fate = () => "validate";
    const cancelled = await call(`/${id}/cancel`, { reason: "wrong image" });
    expect(cancelled).to.include({ state: "cancelled", reason: "wrong image" });
    fleet = Array.from({ length: 5 }, (_, index) => newClient(`late-${index}`));
    await pass(10);
    expect(running("1.0.0")).to.equal(5);
    const why = (await server.admin("GET", "/api/devices/late-0/why")).json();
    expect(why.summary).to.equal(
      'late-0 is offered nothing: rollout 1 "base 1.1.0" for base 1.1.0 was cancelled: wrong image. Only rollouts offer a release that has had any, stable or not: make another one.',
    );
    expect((await server.admin("POST", `/api/rollouts/${id}/resume`)).json()).to.include({
      error: "STATE_WRONG",
    });
  });

  it("takes devices through an intermediate release, each step an attempt of the same rollout", async () => {
    await publish("1.5.0", { isStable: true });
    await publish("2.0.0", { minCurrentVersion: "1.5.0" });
    fleet = fleet.slice(0, 5);
    const id = await start({
      firmware_id: 2,
      priority: 1,
      target: { to_version: "1.0.0" },
      stages: [{ percent: 100, soak_seconds: 0 }],
    });
    await pass(24);
    expect(running("2.0.0")).to.equal(5);
    const { logs } = (await server.admin("GET", "/api/ota/admin/logs?device_id=base-000000")).json();
    expect(
      logs.map((log: { firmware_id: number; outcome: string }) => [log.firmware_id, log.outcome]),
    ).to.deep.equal([
      [2, "validated"],
      [1, "validated"],
    ]);
    expect(await show(id)).to.include({ state: "finished" });
  });

  it("rolls devices back to the previous code under a higher version, and says so when there is none", async () => {
    await publish("1.0.0", { isStable: true });
    await publish("1.1.0");
    const id = await start({
      firmware_id: 2,
      stages: [{ percent: 100, soak_seconds: 0, min_validated: 40 }],
    });
    await pass(10);
    expect(running("1.1.0")).to.equal(50);
    const refused = await call<{ error: string; message: string }>(`/${id}/rollback`, {}, 409);
    expect(refused.error).to.equal("NO_WAY_BACK");
    expect(refused.message).to.contain("build the code of base 1.0.0 as 1.1.0+1 or higher");
    await publish("1.1.1", { buildNumber: 0 });
    const { ended, back } = await call<{ ended: ProgressView; back: ProgressView }>(
      `/${id}/rollback`,
      {},
      201,
    );
    expect(ended.state).to.equal("cancelled");
    expect(back).to.include({ state: "running", firmware_id: 3, name: "Back from base 1.1.0" });
    await pass(10);
    expect(running("1.1.1")).to.equal(50);
  });

  it("trusts the image: a device that goes back after it validated counts as rolled back", async () => {
    await publish("1.1.0");
    const id = await start({ firmware_id: 1, stages: [{ percent: 100, soak_seconds: 86_400 }] });
    await pass(10);
    expect((await show(id)).tallies[0]?.validated).to.equal(50);
    fleet[0] = newClient("base-000000");
    await fleet[0].act();
    expect((await show(id)).tallies[0]).to.include({ validated: 49, rolled_back: 1 });
  });
});
