// The requests about both devices of a pair: who may, what is answered, and what is carried out.

import { expect } from "chai";
import { initialLeader, type LeaderState } from "../../../../firmware/apps/receiver/core/leader.js";
import {
  answerPair,
  obeyOwner,
  type PairAnswer,
  type PairDoubt,
} from "../../../../firmware/apps/receiver/core/pair-api.js";
import type { Stock } from "../../../../firmware/apps/receiver/core/uploaded-job.js";
import type { PageRequest } from "../../../../firmware/core/event.js";
import { uploadedImage } from "../../../../firmware/core/gateway/cached-image.js";
import { initialLocalApi, type LocalApiState } from "../../../../firmware/core/local/api-state.js";
import { examineOwner } from "../../../../firmware/core/local/page-owner.js";
import { begin, type Job } from "../../../../firmware/core/system/job.js";
import { BOOTED } from "../../core/events.js";
import { jws, PAGED } from "../../core/releases.js";

const TOKEN = "let-me-in-please";
const LOCAL = {
  ...initialLocalApi,
  boot: { ...BOOTED, at: 0, random: 0.5, freeHeapBytes: 0 },
  token: TOKEN,
  address: "192.168.1.20",
};
const UPLOADED = uploadedImage(jws({ ...PAGED, type: "transmitter" }))!;
const STAGED = {
  from: "push",
  version: "1.1.0",
  build: 0,
  imageSha256: "d".repeat(64),
  size: 50_000,
  protocolVersion: 1,
} as const;
const STOCK: Stock = { staged: STAGED, uploaded: UPLOADED, running: undefined, peer: undefined };
const EMPTY: Stock = { ...STOCK, staged: undefined, uploaded: undefined };
const UNDOABLE = {
  version: "2.0.0",
  components: [
    { id: "receiver", image: "b".repeat(64), step: 0 },
    { id: "transmitter", image: "a".repeat(64), step: 1 },
  ],
  until: 0,
};
const JOB = begin({
  version: "2.0.0",
  rule: "all",
  components: [{ id: "transmitter", image: "a".repeat(64), step: 0 }],
  rebootDelaySeconds: 0,
  healthTimeoutSeconds: 0,
  stageTimeoutSeconds: 0,
}) as Job;

interface Case {
  readonly method?: string;
  readonly token?: string;
  readonly state?: Partial<LeaderState>;
  readonly job?: Job;
  readonly stock?: Stock;
  readonly canUndo?: boolean;
  readonly undoable?: typeof UNDOABLE;
  readonly local?: object;
}

function ask(path: string, { method = "POST", token = TOKEN, ...place }: Case = {}) {
  const request = {
    type: "requestReceived",
    connection: 1,
    method,
    path,
    host: "192.168.1.20",
    contentType: "application/json",
    ...(token === "" ? {} : { authorization: `Bearer ${token}` }),
    body: "{}",
    at: 0,
    random: 0.5,
    freeHeapBytes: 100_000,
  } as PageRequest;
  const system = { ...initialLeader.system, job: place.job };
  const state = { ...initialLeader, system, ...place.state };
  const leader = { state, undoable: place.undoable ?? (place.canUndo ? UNDOABLE : undefined) };
  const local = { ...LOCAL, ...place.local };
  const stock = place.stock ?? STOCK;
  const found = answerPair(request, local, leader, "<p>", stock);
  if (!found) return undefined;
  const { effect, command } = "refusal" in found ? asOwner(local, request, found) : found;
  if (effect?.type !== "respond") return undefined;
  const { status, headers, body } = effect.response;
  const isJson = headers["content-type"] === "application/json";
  return { status, body: isJson ? JSON.parse(body) : body, command };

  /** As the receiver does it. */
  function asOwner(state: LocalApiState, asked: PageRequest, { refusal }: PairDoubt) {
    let obeyed: PairAnswer | undefined;
    const [, [first]] = examineOwner(state, asked, refusal, (next) => {
      obeyed = obeyOwner({ request: asked, leader, stock });
      return [next, [obeyed.effect]];
    });
    return { effect: first, command: obeyed?.command };
  }
}

const AVAILABLE = { available: { system: { version: "2.0.0" } } } as unknown as Partial<LeaderState>;

