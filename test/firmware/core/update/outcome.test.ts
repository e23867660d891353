import { expect } from "chai";
import type { RunningImage } from "../../../../firmware/core/event.js";
import { RESET_REASONS } from "../../../../firmware/core/identity.js";
import {
  type BootFacts,
  evaluateInstallation,
  type Outcome,
} from "../../../../firmware/core/update/outcome.js";
import {
  type InstallRecord,
  isUntried,
  MAX_REARMINGS,
  readRecord,
  writeRecord,
} from "../../../../firmware/core/update/record.js";
import type { SlotState } from "../../../../firmware/core/wire.js";

const RECORD: InstallRecord = {
  from: "server",
  firmwareId: 3,
  version: "1.1.0",
  build: 0,
  imageSha256: "new",
  slot: "ota_0",
  powerLosses: 0,
};
const ARMED: InstallRecord = { ...RECORD, armed: true };

const running = (imageSha256: string, slotState: SlotState): RunningImage => ({
  version: "1.0.0",
  build: 0,
  imageSha256,
  slot: imageSha256 === "new" ? "ota_0" : "factory",
  slotState,
  securityVersion: 0,
});

/** The old image runs, and this is the state of the recorded image's slot. */
const back = (state: SlotState, resetReason: string, more: Partial<BootFacts> = {}): BootFacts => ({
  image: running("old", "factory"),
  target: { label: "ota_0", sizeBytes: 0x200000, state },
  bootSlot: "factory",
  resetReason,
  ...more,
});

const reasonOf = (outcome: Outcome) => (outcome.kind === "failed" ? outcome.failure.reason : outcome.kind);

