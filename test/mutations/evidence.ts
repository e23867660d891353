// When the server believes that an update took place: server/devices/evidence.ts, server/updates/sent-image.ts.

import type { Mutation } from "./mutation.js";

const file = "server/devices/evidence.ts";

export const MUTATIONS: readonly Mutation[] = [
  {
    what: "an image on trial counts as validated",
    file,
    original: 'state === "valid" || state === "factory"',
    mutated: 'state === "valid" || state === "factory" || state === "pending_verify"',
  },
  {
    what: "a factory image never counts as validated",
    file,
    original: 'state === "valid" || state === "factory"',
    mutated: 'state === "valid"',
  },
  {
    what: "a device without a hash has rolled back",
    file,
    original: 'if (running.imageSha256 === null) return "nothing";',
    mutated: "",
  },
  {
    what: "an image on trial is the end of the attempt",
    file,
    original: '? "reported" : "onTrial"',
    mutated: '? "reported" : "validated"',
  },
  {
    what: "the old image during a download has rolled back",
    file,
    original: 'if (attempt.status !== "installing") return "nothing";',
    mutated: "",
  },
  {
    what: "a power loss counts against the image",
    file,
    original: 'if (running.resetReason !== null && isFromOutside(running.resetReason)) return "nothing";',
    mutated: "",
  },
  {
    what: "a roll back during the trial is not detected",
    file,
    original: ", TRIAL]",
    mutated: "]",
  },
  {
    what: "a client that reports no steps never rolls back",
    file,
    original: "attempt.step === null || ",
    mutated: "",
  },
  {
    what: "a claim is disproved a moment too early",
    file,
    original: "now - claimedAt > RESTART_MS",
    mutated: "now - claimedAt >= RESTART_MS",
  },
  {
    what: "a claim has ten minutes to be confirmed",
    file,
    original: "RESTART_MS = 2 * 60_000",
    mutated: "RESTART_MS = 10 * 60_000",
  },
  {
    what: "a claim is never disproved",
    file,
    original: '? "disproved" : "nothing"',
    mutated: '? "nothing" : "nothing"',
  },
  {
    what: "another build of the same version confirms a claim",
    file,
    original: "versionOf(release.version, release.buildNumber)",
    mutated: "versionOf(release.version, running.build)",
  },
  {
    what: "a newer version disproves a claim",
    file,
    original: "order < 0 && ",
    mutated: "",
  },
  {
    what: "the version that ran before proves that it was installed again",
    file,
    original: " && !isVersionOf(release, attempt.from)",
    mutated: "",
  },
  {
    what: "a client that tries the image by itself has no time to do so",
    file,
    original: "const hasTrial = attempt.step !== null && trialMs <= LONGEST_TRIAL_MS;",
    mutated: "const hasTrial = false;",
  },
  {
    what: "a trial that the boot loader knows ends by time",
    file,
    original: "knowsNoStates(running.slotState) && !hasTrial",
    mutated: "!hasTrial",
  },
  {
    what: "a device that sends no state of its slot never ends an attempt",
    file,
    original: "state === null || ",
    mutated: "",
  },
  {
    what: "a device whose boot loader leaves the state as it was armed never ends an attempt",
    file,
    original: ' || state === "new"',
    mutated: "",
  },
  {
    what: "what a silent client was sent and does not run stays open for ever",
    file: "server/updates/sent-image.ts",
    original: "(open.step !== SENDING && open.step !== SENT)",
    mutated: "open.step !== SENDING",
  },
  {
    what: "an image that was sent to its end was not received",
    file: "server/updates/sent-image.ts",
    original: "else if (open.step === SENT)",
    mutated: "else if (open.step === SENDING)",
  },
  {
    what: "a silent client that was sent the version again that it runs has failed",
    file: "server/updates/sent-image.ts",
    original: "open.step === SENT && isVersionOf(firmware, device)",
    mutated: "false",
  },
];
