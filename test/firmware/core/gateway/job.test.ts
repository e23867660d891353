// What a gateway does for the update server, event by event: asks, fetches, distributes, reports, and ends with what the nodes say.

import { expect } from "chai";
import {
  initialJob,
  type JobEffect,
  type JobInput,
  type JobState,
  type JobSurroundings,
  jobStep,
  memberHeard,
} from "../../../../firmware/core/gateway/job.js";
import { answerMember, WENT_BACK } from "../../../../firmware/core/gateway/job-members.js";
import type { JobNode } from "../../../../firmware/core/gateway/job-nodes.js";
import { JOB_KEY } from "../../../../firmware/core/gateway/job-order.js";
import type { ExchangeRequest } from "../../../../firmware/core/radio/exchange-message.js";
import { BOOTED } from "../events.js";
import { jws, PAGED } from "../releases.js";

const ORDER = {
  id: 4,
  firmware_id: 7,
  node_type: "pir",
  hardware: "ESP32",
  version: "1.1.0",
  md5: "a".repeat(32),
  size: 40_000,
  download_url: "/api/ota/download/7",
  release: jws(PAGED),
  digests_url: "/api/ota/download/7/digests",
};
const MINUTE = 60_000;

class Gateway {
  state: JobState = initialJob;
  effects: readonly JobEffect[] = [];
  around: JobSurroundings = {
    server: "http://updates.test",
    headers: { authorization: "Bearer g" },
    cacheBytes: 100_000,
    availableBytes: 0,
    sentBytes: 0,
    meshNodes: [],
  };
  stored: string | undefined;
  at = 0;

  give(event: JobInput): this {
    const stamp = { at: this.at, random: 0.5, freeHeapBytes: 100_000 };
    [this.state, this.effects] = jobStep(this.state, event, this.around, stamp);
    for (const effect of this.effects) {
      if (effect.type === "store" && effect.key === JOB_KEY) this.stored = effect.value;
      if (effect.type === "forget" && effect.key === JOB_KEY) this.stored = undefined;
    }
    return this;
  }

  boot = (): this => {
    this.state = initialJob;
    const stored = this.stored === undefined ? {} : { [JOB_KEY]: this.stored };
    return this.give({ ...BOOTED, stored });
  };
  timer = (timer: string): this => this.give({ type: "timerFired", timer });
  look = (): this => this.timer("job.look");

  answer(status: number, body?: object): this {
    const { request: attempt } = this.state;
    this.give({ type: "responseStarted", attempt, status, headers: {} });
    return body ? this.give({ type: "textCollected", attempt, text: JSON.stringify(body) }) : this;
  }
  poll = (...orders: readonly object[]): this => this.timer("job.poll").answer(200, { updates: orders });

  /** A node of ours asks the update server this. */
  heard(target: string, body: object, peer = "02:00:00:00:01:01"): this {
    const request: ExchangeRequest = { method: "POST", target, headers: {}, body: JSON.stringify(body) };
    this.state = memberHeard(this.state, request, peer, this.at);
    return this;
  }
  check = (id: string, more: object = {}, peer?: string): this =>
    this.heard(
      "/api/ota/check",
      { device_id: id, device_type: "pir", current_version: "1.0.0", ...more },
      peer,
    );

  node(id: string, phase: JobNode["phase"]): this {
    const one: JobNode = {
      id,
      phase,
      part: 0,
      error: phase === "failed" ? "worn" : "",
      at: this.at,
      told: "",
    };
    this.state = { ...this.state, nodes: [...this.state.nodes.filter((node) => node.id !== id), one] };
    return this;
  }

  /** What a check is answered. */
  answered(id: string, more: object): unknown {
    const { order, past, nodes, isCommitted, isTakenBack } = this.state;
    if (!order && !past) return undefined;
    const standing = { order: order ?? past!.order, isOpen: !isTakenBack, isCommitted, isTakenBack };
    const body = JSON.stringify({ device_id: id, device_type: "pir", current_version: "1.0.0", ...more });
    const request: ExchangeRequest = { method: "POST", target: "/api/ota/check", headers: {}, body };
    const answer = answerMember({ ...standing, isStopped: false, nodes }, request, 1_800_000_000);
    return answer && JSON.parse(new TextDecoder().decode(answer.body));
  }

