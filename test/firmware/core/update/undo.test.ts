// An answer that takes a device back: it undoes what an answer has committed lately, and nothing else. Answers are not signed.

import { expect } from "chai";
import { RECORD_KEY } from "../../../../firmware/core/update/record.js";
import { STAGED_KEY } from "../../../../firmware/core/update/staged.js";
import { UNDO_KEY, undoUntil, writeUndo } from "../../../../firmware/core/update/undo.js";
import { Download } from "../download.js";
import { BOOTED } from "../events.js";
import { PAYLOAD } from "../releases.js";

const NOW = 1_795_000_000;
const DAY_SECONDS = 86_400;
const image = {
  ...BOOTED.image,
  slotState: "valid" as const,
  imageSha256: PAYLOAD.imageSha256,
  version: "1.1.0",
};
const REVERT = Object.freeze({ revert: PAYLOAD.imageSha256 });

const committed = () =>
  new Download({ sizeBytes: 9_000, listsChunks: true, hold: true })
    .run()
    .answered({ commit: PAYLOAD.imageSha256 });

describe("an answer that takes a device back", () => {
  it("undoes what was staged and committed, also after restarts", () => {
    const download = committed().reboot({ image }).answered({}).reboot({ image }).answered(REVERT);
    expect(download.types.filter((type) => type === "rollBack")).length(1);
  });

  it("has no effect on an image that no answer has committed: whoever sends it cannot bring an older version back", () => {
    const download = new Download({ sizeBytes: 9_000, listsChunks: true }).reboot({ image });
    for (let count = 0; count < 3; count++) download.answered(REVERT);
    expect(download.types).not.include("checkRollBack");
    expect(download.effects.at(-1), "checks go on").include({ timer: "check" });
  });

  it("has none a week after the commit, whatever time the server says then", () => {
    const download = committed();
    const stored = download.stored.get(UNDO_KEY) ?? "";
    expect(stored.split(" ")[0]).equal(PAYLOAD.imageSha256);
    const until = Number(stored.split(" ")[1]);
    expect(until).within(NOW + 7 * DAY_SECONDS, NOW + 7 * DAY_SECONDS + 60);
    download.reboot({ image }).answered({ ...REVERT, time: until + 1 });
    expect(download.types).not.include("checkRollBack");
    const running = committed().reboot({ image });
    running.nowMs = 8 * DAY_SECONDS * 1_000;
    expect(running.answered({ ...REVERT, time: NOW }).types).not.include("checkRollBack");
  });

  it("is stored before the record, with which the slot would be armed again after a power cut", async () => {
    const download = committed();
    const keys = download.effects.flatMap((effect) =>
      effect.type === "store" || effect.type === "forget" ? [effect.key] : [],
    );
    const committing = keys.slice(keys.lastIndexOf(UNDO_KEY));
    expect(committing.slice(0, 3)).deep.equal([UNDO_KEY, RECORD_KEY, STAGED_KEY]);
  });
});

describe("the record of what can be undone", () => {
  it("counts for the image that runs", () => {
    const text = writeUndo("a".repeat(64), NOW);
    expect(text.length).at.most(75);
    expect(undoUntil({ image: BOOTED.image, stored: { [UNDO_KEY]: text } })).equal(NOW + 7 * DAY_SECONDS);
    const sha256 = "a".repeat(64);
    for (const odd of [
      "",
      sha256,
      `${sha256} `,
      `${sha256} x`,
      `${sha256}-9`,
      writeUndo("b".repeat(64), NOW),
    ])
      expect(undoUntil({ image: BOOTED.image, stored: { [UNDO_KEY]: odd } }), odd).equal(0);
  });
});
