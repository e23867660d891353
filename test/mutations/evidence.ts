// When the server believes that an update took place: server/devices/evidence.ts.

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
    original: '? "validated" : "onTrial"',
    mutated: '? "validated" : "validated"',
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
    original: ', "trial"]',
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
    original: " && running.build === release.buildNumber",
    mutated: "",
  },
];
