// Devices that anyone can invent where a type is open: they are offered what their type is, and prove nothing.

import { expect } from "chai";
import { sampleFirmware } from "../../../contract/store/samples.js";
import { TestServer } from "../../test-server.js";
import { imageOf } from "./virtual-fleet.js";

const MINUTE = 60_000;
const REAL_COUNT = 20;

type Fate = "validate" | "fail" | "roll back" | "silent";

describe("devices that nobody vouched for", function () {
  this.timeout(60_000);
  let server: TestServer;
  const real = named("real", REAL_COUNT);
  beforeEach(async () => {
    server = await TestServer.open({ deviceRate: undefined, newDeviceRate: undefined });
    await server.store.addFirmware(sampleFirmware({ imageSha256: imageOf("1.1.0"), isStable: false }));
    await check(real);
    server.nowMs += MINUTE;
  });
  afterEach(() => server.close());

  function named(name: string, count: number): readonly string[] {
    return Array.from({ length: count }, (_, n) => `${name.replaceAll(" ", "-")}-${n}`);
  }
  const check = async (ids: readonly string[], body: object = {}) => {
    const offered: string[] = [];
    for (const device_id of ids) {
      const answer = await server.check({ device_id, ...body });
      expect(answer.statusCode, answer.body).to.equal(200);
      if (answer.json().update_available) offered.push(device_id);
    }
    return offered;
  };
  const report = async (ids: readonly string[], body: object) => {
    for (const device_id of ids) {
      const answer = await server.status({ device_id, ...body });
      expect(answer.statusCode, answer.body).to.equal(200);
    }
  };
  /** Attempts of devices, offered and ended within a minute. @returns those that were offered it */
  const update = async (ids: readonly string[], fate: Fate): Promise<readonly string[]> => {
    const offered = await check(ids);
    if (fate === "validate")
      await check(offered, { current_version: "1.1.0", image_sha256: imageOf("1.1.0"), slot_state: "valid" });
    else if (fate === "silent") await report(offered, { status: "downloading", step: "downloading" });
    else
      await report(offered, {
        status: "failed",
        error_code: fate === "fail" ? "BODY_TRUNCATED" : "ROLLED_BACK",
      });
    server.nowMs += MINUTE;
    return offered;
  };
  const start = async (plan: object = {}) => {
    const stages = [{ percent: 100, soak_seconds: 0, min_validated_fraction: 0.5 }];
    const gates = {
      max_failed_fraction: 0.2,
      max_rolled_back_fraction: 0.2,
      silent_seconds: 600,
      min_samples: 5,
    };
    const body = { firmware_id: 1, stages, gates, ...plan };
    const made = await server.admin("POST", "/api/rollouts", body);
    expect(made.statusCode, made.body).to.equal(201);
    const { id } = made.json();
    await server.admin("POST", `/api/rollouts/${id}/start`);
    server.nowMs += MINUTE;
    return id as number;
  };
  const show = async (id: number) => (await server.admin("GET", `/api/rollouts/${id}`)).json();
  const tick = async (id: number) => {
    await server.app.tick();
    return show(id);
  };
  const view = async (id: string) => (await server.admin("GET", `/api/devices/${id}`)).json();
  const register = (registration: string) =>
    server.admin("PUT", "/api/registration/base", { registration, tokens: "first-use" });

  it("finish no rollout that breaks every real device, if there are 480 of them", async () => {
    const id = await start();
    expect(await update(named("invented", 480), "validate")).to.have.length(480);
    const before = await tick(id);
    expect(before.state).to.equal("running");
    expect(before.tallies[0]).to.include({ given: 0, validated: 0, soaked: 0 });
    expect(before.uncounted).to.equal(480);
    expect(before.notes.join("\n"))
      .to.contain("Anyone can register as a device of type base.")
      .and.to.contain("480 devices that nobody vouched for are not counted");
    await update(real.slice(0, 5), "roll back");
    const after = await show(id);
    expect(after).to.include({ state: "paused" });
    expect(after.reason).to.contain("of 5 devices rolled back");
    expect(after.stages[0].device_count).to.equal(REAL_COUNT);
  });

  it("stop no good rollout, if 30 of them fail, roll back or fall silent", async () => {
    const id = await start();
    for (const fate of ["fail", "roll back", "silent"] as const)
      expect(await update(named(fate, 30), fate)).to.have.length(30);
    server.nowMs += 20 * MINUTE;
    expect((await tick(id)).state).to.equal("running");
    await update(real, "validate");
    const done = await tick(id);
    expect(done).to.include({ state: "finished", reason: "20 of 20 devices validated", uncounted: 90 });
    expect(done.tallies[0]).to.include({ given: 20, validated: 20, failed: 0, rolled_back: 0, silent: 0 });
  });

  it("open no stage, and make none larger", async () => {
    const stages = [10, 100].map((percent) => ({ percent, soak_seconds: 0, min_validated_fraction: 0.5 }));
    const wanted = { firmware_id: 1, stages, seed: "a" };
    const plan = (await server.admin("POST", "/api/rollouts/plan", wanted)).json();
    const firstCount = plan.stages[0].device_count;
    expect(firstCount).to.be.within(1, REAL_COUNT - 1);
    const id = await start({ stages, seed: "a" });
    await update(named("invented", 200), "validate");
    const shown = await tick(id);
    expect(shown).to.include({ state: "running", stage: 0 });
    expect(shown.uncounted).to.be.within(5, 50);
    const counts = shown.stages.map((stage: { device_count: number }) => stage.device_count);
    expect(counts).to.deep.equal([firstCount, REAL_COUNT - firstCount]);
    const rest = (await server.admin("GET", `/api/rollouts/${id}/plan?limit=500`)).json();
    expect(rest.stages[0].device_count).to.equal(firstCount);
    expect(rest.uncounted_count).to.be.above(150);
    expect(rest.notes.join("\n")).to.contain(`${rest.uncounted_count} devices that nobody vouched for`);
  });

  it("keep no device that counts waiting for a place, and wait themselves for those", async () => {
    const id = await start({ max_concurrent: 2, lease_seconds: 3600 });
    const invented = named("invented", 4);
    const counts = async () => {
      const { count, countedCount } = (await server.store.countLeases([id], server.nowMs)).get(id)!;
      return [count, countedCount];
    };
    const offered: string[] = [];
    for (const device of invented) offered.push(...(await update([device], "silent")));
    expect(offered, "they fill what is free").to.deep.equal(invented.slice(0, 2));
    for (const device of real.slice(0, 4)) await update([device], "silent");
    expect(await counts()).to.deep.equal([4, 2]);
    expect(await check(invented.slice(2))).to.deep.equal([]);
    const why = (await server.admin("GET", "/api/devices/invented-3/why")).json();
    expect(why.answers[0].verdict).to.equal("LIMIT_REACHED");
  });

  it("count once somebody approves them, and no longer once they are blocked", async () => {
    const id = await start();
    await update(named("invented", 3), "validate");
    expect(await view("invented-0")).to.include({ vouched_how: null, vouched_by: null, state: "approved" });
    expect((await view("invented-0")).rollouts[0].counted).to.equal(false);
    const why = (await server.admin("GET", "/api/devices/invented-0/why")).json();
    expect(why.summary).to.contain("does not count it, because nobody vouched for it");
    const bulk = { kind: "approve", filter: { vouched: "no", search: "invented" } };
    const approved = (await server.admin("POST", "/api/devices/bulk", bulk)).json();
    expect(approved).to.deep.include({ done: 3, refused: [] });
    const vouched = { vouched_how: "approval", vouched_by: "local administrator" };
    expect(await view("invented-0")).to.include(vouched);
    const shown = await tick(id);
    expect(shown.tallies[0]).to.include({ given: 3, validated: 3 });
    expect(shown.uncounted).to.equal(0);
    const block = { device_ids: ["invented-0", "real-0"], action: "block" };
    await server.admin("POST", "/api/device-identities/change", block);
    expect(await show(id)).to.include({ uncounted: 1 });
    expect((await show(id)).tallies[0]).to.include({ given: 2, validated: 2 });
    const totalOf = async (vouched: string) =>
      (await server.admin("GET", `/api/devices?vouched=${vouched}&limit=1`)).json().total;
    expect([await totalOf("no"), await totalOf("yes")]).to.deep.equal([REAL_COUNT, 3]);
  });

  it("are approved only by who may change devices of their type", async () => {
    await server.addUser("ada", "operator");
    const wanted = { name: "x", user: "ada", scopes: ["devices:write"], device_types: ["led"] };
    const { token } = (await server.admin("POST", "/api/tokens", wanted)).json();
    for (const [devices, refusedCount] of [
      [{ filter: { vouched: "no" } }, 0],
      [{ devices: real }, REAL_COUNT],
    ] as const) {
      const bulk = { kind: "approve", ...devices };
      const answer = (await server.as(token, "POST", "/api/devices/bulk", bulk)).json();
      expect(answer).to.include({ done: 0 });
      expect(answer.refused).to.have.length(refusedCount);
    }
    expect(await view("real-0")).to.include({ vouched_how: null });
  });

  it("count on an open type if they were known before the rollout began, and the plan says how many", async () => {
    const plan = (await server.admin("POST", "/api/rollouts/plan", { firmware_id: 1 })).json();
    expect(plan).to.include({ device_count: REAL_COUNT, unvouched_count: REAL_COUNT, uncounted_count: 0 });
    expect(plan.notes.join("\n"))
      .to.contain("Anyone can register as a device of type base.")
      .and.to.contain("Nobody vouched for 20 devices that count, because known before it began");
    const id = await start();
    await update(real, "validate");
    expect(await tick(id)).to.include({ state: "finished", reason: "20 of 20 devices validated" });
  });

  it("have no part in a closed type, registered before or after the rollout began", async () => {
    await register("approval");
    await check(named("before", 30));
    server.nowMs += 5 * MINUTE;
    const id = await start();
    expect(await check([...named("before", 30), ...named("after", 30)])).to.deep.equal([]);
    const shown = await tick(id);
    expect(shown.stages[0].device_count).to.equal(REAL_COUNT);
    expect(shown).to.include({ uncounted: 0, state: "running" });
    expect(shown.notes).to.deep.equal([]);
  });

  it("do not count if they come from another open type, however long they were known as that", async () => {
    const moved = named("moved", 30);
    await check(moved, { device_type: "led" });
    server.nowMs += 60 * MINUTE;
    const id = await start();
    await update(moved, "validate");
    expect(await tick(id)).to.include({ state: "running", uncounted: 30 });
  });

  it("leave a rollout that has no other device where it is, which says so", async () => {
    const invented = named("invented", 2);
    const id = await start({ target: { devices: invented } });
    await update(invented, "validate");
    const shown = await tick(id);
    expect(shown).to.include({ state: "running", uncounted: 2 });
    expect(shown.next.reason).to.equal(
      "no device that counts fits the target yet: nobody vouched for the 2 devices that it was offered to",
    );
  });

  it("are not those that came with an enrolment token, where a type is closed or open", async () => {
    const wanted = { name: "batch 7", max_use_count: 2 };
    const { token } = (await server.admin("POST", "/api/enrolment-tokens", wanted)).json();
    const id = await start();
    for (const [registration, device_id] of [
      ["enrolment", "closed"],
      ["open", "open"],
      ["open", "too-many"],
    ] as const) {
      await register(registration);
      const answer = await server.check({ device_id }, token);
      expect(answer.statusCode, answer.body).to.equal(200);
    }
    expect(await view("closed")).to.include({ vouched_how: "enrolment", vouched_by: "batch 7" });
    expect(await view("open")).to.include({ vouched_how: "enrolment", vouched_by: "batch 7" });
    expect(await view("too-many")).to.include({ vouched_how: null, vouched_by: null });
    // They are counted now and then.
    server.nowMs += 11 * MINUTE;
    expect((await tick(id)).stages[0].device_count).to.equal(REAL_COUNT + 2);
  });
});