  get types(): string[] {
    return this.effects.map(({ type }) => type);
  }
  get request() {
    const found = this.effects.find((effect) => effect.type === "startRequest");
    return found?.type === "startRequest" ? found.request : undefined;
  }
  get logs(): string {
    return this.effects.flatMap((effect) => (effect.type === "log" ? [effect.message] : [])).join("\n");
  }

  /** The image is whole, and nodes may have it. */
  distributing(change: object = {}): this {
    this.poll({ ...ORDER, ...change });
    this.around = { ...this.around, availableBytes: 40_000 };
    return this.look();
  }
}

describe("a gateway that asks for orders", () => {
  it("asks every minute, with its token, one order at a time", () => {
    const gateway = new Gateway().boot();
    expect(gateway.effects).deep.equal([{ type: "setTimer", timer: "job.poll", delayMs: MINUTE }]);
    expect(gateway.timer("job.poll").request).deep.equal({
      method: "GET",
      url: "http://updates.test/api/v1/ota/updates/pending?limit=1",
      headers: { authorization: "Bearer g" },
    });
    expect(gateway.timer("job.poll").request, "while the last question is open").equal(undefined);
    expect(gateway.answer(200, { updates: [] }).state).include({ phase: "idle", asking: undefined });
  });

  it("says what the server refuses, and what it does not understand", () => {
    expect(new Gateway().boot().timer("job.poll").answer(401).logs).include("answers 401");
    expect(new Gateway().boot().poll({ ...ORDER, md5: "x" }).logs).include("malformed");
    const silent = new Gateway().boot().timer("job.poll").timer("job.request");
    expect(silent.types).include("closeRequest");
    expect(silent.state.asking).equal(undefined);
  });

  it("asks for nothing while it is switched off, or has no network", () => {
    const gateway = new Gateway().boot();
    gateway.give({ type: "distributionSwitched", isEnabled: false });
    expect(gateway.timer("job.poll").request).equal(undefined);
    gateway.give({ type: "distributionSwitched", isEnabled: true });
    gateway.around = { ...gateway.around, server: undefined };
    expect(gateway.timer("job.poll").request).equal(undefined);
    expect(gateway.effects, "but later again").deep.include({
      type: "setTimer",
      timer: "job.poll",
      delayMs: MINUTE,
    });
  });
});

describe("an order of a gateway", () => {
  it("is stored before its image is wanted, and distributed when that is whole", () => {
    const gateway = new Gateway().boot().poll(ORDER);
    expect(gateway.types.indexOf("store")).within(0, gateway.types.indexOf("orderImage"));
    expect(gateway.state.phase).equal("fetching");
    gateway.around = { ...gateway.around, availableBytes: 39_999 };
    expect(gateway.look().types).include("orderImage").and.not.include("distributeInMesh");
    gateway.around = { ...gateway.around, availableBytes: 40_000 };
    expect(gateway.look().types).include("distributeInMesh");
    expect(gateway.state.phase).equal("distributing");
  });

  it("goes on after a restart, and looks at the image anew", () => {
    const gateway = new Gateway().boot().distributing();
    expect(gateway.boot().state).include({ phase: "fetching", isCommitted: false });
    expect(gateway.state.order?.id).equal(4);
    expect(gateway.logs).include("continues the distribution of pir 1.1.0 (order 4)");
  });

  it("ends when the server does not have it any more, and the nodes are told to stop", () => {
    const gateway = new Gateway().boot().distributing().poll();
    expect(gateway.types).include("cancelInMesh").and.include("forget");
    expect(gateway.state.past).include({ isGivenUp: true, isCommitted: false });
    const other = new Gateway()
      .boot()
      .distributing()
      .poll({ ...ORDER, id: 5 });
    expect(other.state.order?.id).equal(5);
    expect(other.types).include("cancelInMesh");
  });

  it("fails at once if it does not fit the cache, and after an hour if it does not come", () => {
    const large = new Gateway();
    large.around = { ...large.around, cacheBytes: 39_999 };
    large.boot().poll(ORDER);
    expect(large.state.result).include({ status: "failed" });
    const late = new Gateway().boot().poll(ORDER);
    late.at = 60 * MINUTE;
    expect(late.look().state.result?.message).include("could not fetch");
  });
});

