// Staging: an image that is held is proved and waits; only its own SHA-256 arms it; what is given up cannot be started by a roll back.

import { expect } from "chai";
import { DAY_SECONDS } from "../../../../firmware/core/clock.js";
import type { Event } from "../../../../firmware/core/event.js";
import { RECORD_KEY, readRecord } from "../../../../firmware/core/update/record.js";
import { SETBACKS_KEY } from "../../../../firmware/core/update/setbacks.js";
import { readStaged, STAGED_KEY } from "../../../../firmware/core/update/staged.js";
import { MAX_STAGED_SECONDS } from "../../../../firmware/core/update/staging.js";
import type { UpdatePhase, UpdateState } from "../../../../firmware/core/update/state.js";
import { updateStep } from "../../../../firmware/core/update/update.js";
import { Download, type DownloadOptions, hex } from "../download.js";
import { stamped } from "../events.js";
import { PAYLOAD } from "../releases.js";
import { inPhase, JOB, STAGED } from "../update-phases.js";

const SIZE = 7 * 4096 + 1600;
const held = (options: Partial<DownloadOptions> = {}) =>
  new Download({ sizeBytes: SIZE, listsChunks: true, hold: true, ...options });
const staged = (options: Partial<DownloadOptions> = {}) => held(options).run();

const raised = ({ effects }: Download, type: Event["type"]) =>
  effects.flatMap((effect) => (effect.type === "raise" && effect.event.type === type ? [effect.event] : []));
const timersSet = ({ effects }: Download): string[] =>
  effects.flatMap((effect) => (effect.type === "setTimer" ? [effect.timer] : []));
const commitOf = (imageSha256: string = PAYLOAD.imageSha256): Event => ({
  type: "commitRequested",
  imageSha256,
});
const ABANDON: Event = { type: "abandonRequested", reason: "the transmitter has failed" };

describe("an image that is held", () => {
  it("is proved, recorded and reported, and not armed", () => {
    const download = staged();
    expect(download.state.phase).equal("idle");
    expect(download.state.staged).include({ from: "server", firmwareId: 7, version: "1.1.0", size: SIZE });
    expect(download.types).not.include("armSlot");
    expect(download.types).not.include("restart");
    expect(download.reports.at(-1)).include({ status: "installing", step: "staged", bytes_downloaded: SIZE });
    expect(readStaged(download.stored.get(STAGED_KEY) ?? "")).deep.equal({
      ...download.state.staged,
      sinceMs: 0,
    });
    expect(raised(download, "stagedChanged")).deep.equal([
      { type: "stagedChanged", staged: download.state.staged },
    ]);
    expect(download.flash.slice(0, SIZE)).deep.equal(download.image);
  });

  it("counts as staged only once its record is stored", () => {
    const download = staged({
      fault: (effect) =>
        effect.type === "save" && effect.purpose === "staged"
          ? { type: "saveFailed", purpose: "staged", message: "NVS is full" }
          : undefined,
    });
    expect(download.state.staged).equal(undefined);
    expect(download.outcome).equal("FLASH_FAILED");
    expect(download.reports.at(-1)?.error_message).include("NVS is full");
  });

  it("lets checks go on, which say what is staged", () => {
    const download = staged().answered({});
    expect(download.checkBody()).property("staged_sha256", PAYLOAD.imageSha256);
    expect(download.state.phase).equal("idle");
  });

  it("is not fetched again when it is offered again", () => {
    const download = staged();
    const { erasedCount } = download;
    download.asked.length = 0;
    download.run();
    expect(download.asked).deep.equal([]);
    expect(download.erasedCount).equal(erasedCount);
    expect(download.state.staged).not.equal(undefined);
    expect(timersSet(download).at(-1)).equal("check");
  });
});