describe("the outcome of an installation", () => {
  it("distinguishes an intended restart of the new image from an error that it threw", () => {
    const outcome = (restartReason?: string) =>
      reasonOf(evaluateInstallation(ARMED, back("aborted", "software", { restartReason })));
    expect(outcome()).equal("the new firmware threw an error or restarted during its trial run");
    expect(outcome("owner")).equal("restart (owner) during the trial run");
  });

  it("does not exist when nothing was installed", () => {
    expect(evaluateInstallation(undefined, back("undefined", "power-on")).kind).equal("none");
  });

  it("distinguishes a new image on trial from a valid one", () => {
    const kind = (record: InstallRecord, state: SlotState) =>
      evaluateInstallation(record, { ...back("valid", "software"), image: running("new", state) }).kind;
    expect(kind(ARMED, "pending_verify")).equal("onTrial");
    expect(kind(RECORD, "pending_verify")).equal("onTrial");
    expect(kind({ ...ARMED, passed: true }, "valid")).equal("validated");
  });

  it("treats the same image in another slot as the old one", () => {
    const same = { ...running("new", "valid"), slot: "factory" };
    expect(isUntried(same, RECORD)).equal(false);
    expect(evaluateInstallation(RECORD, { ...back("undefined", "power-on"), image: same }).kind).equal(
      "rearm",
    );
  });

  it("blames the new image for a crash, a hang and a failed self test, with the reason", () => {
    const reason = (resetReason: string, trialReason?: string) =>
      reasonOf(evaluateInstallation(ARMED, back("aborted", resetReason, { trialReason })));
    expect(reason("software")).match(/threw an error/);
    expect(reason("panic")).match(/crashed/);
    expect(reason("task-watchdog")).match(/hung.*watchdog/);
    expect(reason("cpu-lockup")).match(/cpu-lockup/);
    expect(reason("software", "Wi-Fi was not joined within 300 s")).match(/^Wi-Fi/);
    expect(reason("power-on", "Wi-Fi was not joined within 300 s")).match(/^Wi-Fi/);
  });

  it("blames no image that has never run: a watchdog before its slot is armed arms it again", () => {
    for (const state of ["undefined", "valid", "aborted", "invalid"] as const) {
      const outcome = evaluateInstallation(RECORD, back(state, "task-watchdog"));
      expect(outcome).deep.equal({
        kind: "rearm",
        record: { ...RECORD, rearmings: 1 },
        why: "it was not started: a reset (task-watchdog) while its slot was armed (1 of 3)",
      });
    }
    const last = { ...RECORD, rearmings: MAX_REARMINGS };
    const given = evaluateInstallation(last, back("undefined", "task-watchdog"));
    expect(given).deep.include({
      kind: "failed",
      failure: {
        code: "ARM_FAILED",
        reason:
          "the new image was never started: arming its slot again 3 times did not help, the last time there was a reset (task-watchdog)",
      },
    });
  });

  it("tolerates one power loss, and only one", () => {
    const first = evaluateInstallation(ARMED, back("aborted", "power-on"));
    expect(first).deep.include({ kind: "rearm", record: { ...RECORD, powerLosses: 1 } });
    const second = evaluateInstallation({ ...ARMED, powerLosses: 1 }, back("aborted", "brownout"));
    expect(reasonOf(second)).match(/interrupted 2 times/);
  });

  it("reports when the boot loader did not start the new image", () => {
    const refused = back("pending_verify", "software", { bootSlot: "ota_0" });
    expect(reasonOf(evaluateInstallation(ARMED, refused))).equal(
      "the boot loader did not start the new image",
    );
  });

  it("distinguishes a roll back by the owner from an image that no longer starts", () => {
    const passed = { ...ARMED, passed: true } as const;
    const owner = back("invalid", "software", { restartReason: "roll-back" });
    expect(reasonOf(evaluateInstallation(passed, owner))).match(/by its owner/);
    expect(evaluateInstallation(passed, back("valid", "software", { bootSlot: "ota_0" })).kind).equal(
      "rearm",
    );
    const worn = { ...passed, rearmings: MAX_REARMINGS };
    expect(reasonOf(evaluateInstallation(worn, back("valid", "power-on")))).match(/no longer starts/);
  });

  it("never arms a slot other than the one that the image was written to", () => {
    const other = { label: "ota_1", sizeBytes: 0x200000, state: "undefined" } as const;
    for (const record of [RECORD, ARMED, { ...ARMED, passed: true } as const])
      for (const target of [other, undefined])
        expect(evaluateInstallation(record, back("aborted", "power-on", { target })).kind).equal("failed");
  });
});

// ── every combination ────────────────────────────────────────────────────────────────────────────────────────────────────────

const STATES: readonly SlotState[] = ["undefined", "new", "pending_verify", "valid", "invalid", "aborted"];
const RECORDS: readonly InstallRecord[] = [
  {},
  { armed: true },
  { armed: true, passed: true },
  { passed: true },
]
  .flatMap((progress) => [0, 1].map((powerLosses) => ({ ...RECORD, ...progress, powerLosses })))
  .flatMap((record) => [0, 2, 3].map((rearmings) => ({ ...record, rearmings }) as InstallRecord))
  .flatMap((record) => [
    record,
    { ...record, failure: { code: "ROLLED_BACK", reason: "as it was stored" } } as const,
  ]);
const IMAGES: readonly RunningImage[] = [
  ...STATES.map((state) => running("new", state)),
  running("new", "factory"),
  running("old", "factory"),
  running("old", "valid"),
];
const TARGETS: readonly BootFacts["target"][] = [
  undefined,
  { label: "ota_1", sizeBytes: 1, state: "valid" },
  ...STATES.map((state) => ({ label: "ota_0", sizeBytes: 1, state })),
];
/** Resets, each with the firmware's own reason, if any. */
const RESETS: readonly Pick<BootFacts, "resetReason" | "restartReason">[] = [
  ...RESET_REASONS.map((resetReason) => ({ resetReason })),
  ...["update", "owner", "roll-back"].map((restartReason) => ({ resetReason: "software", restartReason })),
];
const OUTSIDE = ["power-on", "external", "brownout", "sdio", "usb", "jtag", "power-glitch"];