describe("the requests about a pair", () => {
  it("are core's where they name no device, or the receiver", () => {
    for (const path of [
      "/api/ota/install",
      "/api/ota/install?device=receiver",
      "/api/ota/rollback",
      "/",
      "/x",
    ])
      expect(ask(path), path).equal(undefined);
    expect(ask("/api/system", { method: "DELETE" })).equal(undefined);
    expect(ask("/api/system/install", { method: "GET" })).equal(undefined);
    expect(ask("/api/system/install?device=both"), "no command has that name").equal(undefined);
  });

  it("are none while the setup network is open, or before the boot", () => {
    expect(ask("/ota", { method: "GET", local: { portalOpen: true } })).equal(undefined);
    expect(ask("/api/system", { method: "GET", local: { boot: undefined } })).equal(undefined);
  });

  it("need the owner's token for every change, and carry nothing out without it", () => {
    for (const path of [
      "/api/system/install",
      "/api/system/check",
      "/api/system/cancel",
      "/api/peer/forget",
      "/api/ota/install?device=both",
      "/api/ota/install?device=transmitter",
      "/api/ota/abandon?device=transmitter",
      "/api/ota/rollback?device=both",
    ])
      for (const [token, status] of [
        ["", 401],
        ["somebody-else-1", 403],
      ] as const) {
        const place = { token, state: AVAILABLE, canUndo: true, job: JOB };
        expect(ask(path, place), `${path} ${token}`).deep.include({ status, command: undefined });
      }
  });

  it("serve the page, and what is known of both, to everyone", () => {
    expect(ask("/ota", { method: "GET", token: "" })).deep.include({ status: 200, body: "<p>" });
    const history = [{ version: "1.0.0", result: "finished", reason: "", time: 7, what: "both" }] as const;
    const state = {
      ...AVAILABLE,
      otherPercent: 40,
      system: { ...initialLeader.system, history, job: { ...JOB, reason: "late" } },
    };
    expect(ask("/api/system", { method: "GET", token: "", state, canUndo: true })?.body).deep.equal({
      available: "2.0.0",
      description: null,
      job: { version: "2.0.0", phase: "staging", reason: "late", transmitterPercent: 40 },
      uploaded: { version: "1.1.0", build: 0, size: 40_000 },
      undo: "2.0.0",
      history,
    });
    const runs = { otherImage: PAGED.imageSha256 };
    expect(ask("/api/system", { method: "GET", state: runs })?.body, "it runs there").include({
      uploaded: null,
      undo: null,
    });
  });

  it("install the newest system, if there is one and nothing is under way", () => {
    const path = "/api/system/install";
    expect(ask(path, { state: AVAILABLE })).deep.include({ status: 202, command: { type: "install" } });
    expect(ask(path)?.body).include({ code: "NOT_POSSIBLE", message: "No newer system is known." });
    expect(ask(path, { state: AVAILABLE, job: JOB })).deep.include({ status: 409, command: undefined });
    const fetching = { ...initialLeader.fetching, found: {} as never };
    expect(ask(path, { state: { ...AVAILABLE, fetching } })?.status).equal(409);
  });

  it("install what was uploaded, on both or on the transmitter alone", () => {
    const both = ask("/api/ota/install?device=both");
    expect(both).include({ status: 202 });
    expect(both?.command).deep.include({ type: "installUploaded" });
    expect(both?.command).nested.include({ "job.components[0].id": "receiver", "job.isUploaded": true });
    const alone = ask("/api/ota/install?device=transmitter&force=1");
    expect(alone?.command).nested.include({ "job.components[0].id": "transmitter", "job.mayMisfit": true });
    for (const device of ["both", "transmitter"])
      expect(ask(`/api/ota/install?device=${device}`, { stock: EMPTY })).deep.equal({
        status: 404,
        body: { success: false, code: "NOTHING_STAGED", message: "No firmware uploaded" },
        command: undefined,
      });
    expect(ask("/api/ota/install?device=both", { job: JOB })?.body.message).include(
      "2.0.0 is being installed",
    );
    const misfit = { ...STOCK, staged: { ...STAGED, protocolVersion: 3 } };
    expect(ask("/api/ota/install?device=both", { stock: misfit })).deep.include({ status: 409 });
    expect(ask("/api/ota/install?device=both&force", { stock: misfit })?.status).equal(202);
  });

  it("give up what was uploaded, an update, or the transmitter", () => {
    const abandon = "/api/ota/abandon?device=transmitter";
    expect(ask(abandon)).deep.include({ status: 202, command: { type: "abandonUploaded" } });
    expect(ask(abandon, { stock: EMPTY })?.status).equal(404);
    expect(ask(abandon, { job: JOB })?.status).equal(409);
    expect(ask("/api/system/cancel", { job: JOB })?.command).deep.equal({ type: "cancel" });
    expect(ask("/api/system/cancel")?.status).equal(409);
    expect(ask("/api/peer/forget")?.command).deep.equal({ type: "forget" });
    expect(ask("/api/system/check")?.command).deep.equal({ type: "check" });
  });

  it("take both back where there is a way back", () => {
    const path = "/api/ota/rollback?device=both";
    expect(ask(path, { canUndo: true })).deep.include({ status: 202, command: { type: "undo" } });
    expect(ask(path)?.body.message).include("nothing to go back to");
    const alone = "/api/ota/rollback?device=transmitter";
    expect(ask(alone, { canUndo: true })?.body.message).include("they go back together");
    const undoable = { ...UNDOABLE, components: UNDOABLE.components.slice(1) };
    expect(ask(alone, { undoable })?.command).deep.equal({ type: "undo" });
    expect(ask(path, { job: JOB })?.body.message).include("is being installed");
  });
});