describe("a commit", () => {
  const wordsThatArm: readonly (readonly [string, (download: Download) => Download])[] = [
    ["an event", (download) => download.on(commitOf())],
    ["a check's answer", (download) => download.answered({ commit: PAYLOAD.imageSha256 })],
    [
      "the SHA-256 of the file",
      (download) => download.answered({ commit: download.state.staged?.proof.digest }),
    ],
    ["an offer of the same release that is not held", (download) => download.run({ hold: false })],
    [
      "an answer that offers it once more",
      (download) => download.run({ hold: true, commit: PAYLOAD.imageSha256 }),
    ],
  ];
  for (const [what, say] of wordsThatArm)
    it(`arms it after its slot was proved again: ${what}`, () => {
      const download = staged();
      download.effects.length = 0;
      download.asked.length = 0;
      say(download);
      expect(download.state.phase).equal("restarting");
      const slotEffects = download.types.filter((type) => type === "hashSlot" || type === "armSlot");
      expect(slotEffects).deep.equal(["hashSlot", "armSlot"]);
      expect(download.asked, "nothing is fetched").deep.equal([]);
      expect(download.reports.at(-1)).include({ status: "installing", step: "armed" });
      expect(download.stored.has(STAGED_KEY)).equal(false);
      expect(readRecord(download.stored.get(RECORD_KEY))).include({
        imageSha256: PAYLOAD.imageSha256,
        slot: "ota_0",
        armed: true,
      });
      expect(raised(download, "commitEnded")).deep.equal([{ type: "commitEnded" }]);
      expect(download.effects).deep.include({ type: "setTimer", timer: "restart", delayMs: 2_000 });
    });

  it("of another image arms nothing", () => {
    const download = staged()
      .on(commitOf("e".repeat(64)))
      .answered({ commit: "e".repeat(64) });
    expect(download.types).not.include("armSlot");
    expect(download.state.staged).not.equal(undefined);
    expect(raised(download, "commitEnded")).length(1);
    expect(raised(download, "commitEnded")[0]).property("problem").include("e".repeat(64));
  });

  it("where nothing is staged has no effect but an answer", () => {
    const download = held().on(commitOf()).answered({ commit: PAYLOAD.imageSha256 });
    expect(download.types).not.include("hashSlot");
    expect(download.state.phase).equal("idle");
    expect(download.effects.at(-1), "checks go on").include({ timer: "check" });
  });

  it("that comes twice is one", () => {
    const download = staged();
    download.effects.length = 0;
    download.on(commitOf(), commitOf());
    expect(download.types.filter((type) => type === "armSlot")).length(1);
  });

  it("ends a check that is under way", () => {
    const checking = inPhase("checking", { ...staged().state });
    const [next, effects] = updateStep(checking, stamped(commitOf()));
    expect(next.phase).equal("committing");
    expect(effects.map(({ type }) => type)).include("closeRequest");
  });

  it("gives up an image that was spoilt meanwhile, and reports it", () => {
    const download = staged();
    download.flash[5000] = (download.flash[5000] ?? 0) ^ 4;
    download.on(commitOf());
    expect(download.types).not.include("armSlot");
    expect(download.state.staged).equal(undefined);
    expect(download.stored.has(STAGED_KEY)).equal(false);
    expect(download.reports.at(-1)).include({ status: "failed", error_code: "IMAGE_MISMATCH" });
    expect(raised(download, "commitEnded")[0]).property("problem").include("spoilt");
    expect(download.stored.get(SETBACKS_KEY)).match(/^7 /);
  });

  it("fetches only the spoilt chunk again when the release is offered again", () => {
    const download = staged();
    download.flash[5000] = (download.flash[5000] ?? 0) ^ 4;
    download.on(commitOf());
    download.asked.length = 0;
    download.run();
    expect(download.asked).deep.equal([`/image bytes=4096-${SIZE - 1}`]);
    expect(download.state.staged).not.equal(undefined);
  });

  it("forgets the record of an installation that could not be armed", () => {
    const download = staged({
      fault: ({ type, ...effect }) =>
        type === "armSlot" && "attempt" in effect
          ? { type: "slotFailed", attempt: effect.attempt as number, message: "bad image" }
          : undefined,
    }).on(commitOf());
    expect(download.reports.at(-1)).include({ status: "failed", error_code: "ARM_FAILED" });
    expect(download.stored.has(RECORD_KEY)).equal(false);
    expect(download.state.record).equal(undefined);
    expect(download.state.phase).equal("idle");
  });

  it("arms nothing if the record of the installation cannot be stored", () => {
    const download = staged({
      fault: (effect) =>
        effect.type === "save" && effect.purpose === "record"
          ? { type: "saveFailed", purpose: "record", message: "NVS is full" }
          : undefined,
    }).on(commitOf());
    expect(download.types).not.include("armSlot");
    expect(raised(download, "commitEnded")[0]).property("problem").include("NVS is full");
  });

  it("of an image that cannot be armed is not tried for ever: the image is held back for a day", () => {
    const download = staged({
      fault: ({ type, ...effect }) =>
        type === "armSlot" && "attempt" in effect
          ? { type: "slotFailed", attempt: effect.attempt as number, message: "bad image" }
          : undefined,
    });
    for (let i = 0; i < 3; i++) download.run().on(commitOf());
    expect(download.stored.get(SETBACKS_KEY)).match(/^20 /);
    download.run();
    expect(download.state.staged).equal(undefined);
    expect(download.logs.at(-1)).include("held back for a day");
  });
});