type Case = { readonly record: InstallRecord; readonly facts: BootFacts };

function forEachCase(visit: (one: Case) => void): number {
  let count = 0;
  for (const record of RECORDS)
    for (const image of IMAGES) {
      // when the recorded image runs, nothing else about the boot matters: a few of each will do
      const isRecorded = image.imageSha256 === "new";
      for (const target of isRecorded ? TARGETS.slice(0, 3) : TARGETS)
        for (const bootSlot of ["factory", "ota_0"])
          for (const trialReason of [undefined, "left behind"])
            for (const reset of isRecorded ? RESETS.slice(0, 5) : RESETS) {
              count++;
              visit({ record, facts: { image, target, bootSlot, trialReason, ...reset } });
            }
    }
  return count;
}

/** The table above evaluateInstallation: the first row that fits decides. */
const ROWS: readonly {
  readonly name: string;
  readonly fits: (one: Case) => boolean;
  readonly outcome: (one: Case) => string;
}[] = [
  {
    name: "the recorded image, not passed",
    fits: ({ record, facts }) => isNew(facts) && (isPending(facts) || (!record.passed && !isFactory(facts))),
    outcome: () => "onTrial",
  },
  { name: "the recorded image", fits: ({ facts }) => isNew(facts), outcome: () => "validated" },
  {
    name: "failed before",
    fits: ({ record }) => record.failure !== undefined,
    outcome: () => "ROLLED_BACK as it was stored",
  },
  {
    name: "a reason was stored",
    fits: ({ facts }) => facts.trialReason !== undefined,
    outcome: () => "ROLLED_BACK left behind",
  },
  {
    name: "passed, and the owner's roll back",
    fits: ({ record, facts }) => record.passed === true && facts.restartReason === "roll-back",
    outcome: () => "ROLLED_BACK it was rolled back by its owner after its trial",
  },
  {
    name: "passed",
    fits: ({ record }) => record.passed === true,
    outcome: (one) => (mayRearm(one) ? "rearm" : "ROLLED_BACK it is validated, but no longer starts"),
  },
  {
    name: "not armed",
    fits: ({ record }) => !record.armed,
    outcome: (one) => (mayRearm(one) ? "rearm" : "ARM_FAILED the new image was never started"),
  },
  {
    name: "armed, from outside",
    fits: ({ facts }) => OUTSIDE.includes(facts.resetReason),
    outcome: ({ record, facts }) =>
      record.powerLosses === 0 && facts.target?.label === "ota_0"
        ? "interruption"
        : "ROLLED_BACK its trial run was interrupted",
  },
  {
    name: "armed, selected",
    fits: ({ facts }) => facts.bootSlot === "ota_0",
    outcome: () => "ROLLED_BACK the boot loader did not start the new image",
  },
  {
    name: "armed, tried",
    fits: ({ facts }) => facts.target?.state === "aborted" || facts.target?.state === "invalid",
    outcome: ({ facts }) =>
      facts.restartReason
        ? `ROLLED_BACK restart (${facts.restartReason})`
        : `ROLLED_BACK ${blame(facts.resetReason)}`,
  },
  {
    name: "armed, lost",
    fits: () => true,
    outcome: (one) => (mayRearm(one) ? "rearm" : "ARM_FAILED the new image was never started"),
  },
];

const isNew = ({ image }: BootFacts) => image.imageSha256 === "new";
const isPending = ({ image }: BootFacts) => image.slotState === "pending_verify";
const isFactory = ({ image }: BootFacts) => image.slotState === "factory";
const mayRearm = ({ record, facts }: Case) => (record.rearmings ?? 0) < 3 && facts.target?.label === "ota_0";
const blame = (resetReason: string) =>
  ({
    software: "the new firmware threw",
    panic: "the new firmware crashed",
    "task-watchdog": "the new firmware hung",
    "interrupt-watchdog": "the new firmware hung",
    "deep-sleep": "the new firmware went to sleep",
  })[resetReason] ?? `restart (${resetReason})`;

