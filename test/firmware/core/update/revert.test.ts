// A leader's word to go back: it counts for the image that it names only, may come late and twice, and never during a trial.

import { expect } from "chai";
import { step } from "../../../../firmware/core/device.js";
import { initialDevice } from "../../../../firmware/core/device-state.js";
import type { Booted, Event } from "../../../../firmware/core/event.js";
import { TRIAL_REASON_KEY } from "../../../../firmware/core/trial/boot-validation.js";
import { BLOCKED_IMAGE_KEY, RECORD_KEY } from "../../../../firmware/core/update/record.js";
import { UNDO_KEY, writeUndo } from "../../../../firmware/core/update/undo.js";
import { updateStep } from "../../../../firmware/core/update/update.js";
import { Download, type DownloadOptions } from "../download.js";
import { BOOTED, IMAGE, stamped } from "../events.js";
import { PAYLOAD } from "../releases.js";
import { inPhase } from "../update-phases.js";

const SIZE = 7 * 4096 + 1600;
/** The image of the release runs, in the slot that it was written to. */
const RUNNING: Booted = {
  ...BOOTED,
  image: { ...IMAGE, version: "1.1.0", imageSha256: PAYLOAD.imageSha256, slot: "ota_0", slotState: "valid" },
  target: { label: "ota_1", sizeBytes: 0x200000, state: "valid" },
};
const running = (options: Partial<DownloadOptions> = {}, booted: Partial<Booted> = {}) => {
  const download = new Download({
    sizeBytes: SIZE,
    listsChunks: true,
    ...options,
    booted: { ...RUNNING, ...booted },
  });
  download.stored.set(UNDO_KEY, writeUndo(PAYLOAD.imageSha256, 1_795_000_000));
  return download.reboot().on();
};
const wordFor = (imageSha256: string): Event => ({ type: "revertRequested", imageSha256 });
const WORD = wordFor(PAYLOAD.imageSha256);