describe("the nodes of an order", () => {
  it("are reported one after the other, and not again until there is news", () => {
    const gateway = new Gateway().boot().distributing().node("pir-1", "transferring").look();
    expect(gateway.request?.url).equal("http://updates.test/api/v1/ota/updates/4/nodes");
    expect(JSON.parse(gateway.request?.body ?? "")).deep.equal({
      node_id: "pir-1",
      status: "transferring",
      current_part: 0,
      total_parts: 40,
    });
    gateway.answer(200);
    expect(gateway.look().request).equal(undefined);
    const retry = gateway.node("pir-1", "completed").look().answer(503);
    expect(retry.look().request, "what the server could not take").not.equal(undefined);
    gateway.answer(409);
    expect(gateway.state.order, "it is closed").equal(undefined);
  });

  it("each for itself: the order ends when all are at their end and nobody new has come", () => {
    const gateway = new Gateway().boot().distributing();
    gateway.node("pir-1", "completed").node("pir-2", "failed");
    gateway.at = 100_000;
    expect(gateway.look().state.phase).equal("distributing");
    gateway.at = 200_000;
    expect(gateway.look().state.result).deep.equal({ status: "completed", message: "1 of 2 nodes have it" });
    const nobody = new Gateway().boot().distributing();
    nobody.at = 24 * 60 * MINUTE;
    expect(nobody.look().state.result?.message).equal("no node has asked for it");
  });

  it("all or none: they are told to start when each that was heard has the image, and not before", () => {
    const gateway = new Gateway().boot().check("pir-1").check("pir-2", {}, "02:00:00:00:01:02");
    gateway.distributing({ rule: "all" });
    expect(gateway.types).not.include("distributeInMesh");
    gateway.at = 200_000;
    gateway.check("pir-1").check("pir-2", {}, "02:00:00:00:01:02").node("pir-1", "staged");
    expect(gateway.look().state.isCommitted).equal(false);
    expect(gateway.node("pir-2", "staged").look().state.isCommitted).equal(true);
    expect(gateway.stored).include('"committed":true');
    expect(gateway.boot().state.isCommitted, "over a restart").equal(true);
  });

  it("all or none: one that fails after the start takes all others back, over a restart and when they come late", () => {
    const sha256 = PAGED.imageSha256;
    const gateway = new Gateway().boot().check("pir-1").distributing({ rule: "all" });
    const two = "02:00:00:00:01:02";
    gateway.at = 200_000;
    gateway.check("pir-1").check("pir-2", {}, two).node("pir-1", "staged").node("pir-2", "staged").look();
    gateway.check("pir-1", { image_sha256: sha256, slot_state: "valid" });
    expect(gateway.answered("pir-2", { staged_sha256: sha256 })).include({ commit: sha256 });
    const report = { device_id: "pir-2", firmware_id: 7, status: "failed", error_message: "it crashed" };
    gateway.heard("/api/ota/status", report, two).look();
    expect(gateway.state).include({ isCommitted: true, isTakenBack: true });
    expect(gateway.answered("pir-1", { image_sha256: sha256 })).include({ revert: sha256 });
    expect(gateway.answered("pir-3", { staged_sha256: sha256 })).include({ abandon: true });
    expect(gateway.answered("pir-3", {}), "nobody is offered it any more").equal(undefined);

    gateway.boot();
    gateway.look().look();
    gateway.check("pir-1", { image_sha256: sha256, slot_state: "valid" });
    expect(gateway.state.isTakenBack, "over a restart").equal(true);
    gateway.heard("/api/ota/status", report, two).check("pir-2", {}, two).check("pir-1", {});
    gateway.at += 149_000;
    expect(gateway.look().state.phase).equal("distributing");
    gateway.at += 2_000;
    expect(gateway.look().state.result).deep.equal({
      status: "failed",
      message: "pir-2: it crashed; the others have gone back",
    });
    expect(gateway.state.nodes.map(({ error }) => error)).deep.equal([WENT_BACK, "it crashed"]);
  });

  it("all or none: one that fails or falls silent ends it for all", () => {
    const failing = new Gateway().boot().check("pir-1").distributing({ rule: "all" });
    expect(failing.node("pir-1", "failed").look().state.result?.message).equal("pir-1: worn");
    const silent = new Gateway().boot().check("pir-1").distributing({ rule: "all" });
    silent.at = 900_000;
    expect(silent.look().state.result?.message).include("has fallen silent");
    expect(silent.state.isCommitted).equal(false);
  });
});