/** An outcome in the words of ROWS. */
function wordsOf(outcome: Outcome, before: InstallRecord): string {
  if (outcome.kind === "failed") return `${outcome.failure.code} ${outcome.failure.reason}`;
  if (outcome.kind !== "rearm") return outcome.kind;
  const { record } = outcome;
  if (record.armed || record.failure) return "rearm of what must not be armed";
  if (record.powerLosses === before.powerLosses + 1 && record.rearmings === before.rearmings)
    return "interruption";
  return record.rearmings === (before.rearmings ?? 0) + 1 ? "rearm" : "rearm that is not counted";
}

describe("a boot after an installation", () => {
  it("has the outcome in the table, in every combination of record, slots and reset", () => {
    const wrong: string[] = [];
    const hits = new Map<string, number>();
    const count = forEachCase((one) => {
      const row = ROWS.find(({ fits }) => fits(one))!;
      hits.set(row.name, (hits.get(row.name) ?? 0) + 1);
      const words = wordsOf(evaluateInstallation(one.record, one.facts), one.record);
      if (!words.startsWith(row.outcome(one)) && wrong.length < 5)
        wrong.push(`${row.name}: ${words}, not ${row.outcome(one)}: ${JSON.stringify(one)}`);
    });
    expect(wrong).deep.equal([]);
    expect(count).above(50_000);
    expect([...hits.keys()]).have.members(ROWS.map(({ name }) => name));
  });

  it("never blames an image that was not armed, and never after a first reset from outside", () => {
    const wrong: string[] = [];
    let seenCount = 0;
    forEachCase(({ record, facts }) => {
      if (
        isNew(facts) ||
        record.failure ||
        record.passed ||
        facts.trialReason ||
        !mayRearm({ record, facts })
      )
        return;
      const isOutside = OUTSIDE.includes(facts.resetReason) && record.powerLosses === 0;
      if (record.armed && !isOutside) return;
      seenCount++;
      const { kind } = evaluateInstallation(record, facts);
      if (kind !== "rearm" && wrong.length < 5) wrong.push(`${kind}: ${JSON.stringify({ record, facts })}`);
    });
    expect(wrong).deep.equal([]);
    expect(seenCount).above(1_000);
  });

  it("terminates whatever happens: a slot is armed again at most four times, and a failure stays", () => {
    const all: BootFacts[] = [];
    forEachCase(({ record, facts }) => {
      if (record === RECORDS[0] && !isNew(facts) && isFactory(facts)) all.push(facts);
    });
    let longest = 0;
    // after each of them the device is reset before the slot is armed (a bit of the pattern), or when it is on trial
    for (let pattern = 0; pattern < 2 ** (MAX_REARMINGS + 1); pattern++) {
      let record: InstallRecord = RECORD;
      let rearmCount = 0;
      for (;;) {
        const outcomes = all.map((facts) => evaluateInstallation(record, facts));
        expect(outcomes.every(({ kind }) => kind === "rearm" || kind === "failed")).equal(true);
        const again = outcomes.find(({ kind }) => kind === "rearm");
        if (again?.kind !== "rearm") break;
        record = (pattern >> rearmCount) & 1 ? again.record : { ...again.record, armed: true };
        rearmCount++;
        expect(rearmCount).below(10);
      }
      longest = Math.max(longest, rearmCount);
      const failed = evaluateInstallation(record, all[pattern]!);
      const kept = failed.kind === "failed" ? readRecord(writeRecord(failed.record))! : RECORD;
      const reason = reasonOf(failed);
      expect(all.every((facts) => reasonOf(evaluateInstallation(kept, facts)) === reason)).equal(true);
    }
    expect(longest).equal(MAX_REARMINGS + 1);
  });
});
