// While several devices are updated together nothing else is installed: no offer, no push, nothing that is left over from before.

import { expect } from "chai";
import type { Event } from "../../../../firmware/core/event.js";
import { initialUpdate } from "../../../../firmware/core/update/state.js";
import { updateStep } from "../../../../firmware/core/update/update.js";
import { Download, type DownloadOptions } from "../download.js";
import { stamped } from "../events.js";
import { PAYLOAD } from "../releases.js";
import { inPhase } from "../update-phases.js";

const SIZE = 7 * 4096 + 1600;
const OTHER = "e".repeat(64);
const REASON = "the system is being updated to 2.0.0";
const heldFor = (...images: readonly string[]): Event => ({
  type: "installationsHeld",
  reason: REASON,
  images,
});
const FREED: Event = { type: "installationsFreed" };
const device = (options: Partial<DownloadOptions> = {}) =>
  new Download({ sizeBytes: SIZE, listsChunks: true, ...options });

describe("while several devices are updated together", () => {
  it("an offer of something else waits, unreported, and is taken when that is over", () => {
    const download = device().on(heldFor(OTHER)).run();
    expect(download.asked).deep.equal([]);
    expect(download.reports).deep.equal([]);
    expect(download.logs.at(-1)).include("waits").and.include(REASON);
    expect(download.effects.at(-2), "checks go on").include({ type: "setTimer", timer: "check" });
    expect(download.on(FREED).run().state.phase).equal("restarting");
  });

  it("an offer of its own image that would start at once waits too", () => {
    const download = device().on(heldFor(PAYLOAD.imageSha256)).run();
    expect(download.asked).deep.equal([]);
    expect(download.state.phase).equal("idle");
  });

  it("not even an offer that would be refused is reported", () => {
    const download = device({ manifest: { chip: "esp32s3" } })
      .on(heldFor(OTHER))
      .run();
    expect(download.reports).deep.equal([]);
  });

  it("its own image is staged, and starts at the leader's word only", () => {
    const download = device({ hold: true }).on(heldFor(OTHER, PAYLOAD.imageSha256)).run();
    expect(download.state.staged).include({ imageSha256: PAYLOAD.imageSha256 });
    download.run({ hold: false });
    expect(download.types, "a server's rollout of the same release").not.include("armSlot");
    download.on({ type: "commitRequested", imageSha256: PAYLOAD.imageSha256 });
    expect(download.state.phase).equal("restarting");
  });

  it("an image of another leader is not staged", () => {
    const download = device({ hold: true }).on(heldFor(OTHER)).run();
    expect(download.asked).deep.equal([]);
    expect(download.state.staged).equal(undefined);
  });

  it("on the way back none is", () => {
    const download = device({ hold: true }).on(heldFor(PAYLOAD.imageSha256), heldFor()).run();
    expect(download.asked).deep.equal([]);
  });

  it("a push is refused with a sentence, signed or not, to be held or not", () => {
    const download = device().on(heldFor(PAYLOAD.imageSha256));
    for (const offer of [{}, { release: download.release }, { release: download.release, hold: true }]) {
      download.push(offer);
      const { status, body } = download.answers.at(-1)!;
      expect(status).equal(409);
      expect(body).include(`nothing else is installed meanwhile: ${REASON}`);
    }
    expect(download.erasedCount).equal(0);
    expect(download.on(FREED).push({ release: download.release }).state.phase).equal("restarting");
  });

  it("what was staged before does not start, by neither word, and checks go on", () => {
    const download = device({ hold: true }).run().on(heldFor(OTHER));
    download.answered({ commit: PAYLOAD.imageSha256 });
    expect(download.effects.at(-1)).include({ timer: "check" });
    download.on({ type: "commitRequested", imageSha256: PAYLOAD.imageSha256 });
    expect(download.types).not.include("armSlot");
    expect(download.logs.at(-1)).include(REASON);
    expect(download.state.staged).not.equal(undefined);
  });

  it("is forgotten by a restart: whoever leads says it again after the boot, before the first check", () => {
    const download = device().on(heldFor(OTHER)).reboot();
    expect(download.state.reserved).equal(undefined);
    download.on(heldFor(OTHER)).run();
    expect(download.asked).deep.equal([]);
  });
});

describe("when several devices begin to be updated together", () => {
  it("a download of something else ends, and is reported", () => {
    let isTold = false;
    const download = device({
      fault: ({ type }) => {
        if (type !== "writeSlot" || isTold) return undefined;
        isTold = true;
        return heldFor(OTHER);
      },
    }).run();
    expect(download.reports.at(-1)).include({ status: "failed", error_code: "ABANDONED" });
    expect(download.reports.at(-1)?.error_message).include(REASON);
    expect(download.types).not.include("armSlot");
  });

  it("the download of its own image goes on", () => {
    const streaming = inPhase("streaming", initialUpdate, { hold: true });
    const [next, effects] = updateStep(streaming, stamped(heldFor(PAYLOAD.imageSha256)));
    expect(next.phase).equal("streaming");
    expect(effects).deep.equal([]);
  });

  it("an offer whose signature is being verified is dropped, and the sender of a push is told", () => {
    const [next, effects] = updateStep(inPhase("verifying"), stamped(heldFor(OTHER)));
    expect(next.phase).equal("idle");
    expect(effects[0]).nested.include({ type: "answerPush", "response.status": 409 });
    expect(effects.at(-1)).include({ timer: "check" });
  });

  it("what is being armed is not stopped halfway", () => {
    for (const phase of ["arming", "staging", "restarting", "armingStaged", "rearming"] as const) {
      const [next, effects] = updateStep(inPhase(phase), stamped(heldFor(OTHER)));
      expect(next.phase, phase).equal(phase);
      expect(effects).deep.equal([]);
    }
  });
});