describe("a boot with a staged image", () => {
  it("proves it again before it counts", () => {
    const download = staged().reboot();
    expect(download.state.phase).equal("restoring");
    expect(raised(download, "stagedChanged")).deep.equal([]);
    download.on();
    expect(download.state.phase).equal("idle");
    expect(raised(download, "stagedChanged")).length(1);
    expect(download.effects.at(-1)).include({ type: "setTimer", timer: "check" });
    download.on(commitOf());
    expect(download.state.phase).equal("restarting");
  });

  it("uses the hash that is under way for a commit that comes meanwhile", () => {
    const download = staged().reboot().on(commitOf());
    expect(download.state.phase).equal("restarting");
    expect(download.types.filter((type) => type === "hashSlot")).length(1);
  });

  it("forgets it if a power cut has spoilt the slot, and says so", () => {
    const download = staged();
    download.flash[SIZE - 1] = (download.flash[SIZE - 1] ?? 0) ^ 1;
    download.reboot().on();
    expect(download.state.staged).equal(undefined);
    expect(download.stored.has(STAGED_KEY)).equal(false);
    expect(download.reports).length(1);
    expect(download.reports[0]).include({ status: "failed", error_code: "IMAGE_MISMATCH", firmware_id: 7 });
    expect(raised(download, "commitEnded"), "nobody has asked").deep.equal([]);
  });

  it("takes a slot that cannot be read for a spoilt one", () => {
    const download = staged().reboot();
    const { attempt } = download.state;
    download.on({ type: "slotFailed", attempt, message: "read" });
    expect(download.state.staged).equal(undefined);
    expect(download.state.phase).equal("idle");
  });

  it("does not hash it at each wake from deep sleep: a commit does", () => {
    const download = staged().reboot({ resetReason: "deep-sleep" });
    expect(download.state).include({ phase: "idle" });
    expect(download.state.staged).include({ version: "1.1.0" });
    expect(download.types).not.include("hashSlot");
    download.flash[9] = 1;
    download.on(commitOf());
    expect(download.types).not.include("armSlot");
  });

  it("forgets what is in a slot that updates no longer go to, what runs, and what cannot be read", () => {
    const download = staged();
    const { target, image } = download.state.boot!;
    download.reboot({ target: { ...target!, label: "ota_1" } });
    expect(download.stored.has(STAGED_KEY)).equal(false);
    const running = staged().reboot({ image: { ...image, imageSha256: PAYLOAD.imageSha256, slot: "ota_1" } });
    expect(running.stored.has(STAGED_KEY)).equal(false);
    const torn = staged();
    torn.stored.set(STAGED_KEY, torn.stored.get(STAGED_KEY)?.slice(0, 40) ?? "");
    torn.reboot();
    expect(torn.state).include({ phase: "idle", staged: undefined });
    expect(torn.stored.has(STAGED_KEY)).equal(false);
  });

  it("goes on with a commit whose record was stored before the cut", () => {
    const download = staged();
    const kept = download.stored.get(STAGED_KEY) ?? "";
    download.on(commitOf());
    const record = readRecord(download.stored.get(RECORD_KEY))!;
    const { armed: _, ...unarmed } = record;
    download.stored.set(RECORD_KEY, JSON.stringify(unarmed));
    download.stored.set(STAGED_KEY, kept);
    download.reboot();
    expect(download.state.phase).equal("rearming");
    expect(download.stored.has(STAGED_KEY)).equal(false);
    download.on();
    expect(download.state.phase).equal("restarting");
  });

  it("stays staged after a commit that the cut came before", () => {
    const download = staged();
    const [committing] = updateStep(download.state, stamped(commitOf()));
    expect(committing.phase).equal("committing");
    download.reboot().on();
    expect(download.state.staged).include({ version: "1.1.0" });
  });
});