describe("a word to go back", () => {
  const ways: readonly (readonly [string, (download: Download) => Download])[] = [
    ["a check's answer", (download) => download.answered({ revert: PAYLOAD.imageSha256 })],
    ["an event", (download) => download.on(WORD)],
  ];
  for (const [what, say] of ways)
    it(`notes why, keeps the image from the next offer, and starts the other slot: ${what}`, () => {
      const download = say(running());
      expect(download.types.slice(-3)).deep.equal(["store", "store", "rollBack"]);
      expect(download.stored.get(BLOCKED_IMAGE_KEY)).equal(PAYLOAD.imageSha256);
      expect(download.stored.get(TRIAL_REASON_KEY)).include("went back");
      expect(download.state.phase).equal("restarting");
    });

  it("has no effect on a device that runs another image, however often it comes", () => {
    const download = running();
    const other = "e".repeat(64);
    download.answered({ revert: other }).answered({ revert: other }).on(wordFor(other));
    expect(download.types).not.include("checkRollBack");
    expect(download.state.phase).equal("idle");
    expect(download.effects.at(-1), "checks go on").include({ timer: "check" });
  });

  it("is ignored unless it is a SHA-256", () => {
    for (const revert of [true, "", "a", 7, null, PAYLOAD.imageSha256.slice(1)]) {
      const download = running().answered({ revert });
      expect(download.types, `${revert}`).not.include("checkRollBack");
    }
  });

  it("is not followed during a trial: the boot loader would go back by itself", () => {
    const trial = running({}, { image: { ...RUNNING.image, slotState: "pending_verify" } });
    expect(trial.state.onTrial).equal(true);
    trial.answered({ revert: PAYLOAD.imageSha256 }).on(WORD);
    expect(trial.types).not.include("checkRollBack");
    trial.on({ type: "trialPassed" }).answered({ revert: PAYLOAD.imageSha256 });
    expect(trial.types.at(-1)).equal("rollBack");
  });

  it("restarts nothing where no other image could start, and checks go on", () => {
    const download = running({ canRollBack: false }).answered({ revert: PAYLOAD.imageSha256 });
    expect(download.types).include("checkRollBack").and.not.include("rollBack");
    expect(download.stored.has(BLOCKED_IMAGE_KEY)).equal(false);
    expect(download.state.phase).equal("idle");
    expect(download.effects.at(-1)).include({ timer: "check" });
  });

  it("never starts an image that was staged and never tried", () => {
    const download = new Download({ sizeBytes: SIZE, listsChunks: true, hold: true }).run();
    expect(download.state.staged).not.equal(undefined);
    download.answered({ revert: IMAGE.imageSha256 }).on(wordFor(IMAGE.imageSha256));
    expect(download.types).not.include("checkRollBack");
    expect(download.logs.at(-1)).include("never tried");
  });

  it("that comes twice is one", () => {
    const { state } = running();
    const [reverting] = updateStep(state, stamped(WORD));
    expect(reverting.phase).equal("reverting");
    expect(updateStep(reverting, stamped(WORD))).deep.equal([reverting, []]);
  });

  it("ends a check that is under way", () => {
    const [next, effects] = updateStep(inPhase("checking", running().state), stamped(WORD));
    expect(next.phase).equal("reverting");
    expect(effects.map(({ type }) => type)).deep.equal(["clearTimer", "closeRequest", "checkRollBack"]);
  });

  it("waits for an update that is under way", () => {
    for (const phase of ["streaming", "proving", "arming", "restarting", "staging"] as const) {
      const busy = inPhase(phase, running().state);
      expect(updateStep(busy, stamped(WORD)), phase).deep.equal([busy, []]);
    }
  });

  it("keeps pushes out until the other image runs", () => {
    const [reverting] = updateStep(running().state, stamped(WORD));
    const offer = { connection: 3, sizeBytes: SIZE };
    const [after, effects] = updateStep(reverting, stamped({ type: "pushOffered", offer }));
    expect(after).equal(reverting);
    expect(effects[0]).nested.include({ type: "answerPush", "response.status": 409 });
  });

  it("is told to the server with its reason, if the update's result is not told yet", () => {
    const record = {
      from: "server",
      firmwareId: 7,
      version: "1.1.0",
      build: 0,
      imageSha256: PAYLOAD.imageSha256,
      slot: "ota_0",
      powerLosses: 0,
      armed: true,
      passed: true,
    };
    const download = running({}, { stored: { [RECORD_KEY]: JSON.stringify(record) } });
    download.stored.set(RECORD_KEY, JSON.stringify(record));
    download.on(WORD).reboot({ ...BOOTED, resetReason: "software", restartNote: "roll-back" });
    expect(download.reports.at(-1)).include({ firmware_id: 7, status: "failed", error_code: "ROLLED_BACK" });
    expect(download.reports.at(-1)?.error_message).include("went back");
  });
});

describe("an image that was left at a leader's word", () => {
  const left = (options: Partial<DownloadOptions>) =>
    new Download({ sizeBytes: SIZE, listsChunks: true, ...options }).reboot({
      stored: { [BLOCKED_IMAGE_KEY]: PAYLOAD.imageSha256 },
    });

  it("is not installed again when the server offers it", () => {
    const download = left({});
    download.stored.set(BLOCKED_IMAGE_KEY, PAYLOAD.imageSha256);
    download.reboot().run();
    expect(download.asked).deep.equal([]);
    expect(download.state.phase).equal("idle");
  });

  it("is staged when the leader offers it once more", () => {
    const download = left({ hold: true });
    download.stored.set(BLOCKED_IMAGE_KEY, PAYLOAD.imageSha256);
    download.reboot().run();
    expect(download.state.staged).include({ version: "1.1.0" });
  });
});

it("the answer to the update machine's own question is none to a person", () => {
  const [booted] = step(initialDevice, stamped(RUNNING));
  const [after, effects] = step(booted, stamped({ type: "rollBackChecked", connection: 0, possible: true }));
  expect(effects).deep.equal([]);
  expect(after.localApi.leaving).equal("no");
});