describe("a staged image", () => {
  it("is given up when it is abandoned, and cannot be started by a roll back", () => {
    for (const say of [
      (download: Download) => download.on(ABANDON),
      (download: Download) => download.answered({ abandon: true }),
    ]) {
      const download = say(staged());
      expect(download.state).include({ phase: "idle", staged: undefined });
      expect(download.flash.slice(0, 4096).every((byte) => byte === 0xff)).equal(true);
      expect(download.stored.has(STAGED_KEY)).equal(false);
      const types = download.types.slice(download.types.lastIndexOf("eraseSlot"));
      expect(types.indexOf("forget"), "erased first: a cut in between leaves a record of a wrong slot").above(
        0,
      );
      expect(download.reports.at(-1)).include({ status: "failed", error_code: "ABANDONED", step: "staged" });
      expect(raised(download, "stagedChanged").at(-1)).deep.equal({
        type: "stagedChanged",
        staged: undefined,
      });
    }
  });

  it("that is abandoned while it is on its way is not fetched to its end, and may be offered again", () => {
    let isAbandoned = false;
    const stopped = held({
      fault: (effect) => {
        if (effect.type !== "writeSlot" || effect.offset < 8192 || isAbandoned) return undefined;
        isAbandoned = true;
        return ABANDON;
      },
    }).run();
    expect(stopped.outcome).equal("ABANDONED");
    expect(stopped.state.refused).equal(undefined);
    expect(timersSet(stopped).at(-1)).equal("check");
    stopped.run();
    expect(stopped.state.staged).include({ version: "1.1.0" });
  });

  it("is not abandoned while it is being armed", () => {
    const arming = { ...inPhase("armingStaged"), staged: STAGED };
    expect(updateStep(arming, stamped(ABANDON))).deep.equal([arming, []]);
  });

  it("whose commit is under way is abandoned all the same, and the one who asked is told", () => {
    const committing = { ...inPhase("committing"), staged: STAGED };
    const [next, effects] = updateStep(committing, stamped(ABANDON));
    expect(next).include({ phase: "idle", staged: undefined });
    expect(effects).deep.include({
      type: "raise",
      event: { type: "commitEnded", problem: "the transmitter has failed" },
    });
    const [after] = updateStep(
      next,
      stamped({
        type: "slotHashed",
        attempt: committing.attempt,
        offset: 0,
        digest: new Uint8Array(32),
      }),
    );
    expect(after).equal(next);
  });

  it("is given up after a week without a commit, by the time since the boot", () => {
    // no server has told the time
    const state: UpdateState = { ...inPhase("idle"), online: true, server: "http://a", staged: STAGED };
    const checkedAt = (seconds: number) =>
      updateStep(state, { ...stamped({ type: "timerFired", timer: "check" }), at: seconds * 1000 });
    expect(checkedAt(MAX_STAGED_SECONDS - 1)[0].staged).equal(STAGED);
    expect(MAX_STAGED_SECONDS).equal(7 * DAY_SECONDS);
    const [next, effects] = checkedAt(MAX_STAGED_SECONDS);
    expect(next.staged).equal(undefined);
    expect(next.phase, "the check is made").equal("checking");
    expect(effects.map(({ type }) => type)).include.members(["eraseSlot", "forget", "startRequest"]);
  });

  it("is given up after a week by the server's time, whatever the device was doing", () => {
    const download = staged().reboot().on();
    const until = download.state.staged!.until;
    expect(until).equal(1_795_000_000 + MAX_STAGED_SECONDS);
    download.answered({ time: until + 1 });
    expect(download.state.staged, "noticed with the next check").not.equal(undefined);
    download.answered({ time: until + 1 });
    expect(download.state.staged).equal(undefined);
  });

  it("gives way to another release, before anything of that is written", () => {
    const download = staged();
    const other = new Download({
      sizeBytes: SIZE,
      listsChunks: true,
      manifest: { version: "1.2.0", imageSha256: "e".repeat(64) },
    });
    other.state = download.state;
    other.flash.set(download.flash);
    for (const [key, value] of download.stored) other.stored.set(key, value);
    other.run();
    const { types } = other;
    expect(types.indexOf("eraseSlot")).above(types.indexOf("signatureVerified"));
    expect(other.effects.find(({ type }) => type === "eraseSlot")).include({ offset: 0 });
    expect(types.indexOf("forget")).within(0, types.indexOf("startRequest", types.indexOf("eraseSlot")));
    expect(other.state.staged).equal(undefined);
    expect(other.stored.has(STAGED_KEY)).equal(false);
  });

  it("stays when another offer is refused", () => {
    const download = staged();
    const other = new Download({
      sizeBytes: SIZE,
      listsChunks: true,
      manifest: { hardware: "other-board", imageSha256: "e".repeat(64) },
    });
    other.state = download.state;
    other.run();
    expect(other.outcome).equal("WRONG_HARDWARE");
    expect(other.state.staged).equal(download.state.staged);
    expect(other.types).not.include("eraseSlot");
  });

  it("is in nobody's way: events of other machines do not change it", () => {
    const { state } = staged();
    const events: readonly Event[] = [
      { type: "offline" },
      { type: "online", address: "192.168.1.2", rssi: -50 },
      { type: "slotErased", attempt: state.attempt, offset: 0, length: 4096 },
      { type: "slotHashed", attempt: state.attempt, offset: 0, digest: new Uint8Array(32) },
      { type: "slotFailed", attempt: state.attempt, message: "no" },
      { type: "saved", purpose: "staged" },
      { type: "saveFailed", purpose: "staged", message: "no" },
      { type: "chunkStored", attempt: state.attempt },
      { type: "slotArmed", attempt: state.attempt },
    ];
    for (const event of events)
      expect(updateStep(state, stamped(event))[0], event.type).include({
        phase: "idle",
        staged: state.staged,
      });
  });
});

describe("an upload", () => {
  const push = (download: Download, offer: object = {}) =>
    download.push({ hold: true, release: download.release, ...offer });

  it("is staged, and its sender told what it is", () => {
    const download = push(new Download({ sizeBytes: SIZE, listsChunks: true }));
    const [answer] = download.answers;
    expect(answer?.status).equal(200);
    expect(JSON.parse(answer?.body ?? "")).deep.equal({
      success: true,
      message: "1.1.0 is staged: install it now, or upload another",
      size: SIZE,
      version: "1.1.0",
      build: 0,
      type: "base",
      sha256: download.state.staged?.proof.digest,
      imageSha256: PAYLOAD.imageSha256,
    });
    expect(download.state.staged).include({ from: "push", firmwareId: 0 });
    expect(download.reports).deep.equal([]);
    expect(download.types).not.include("armSlot");
  });

  it("of an unsigned image is committed by the SHA-256 in the image", () => {
    const exact = 7 * 4096 + 1600;
    const download = new Download({ sizeBytes: exact, listsChunks: true }).push({ hold: true });
    const sha256 = hex(download.image.slice(-32));
    expect(JSON.parse(download.answers[0]?.body ?? "")).include({ success: true, imageSha256: sha256 });
    download.reboot().on(commitOf(sha256));
    expect(download.state.phase).equal("restarting");
  });

  it("that is wrong is answered in the same form", () => {
    const download = new Download({ sizeBytes: SIZE, listsChunks: true, manifest: { chip: "esp32c3" } });
    push(download);
    expect(download.answers[0]?.status).equal(422);
    expect(JSON.parse(download.answers[0]?.body ?? "")).include({ success: false });
    const torn = new Download({ sizeBytes: SIZE, listsChunks: true });
    torn.push({ hold: true, release: torn.release }, torn.image.slice(0, -100));
    expect(JSON.parse(torn.answers[0]?.body ?? "")).property("success", false);
  });

  it("replaces one before it", () => {
    const download = push(new Download({ sizeBytes: SIZE, listsChunks: true }));
    push(download);
    expect(download.answers.map(({ status }) => status)).deep.equal([200, 200]);
    expect(download.state.staged).include({ version: "1.1.0" });
    expect(download.dirtyWriteCount).equal(0);
  });

  it("is not replaced by what the server offers, for an hour", () => {
    const download = push(
      new Download({ sizeBytes: SIZE, listsChunks: true, manifest: { version: "1.1.0-rc.1" } }),
    );
    const other = new Download({
      sizeBytes: SIZE,
      listsChunks: true,
      manifest: { imageSha256: "e".repeat(64) },
    });
    other.state = download.state;
    other.run();
    expect(other.state.staged).equal(download.state.staged);
    expect(other.logs.at(-1)).include("1.1.0-rc.1 was uploaded");
    other.nowMs = 3_600_001;
    other.run();
    expect(other.state.staged).equal(undefined);
  });

  it("has to wait for what is being proved or armed", () => {
    const phases: readonly UpdatePhase[] = ["staging", "restoring", "committing", "armingStaged"];
    for (const phase of phases) {
      const state = { ...inPhase(phase), staged: STAGED };
      const offer = { connection: 4, sizeBytes: JOB.release.size, hold: true };
      const [next, effects] = updateStep(state, stamped({ type: "pushOffered", offer }));
      expect(next, phase).equal(state);
      expect(effects, phase).length(1);
      expect(effects[0], phase).nested.include({ type: "answerPush", "response.status": 409 });
    }
  });
});
