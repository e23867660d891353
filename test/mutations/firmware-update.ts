// The life cycle of an update on the device: firmware/core/update and firmware/core/trial.

import type { Mutation } from "./mutation.js";

const UPDATE = "firmware/core/update";
const TRIAL = "firmware/core/trial";

const release: readonly Mutation[] = [
  {
    what: "an image of exactly the slot's size is refused",
    file: `${UPDATE}/release.ts`,
    original: "if (release.size > device.slotBytes) {",
    mutated: "if (release.size >= device.slotBytes) {",
  },
  {
    what: "an image that is one byte larger than the slot is accepted",
    file: `${UPDATE}/release.ts`,
    original: "if (release.size > device.slotBytes) {",
    mutated: "if (release.size > device.slotBytes + 1) {",
  },
  {
    what: "a release never expires",
    file: `${UPDATE}/release.ts`,
    original: "device.time > release.expires",
    mutated: "device.time > release.expires * 2",
  },
  {
    what: "a release expires one second early",
    file: `${UPDATE}/release.ts`,
    original: "device.time > release.expires",
    mutated: "device.time >= release.expires",
  },
  {
    what: "the running version is installed again",
    file: `${UPDATE}/release.ts`,
    original: "compareVersions(release.parsedVersion, running) > 0",
    mutated: "compareVersions(release.parsedVersion, running) >= 0",
  },
  {
    what: "the build number is ignored in the order of releases",
    file: `${UPDATE}/release.ts`,
    original: "parsedVersion: { ...parsed, build },",
    mutated: "parsedVersion: parsed,",
  },
  {
    what: "the minimum version is ignored",
    file: `${UPDATE}/release.ts`,
    original: "if (minimum && compareVersions(running, minimum) < 0) {",
    mutated: "if (minimum && compareVersions(running, minimum) < -1000) {",
  },
  {
    what: "the minimum version itself is too old",
    file: `${UPDATE}/release.ts`,
    original: "if (minimum && compareVersions(running, minimum) < 0) {",
    mutated: "if (minimum && compareVersions(running, minimum) <= 0) {",
  },
  {
    what: "an older security version is accepted",
    file: `${UPDATE}/release.ts`,
    original: "if (release.securityVersion < image.securityVersion) {",
    mutated: "if (release.securityVersion < 0) {",
  },
  {
    what: "another type's release is accepted",
    file: `${UPDATE}/release.ts`,
    original: "if (release.type !== identity.type) {",
    mutated: "if (release.type === undefined) {",
  },
  {
    what: "a token for another purpose is accepted as a release",
    file: "firmware/core/trust/jws.ts",
    original: 'header.get("typ") === type',
    mutated: 'header.get("typ") !== ""',
  },
  {
    what: "a manifest without a signature algorithm is accepted",
    file: "firmware/core/trust/jws.ts",
    original: 'header?.get("alg") === "ES256" && header.get',
    mutated: "header?.get",
  },
  {
    what: "the number of digests is not checked",
    file: `${UPDATE}/release.ts`,
    original: "if (digests?.length !== count * DIGEST_BYTES)",
    mutated: "if (digests === undefined)",
  },
  {
    what: "versions compare as text",
    file: `${UPDATE}/version.ts`,
    original: "a.length - b.length || compareTexts(a, b);",
    mutated: "compareTexts(a, b);",
  },
  {
    what: "a pre-release is newer than its release",
    file: `${UPDATE}/version.ts`,
    original: "return b.length - a.length;",
    mutated: "return a.length - b.length;",
  },
];

const offers: readonly Mutation[] = [
  {
    what: "a release with a bad signature is installed",
    file: `${UPDATE}/verification.ts`,
    original: "good ? needed - 1 : needed",
    mutated: "good ? needed - 1 : needed - 1",
  },
  {
    what: "any key is trusted",
    file: `${UPDATE}/verification.ts`,
    original: "if (left.length === 0)",
    mutated: "if (left.length === -1)",
  },
  {
    what: "one of two signatures is enough",
    file: `${UPDATE}/verification.ts`,
    original: "if (left.length < needed)",
    mutated: "if (left.length < 1)",
  },
  {
    what: "a key that signs a release twice counts twice",
    file: `${UPDATE}/verification.ts`,
    original: "if (key && !left.some((one) => one.signed.keyId === signed.keyId))",
    mutated: "if (key)",
  },
  {
    what: "a refused offer is verified again with every check",
    file: `${UPDATE}/offer.ts`,
    original: 'enter(state, { phase: "idle", refused })',
    mutated: 'enter(state, { phase: "idle" })',
  },
  {
    what: "what has expired by one clock is refused by every other",
    file: `${UPDATE}/check.ts`,
    original: "refused.expires === undefined || datingTime(trust, clock, at) > refused.expires",
    mutated: "refused.releaseEnd !== undefined",
  },
  {
    what: "a server moves the floor of time",
    file: "firmware/core/clock.ts",
    original: "return kept({ ...clock, told: { time: Math.floor(time), at }, isDoubting: false }, at);",
    mutated:
      "return kept({ ...clock, bootedAfter: Math.floor(time) - secondsOf(at), told: { time: Math.floor(time), at }, isDoubting: false }, at);",
  },
  {
    what: "any time of a server is believed",
    file: "firmware/core/clock.ts",
    original:
      "Number.isFinite(time) && time >= earliestAt(clock, at) - TOLERANCE_SECONDS && time <= clock.ceiling",
    mutated: "Number.isFinite(time)",
  },
  {
    what: "the floor is stored with every answer",
    file: "firmware/core/clock.ts",
    original: "floor - clock.kept < DAY_SECONDS",
    mutated: "floor < clock.kept",
  },
  {
    what: "a refused release is skipped from another firmware too",
    file: `${UPDATE}/check.ts`,
    original: "refused?.firmwareId !== offer.firmware_id ||",
    mutated: "refused === undefined ||",
  },
  {
    what: "an image that was rolled back is never installed again",
    file: `${UPDATE}/offer.ts`,
    original: "at < untilMs && ",
    mutated: "at < untilMs * 2 && ",
  },
  {
    what: "an image that was rolled back is installed again at once",
    file: `${UPDATE}/after-install.ts`,
    original: "untilMs: at + BLOCK_AFTER_FAILURE_MS",
    mutated: "untilMs: at",
  },
  {
    what: "an update starts during the trial of an image",
    file: `${UPDATE}/check.ts`,
    original: "  !state.onTrial &&\n",
    mutated: "",
  },
  {
    what: "a push starts during the trial of an image",
    file: `${UPDATE}/push-place.ts`,
    original: "if (state.onTrial) return",
    mutated: "if (state.onTrial === undefined) return",
  },
  {
    what: "a push interrupts another push",
    file: `${UPDATE}/push-place.ts`,
    original: 'if (source.kind === "push") return ANOTHER_PUSH;',
    mutated: "",
  },
  {
    what: "a push interrupts an image that is being verified",
    file: `${UPDATE}/push-place.ts`,
    original: "if (!hasArrived(state)) return undefined;",
    mutated: 'if (source.kind === "server") return undefined;',
  },
  {
    what: "a push waits for a download",
    file: `${UPDATE}/push-place.ts`,
    original: "if (!hasArrived(state)) return undefined;",
    mutated: "",
  },
  {
    what: "a push of another size than its release says is accepted",
    file: `${UPDATE}/pushed-update.ts`,
    original: "if (size !== offer.sizeBytes && !offer.mesh) {",
    mutated: "if (size > offer.sizeBytes * 2 && !offer.mesh) {",
  },
  {
    what: "an answer of any length is read",
    file: `${UPDATE}/check.ts`,
    original: "if (sizeBytes > MAX_CHECK_RESPONSE_BYTES) {",
    mutated: "if (sizeBytes > 2 * MAX_CHECK_RESPONSE_BYTES) {",
  },
  {
    what: "firmware on trial accepts a server's token",
    file: `${UPDATE}/check.ts`,
    original: "return onTrial ? [serverTokens, []] : takeToken(",
    mutated: "return takeToken(",
  },
  {
    what: "an order with a lower id than the last is never carried out",
    file: "firmware/core/server/orders.ts",
    original: "if (restarted.server === server && id === restarted.id)",
    mutated: "if (restarted.server === server && id <= restarted.id)",
  },
  {
    what: "a token that a server has given counts as proved",
    file: "firmware/core/server/server-token.ts",
    original: "other: given, isOtherNew: true, showsOther: true };",
    mutated: "other: given, isOtherNew: false, showsOther: true };",
  },
  {
    what: "the token before a new one is not kept",
    file: "firmware/core/server/server-token.ts",
    original: "const next = { proved: other, other: proved, isOtherNew: false, showsOther: false };",
    mutated: "const next = { proved: other, other: undefined, isOtherNew: false, showsOther: false };",
  },
];

const offerCrashes: readonly Mutation[] = [
  {
    what: "an offer that crashes the device is retried forever",
    file: `${UPDATE}/offer-crashes.ts`,
    original: "if (crashCount >= MAX_OFFER_CRASHES)",
    mutated: "if (crashCount > 1000)",
  },
  {
    what: "an offer is blocked after two crashes",
    file: `${UPDATE}/offer-crashes.ts`,
    original: "const MAX_OFFER_CRASHES = 3;",
    mutated: "const MAX_OFFER_CRASHES = 2;",
  },
  {
    what: "a power loss counts as a crash over an offer",
    file: `${UPDATE}/offer-crashes.ts`,
    original: "!endedBlamelessly(event.resetReason) && intendedRestart(event) === undefined",
    mutated: "intendedRestart(event) === undefined",
  },
  {
    what: "a note is not cleared when its offer is over",
    file: `${UPDATE}/update.ts`,
    original: "if (!isOver || next === state || !next.offerCrashes.current)",
    mutated: "if (isOver || next === state || !next.offerCrashes.current)",
  },
  {
    what: "a download that makes progress is still blocked",
    file: `${UPDATE}/offer-crashes.ts`,
    original: "const next: Noted = { ...current, crashCount: 0 };",
    mutated: "const next: Noted = current;",
  },
  {
    what: "an image that cannot be installed is tried without an end",
    file: `${UPDATE}/setbacks.ts`,
    original: "if (!isAtLimit(setbacks) || setbacks.image",
    mutated: "if (isAtLimit(setbacks) || setbacks.image",
  },
  {
    what: "an image is held back although another download makes progress",
    file: `${UPDATE}/setbacks.ts`,
    original: "setbacks.points === 0 ? [setbacks, NOTHING] : [NO_SETBACKS, [FORGET]];",
    mutated: "[setbacks, NOTHING];",
  },
  {
    what: "another file that was served for a while is the release's fault",
    file: `${UPDATE}/retry.ts`,
    original: '!isTransient(code) && code !== "ARM_FAILED" && checksChunks(job);',
    mutated: '!isTransient(code) && code !== "ARM_FAILED";',
  },
  {
    what: "a block has no end",
    file: `${UPDATE}/offer-crashes.ts`,
    original: "if (!isHeld(block, time, at))",
    mutated: "if (at < 0)",
  },
  {
    what: "every offer is blocked with one",
    file: `${UPDATE}/offer-crashes.ts`,
    original: "block !== undefined && isSame(block.suspect, suspect) && isHeld",
    mutated: "block !== undefined && isHeld",
  },
];

const transfer: readonly Mutation[] = [
  {
    what: "the digest of a chunk is never compared",
    file: `${UPDATE}/chunk-check.ts`,
    original: "bytesEqual(digest, promisedDigest(job, chunkIndex(job)));",
    mutated: "digest.length >= promisedDigest(job, chunkIndex(job)).length;",
  },
  {
    what: "a wrong chunk does not stop a transfer",
    file: `${UPDATE}/transfer.ts`,
    original: "if (!isChunkRight(job, event.digest)) {",
    mutated: "if (event.digest.length === 0) {",
  },
  {
    what: "what the slot holds is not checked when an update resumes",
    file: `${UPDATE}/install.ts`,
    original: "if (!isChunkRight(job, event.digest)) return chunkMissing",
    mutated: "if (chunkIndex(job) === 0 && !isChunkRight(job, event.digest)) return request",
  },
  {
    what: "nothing is erased before it is written",
    file: `${UPDATE}/transfer.ts`,
    original: "if (offset < erasedTo) return 0;",
    mutated: "if (offset < erasedTo || release.size > 0) return 0;",
  },
  {
    what: "only the first block is erased",
    file: `${UPDATE}/transfer.ts`,
    original: "erasedTo: Math.max(job.erasedTo, offset + length),",
    mutated: "erasedTo: Math.max(job.erasedTo, offset + 1024 * length),",
  },
  {
    what: "a block is erased beyond the end of the image",
    file: `${UPDATE}/transfer.ts`,
    original: "offset + BLOCK_BYTES <= release.size ? BLOCK_BYTES",
    mutated: "offset <= release.size ? BLOCK_BYTES",
  },
  {
    what: "what a failed try has written is not erased again",
    file: `${UPDATE}/transfer.ts`,
    original: "if (offset < writtenTo) return writtenTo - offset;",
    mutated: "if (offset < writtenTo) return 0;",
  },
  {
    what: "a write that was not answered yet is forgotten by the next try",
    file: `${UPDATE}/retry.ts`,
    original: "(offset + (pending?.length ?? 0))",
    mutated: "offset",
  },
  {
    what: "more is read than was requested",
    file: `${UPDATE}/transfer.ts`,
    original: "Math.min(job.available, toSectorEnd, toChunkEnd, job.rangeEnd - position)",
    mutated: "Math.min(job.available, 2 * toSectorEnd)",
  },
  {
    what: "an answer with another length or range is read",
    file: `${UPDATE}/transfer.ts`,
    original: "if (!verdict.isTaken) return rejectPart(state, job, verdict, event);",
    mutated:
      'if (!verdict.isTaken && verdict.failure.code === "HTTP_STATUS") return rejectPart(state, job, verdict, event);',
  },
  {
    what: "a page of digests with another length is read",
    file: `${UPDATE}/digest-fetch.ts`,
    original: "if (!verdict.isTaken) return rejectPart(state, job, verdict, event);",
    mutated:
      'if (!verdict.isTaken && verdict.failure.code === "HTTP_STATUS") return rejectPart(state, job, verdict, event);',
  },
  {
    what: "a page of digests is not compared with its signed hash",
    file: `${UPDATE}/digest-fetch.ts`,
    original: "if (!bytesEqual(digest, digestAt(job.release.digests, index))) {",
    mutated: "if (digest.length === 0) {",
  },
  {
    what: "an image's own description is not checked",
    file: `${UPDATE}/transfer.ts`,
    original: "const mismatch = describeMismatch(job.ahead, job.release);",
    mutated: "const mismatch = describeMismatch({ ...job.ahead, description: undefined }, job.release);",
  },
  {
    what: "an unsigned file that is longer than its image is installed",
    file: `${UPDATE}/transfer.ts`,
    original: "if (job.signed || isWhole) return proveArrived(state, job);",
    mutated: "if (job.signed || (lengthBytes ?? 0) <= size) return proveArrived(state, job);",
  },
  {
    what: "the SHA-256 of a pushed image is looked for behind its Secure Boot signatures",
    file: `${UPDATE}/transfer.ts`,
    original: "lastBytes(job.tail, ofImage(ahead, position, event.bytes))",
    mutated: "lastBytes(job.tail, event.bytes)",
  },
  {
    what: "a pushed image that is signed for Secure Boot is hashed up to the end of its file",
    file: `${UPDATE}/proof.ts`,
    original: "length: lengthBytes - SHA256_BYTES",
    mutated: "length: size - SHA256_BYTES",
  },
  {
    what: "a download starts from its beginning after each failure",
    file: `${UPDATE}/install.ts`,
    original: "offset: job.verifiedBytes,\n  available: 0,",
    mutated: "offset: 0,\n    verifiedBytes: 0,\n    available: 0,",
  },
  {
    what: "a pushed image may have an older security version",
    file: `${UPDATE}/image-match.ts`,
    original: "if (description && description.securityVersion < running) {",
    mutated: "if (description && description.securityVersion < 0) {",
  },
];

const installation: readonly Mutation[] = [
  {
    what: "the check of the whole image is skipped",
    file: `${UPDATE}/install.ts`,
    original: "if (toHex(event.digest) !== expected) {",
    mutated: "if (toHex(event.digest) !== expected && release.size < 0) {",
  },
  {
    what: "only a part of the image is hashed before it is armed",
    file: `${UPDATE}/proof.ts`,
    original:
      'if (job.signed || sha256 !== "") return { algorithm: "SHA256", length: size, digest: sha256 };',
    mutated: 'if (job.signed) return { algorithm: "SHA256", length: size - 32, digest: sha256 };',
  },
  {
    what: "espota's MD5 is not compared",
    file: `${UPDATE}/proof.ts`,
    original: "if (job.md5 !== undefined)",
    mutated: 'if (job.md5 === "none")',
  },
  {
    what: "the chunks are rechecked forever when the whole image is wrong",
    file: `${UPDATE}/install.ts`,
    original: "mismatchCount < MAX_RECHECKS",
    mutated: "mismatchCount < 10 * MAX_RECHECKS",
  },
  {
    what: "the record is not stored before the slot is armed",
    file: `${UPDATE}/arm.ts`,
    original: "[TRIAL_REASON_KEY]: undefined, ...before, [RECORD_KEY]: writeRecord(record), ...after }",
    mutated: "[TRIAL_REASON_KEY]: undefined, ...before }",
  },
  {
    what: "what may be undone is stored behind the record",
    file: `${UPDATE}/arm.ts`,
    original: "...before, [RECORD_KEY]: writeRecord(record), ...after }",
    mutated: "[RECORD_KEY]: writeRecord(record), ...before, ...after }",
  },
  {
    what: "the record does not say that the slot was armed",
    file: `${UPDATE}/arm.ts`,
    original: "storeRecord({ ...record, armed: true })",
    mutated: "storeRecord(state.record)",
  },
  {
    what: "retries never end",
    file: `${UPDATE}/retry.ts`,
    original: "failureCount >= MAX_TRIES",
    mutated: "failureCount >= 4 * MAX_TRIES",
  },
  {
    what: "a download ends after four tries",
    file: `${UPDATE}/retry.ts`,
    original: "failureCount >= MAX_TRIES",
    mutated: "failureCount >= MAX_TRIES - 1",
  },
  {
    what: "pauses between tries do not double",
    file: `${UPDATE}/retry.ts`,
    original: "backoffMs(RETRY, failureCount, random)",
    mutated: "backoffMs(RETRY, 1, random)",
  },
  {
    what: "tries are counted although a chunk has arrived",
    file: `${UPDATE}/transfer.ts`,
    original: "failureCount: job.wholeOnly ? job.failureCount : 0,",
    mutated: "failureCount: job.failureCount,",
  },
  {
    what: "a failure that another download cannot fix is retried",
    file: `${UPDATE}/retry.ts`,
    original: "if (!isTransient(failure.code) ||",
    mutated: "if (",
  },
  {
    what: "the record stays when arming has failed",
    file: `${UPDATE}/retry.ts`,
    original: 'state.phase === "arming" ? [{ type: "forget", key: RECORD_KEY } as const]',
    mutated: 'state.phase === "proving" ? [{ type: "forget", key: RECORD_KEY } as const]',
  },
  {
    what: "a stalled push never times out",
    file: `${UPDATE}/retry.ts`,
    original: "if (job.failureCount >= retries) {",
    mutated: "if (job.failureCount >= 100 * RECEIVE_RETRIES) {",
  },
  {
    what: "answers to earlier requests are accepted for the last",
    file: `${UPDATE}/update.ts`,
    original: "event.attempt !== state.attempt &&",
    mutated: "event.attempt > state.attempt &&",
  },
  {
    what: "a device checks while it is offline",
    file: `${UPDATE}/update.ts`,
    original: 'if (state.phase !== "idle" || !state.online) return [state, []];',
    mutated: 'if (state.phase !== "idle") return [state, []];',
  },
  {
    what: "a download from the first byte is tried for ever",
    file: `${UPDATE}/transfer.ts`,
    original: "failureCount: job.wholeOnly ? job.failureCount : 0,",
    mutated: "failureCount: 0,",
  },
  {
    what: "a server that refuses a range is asked for it again",
    file: `${UPDATE}/retry.ts`,
    original: "wholeOnly: job.wholeOnly || isRangeRefused",
    mutated: "wholeOnly: job.wholeOnly",
  },
  {
    what: "a byte now and then keeps a transfer going",
    file: `${UPDATE}/transfer.ts`,
    original: "const isPaceOver = arrived >= job.paceEnd;",
    mutated: "const isPaceOver = arrived > job.offset;",
  },
  {
    what: "a check comes sooner than the server has asked for",
    file: `${UPDATE}/update.ts`,
    original: "event.at < state.checksFromMs",
    mutated: "event.at < 0",
  },
  {
    what: "a server may ask for more than a day of patience",
    file: "firmware/core/http/retry-after.ts",
    original: "Math.min(MAX_RETRY_AFTER_MS, ",
    mutated: "Math.max(0, ",
  },
  {
    what: "a redirect takes the token to another host",
    file: "firmware/core/http/redirect.ts",
    original: "authorization !== undefined && isSame",
    mutated: "authorization !== undefined",
  },
  {
    what: "a page of a captive network counts as the answer to a report",
    file: "firmware/core/server/report.ts",
    original: "isJson(headers) && !isTemporary(status)",
    mutated: "!isTemporary(status)",
  },
];

const together: readonly Mutation[] = [
  {
    what: "a word to go back counts for any image",
    file: `${UPDATE}/revert.ts`,
    original: "boot?.image.imageSha256 !== sha256 || ",
    mutated: "",
  },
  {
    what: "a word to go back is followed during a trial",
    file: `${UPDATE}/revert.ts`,
    original: "if (onTrial) return",
    mutated: "if (onTrial && phase === 'checking') return",
  },
  {
    what: "a word to go back starts an image that was never tried",
    file: `${UPDATE}/revert.ts`,
    original: "  if (staged)\n",
    mutated: "  if (staged && onTrial)\n",
  },
  {
    what: "a word to go back restarts a device that has no other image, each time",
    file: `${UPDATE}/revert.ts`,
    original: "if (!isPossible) {",
    mutated: "if (!isPossible && random > 1) {",
  },
  {
    what: "the image that was left is installed again by the next offer",
    file: `${UPDATE}/revert.ts`,
    original:
      '      { type: "store", key: BLOCKED_IMAGE_KEY, value: state.boot?.image.imageSha256 ?? "" },\n',
    mutated: "",
  },
  {
    what: "a leader can never offer an image again from which it went back",
    file: `${UPDATE}/offer.ts`,
    original: " && !(hold && untilMs === Number.POSITIVE_INFINITY)",
    mutated: "",
  },
  {
    what: "a roll back of the update machine answers a person who has not asked",
    file: "firmware/core/local/api.ts",
    original: "if (connection === 0) return [state, []];",
    mutated: "",
  },
  {
    what: "a server's rollout starts the image of one device before the others have theirs",
    file: `${UPDATE}/offer.ts`,
    original: "if (state.reserved && !answer.hold)",
    mutated: "if (state.reserved && !answer.hold && state.onTrial)",
  },
  {
    what: "while a system is updated any image may be staged",
    file: `${UPDATE}/reservation.ts`,
    original: "hold === true && reserved.images.includes(imageSha256)",
    mutated: "hold === true",
  },
  {
    what: "while a system is updated an image can be pushed",
    file: `${UPDATE}/pushed-update.ts`,
    original: "reservedFor(state) ?? busyReason(state)",
    mutated: "busyReason(state)",
  },
  {
    what: "while a system is updated what was staged before can start",
    file: `${UPDATE}/reservation.ts`,
    original: "|| reserved.images.includes(staged.imageSha256)",
    mutated: "|| reserved.images.length > 0",
  },
];

const staging: readonly Mutation[] = [
  {
    what: "an image that is held is armed at once",
    file: `${UPDATE}/install.ts`,
    original: "if (job.hold) return stage(state, event.at);",
    mutated: "",
  },
  {
    what: "a commit arms whatever is staged",
    file: `${UPDATE}/staged.ts`,
    original: "(staged.imageSha256 === sha256 ||",
    mutated: "(sha256 !== '' ||",
  },
  {
    what: "a staged image is armed although its slot is spoilt",
    file: `${UPDATE}/staging.ts`,
    original: "if (found !== expected) {",
    mutated: "if (found !== expected && state.phase === 'restoring') {",
  },
  {
    what: "a boot believes the record of a staged image without looking at the slot",
    file: `${UPDATE}/staging.ts`,
    original: 'if (event.resetReason === "deep-sleep")',
    mutated: "if (true)",
  },
  {
    what: "a boot takes up a staged image of a slot that updates do not go to",
    file: `${UPDATE}/staging.ts`,
    original: " || staged.slot !== target?.label",
    mutated: "",
  },
  {
    what: "what is given up stays complete in its slot",
    file: `${UPDATE}/staged.ts`,
    original: '  { type: "eraseSlot", attempt, offset: 0, length: SECTOR_BYTES },\n',
    mutated: "",
  },
  {
    what: "a staged image is kept for ever",
    file: `${UPDATE}/staging.ts`,
    original: "if (!isHeld(staged, time, at, MAX_STAGED_SECONDS))",
    mutated: "if (!isHeld(staged, time, at, MAX_STAGED_SECONDS * 100))",
  },
  {
    what: "an image that cannot be armed is staged again for ever",
    file: `${UPDATE}/staging.ts`,
    original: "withSetbacks(state, noteFlashFailure(state.setbacks, staged.imageSha256))",
    mutated: "([state, [] as Effect[]] as const)",
  },
  {
    what: "another release is written over a staged image that is still on record",
    file: `${UPDATE}/offer.ts`,
    original: "...(state.staged ? discardStaged(state.attempt) : []),",
    mutated: "",
  },
  {
    what: "what a person has uploaded is replaced by the next offer",
    file: `${UPDATE}/offer.ts`,
    original: "at - staged.sinceMs < UPLOAD_FIRST_MS",
    mutated: "at < 0",
  },
  {
    what: "wrong chunks of a broadcast are requested without an end",
    file: `${UPDATE}/install.ts`,
    original: "return job.isStored ? retryLater",
    mutated: "return job.isStored && job.wholeOnly ? retryLater",
  },
  {
    what: "a roll back starts the staged image without a trial",
    file: "firmware/core/local/api.ts",
    original: "  if (staged) {\n",
    mutated: "  if (staged?.version === '') {\n",
  },
];

const boots: readonly Mutation[] = [
  {
    what: "a power loss during the trial is blamed on the image",
    file: `${UPDATE}/outcome.ts`,
    original: "const MAX_INTERRUPTIONS = 1;",
    mutated: "const MAX_INTERRUPTIONS = 0;",
  },
  {
    what: "a slot that never starts is armed again forever",
    file: `${UPDATE}/outcome.ts`,
    original: "if (rearmings > MAX_REARMINGS ||",
    mutated: "if (",
  },
  {
    what: "an image that was not armed is blamed for a crash",
    file: `${UPDATE}/outcome.ts`,
    original: "  if (!record.armed) return neverStarted(record, facts);\n",
    mutated: "",
  },
  {
    what: "another slot than the recorded one is armed again",
    file: `${UPDATE}/outcome.ts`,
    original: "target?.label === record.slot",
    mutated: "target !== undefined",
  },
  {
    what: "an image without a passed trial counts as validated",
    file: `${UPDATE}/record.ts`,
    original: "isRecorded(image, record) && !record.passed;",
    mutated: "isRecorded(image, record) && record.firmwareId < 0;",
  },
  {
    what: "a passed trial is not stored",
    file: `${UPDATE}/after-install.ts`,
    original:
      'const recordPassed = (state: UpdateState, record: InstallRecord): readonly (Effect | Raise)[] => [\n  ...(record.from === "push" ? [] : [storeRecord(record)]),',
    mutated:
      "const recordPassed = (state: UpdateState, record: InstallRecord): readonly (Effect | Raise)[] => [",
  },
  {
    what: "a failure is not stored",
    file: `${UPDATE}/after-install.ts`,
    original: "...(isKnown ? [] : [storeRecord(record)]),",
    mutated: "",
  },
  {
    what: "any report ends the record of the installation",
    file: `${UPDATE}/after-install.ts`,
    original: "taken.firmware_id !== record.firmwareId || !isResultOf(record, taken)",
    mutated: "taken.status === undefined",
  },
  {
    what: "a failure of an earlier attempt ends the record",
    file: `${UPDATE}/after-install.ts`,
    original: "taken.firmware_id !== record.firmwareId || !isResultOf(record, taken)",
    mutated: "taken.firmware_id !== record.firmwareId",
  },
  {
    what: "the device's page shows the slot's state of the boot",
    file: "firmware/core/local/api.ts",
    original: "boot: state.boot && validated(state.boot), lastRollBack",
    mutated: "lastRollBack",
  },
  {
    what: "pushed images are reported to the server",
    file: `${UPDATE}/state.ts`,
    original: 'if (from === "push" || firmwareId === undefined) return [];',
    mutated: "if (firmwareId === undefined) return [];",
  },
  {
    what: "an image is validated without the server",
    file: `${TRIAL}/boot-validation.ts`,
    original: "state.online && state.serverReached && state.stable",
    mutated: "state.online && state.stable",
  },
  {
    what: "an image is validated before the trial time is over",
    file: `${TRIAL}/boot-validation.ts`,
    original: "state.online && state.serverReached && state.stable",
    mutated: "state.online && state.serverReached",
  },
  {
    what: "a lost network does not restart the trial time",
    file: `${TRIAL}/boot-validation.ts`,
    original: "return [{ ...state, online: false, stable: false }",
    mutated: "return [{ ...state }",
  },
  {
    what: "a trial has no deadline",
    file: `${TRIAL}/boot-validation.ts`,
    original: 'return event.timer === "trialDeadline" ? deadlinePassed(state) : [state, []];',
    mutated: "return [state, []];",
  },
  {
    what: "the reason of a roll back is not stored",
    file: `${TRIAL}/boot-validation.ts`,
    original: '      { type: "store", key: TRIAL_REASON_KEY, value: reason },\n',
    mutated: "",
  },
  {
    what: "an untried image is not put on trial",
    file: `${TRIAL}/boot-validation.ts`,
    original: 'next: [{ type: "beginTrial" }],',
    mutated: "next: [],",
  },
  {
    what: "an untried image restarts the device forever",
    file: `${TRIAL}/boot-validation.ts`,
    original: "(record?.rearmings ?? 0) < MAX_REARMINGS &&",
    mutated: "",
  },
  {
    what: "safe mode comes one crash late",
    file: `${TRIAL}/crash-guard.ts`,
    original: "const safeMode = before >= MAX_UNHEALTHY_BOOTS;",
    mutated: "const safeMode = before > MAX_UNHEALTHY_BOOTS;",
  },
  {
    what: "power losses lead to safe mode",
    file: `${TRIAL}/crash-guard.ts`,
    original: "endedBlamelessly(event.resetReason) || intendedRestart(event) !== undefined",
    mutated: "intendedRestart(event) !== undefined",
  },
  {
    what: "the crash count is never reset",
    file: `${TRIAL}/crash-guard.ts`,
    original: 'if (state.unhealthyCount > 0) effects.push({ type: "forget", key: UNHEALTHY_KEY });',
    mutated: "",
  },
  {
    what: "a note of a restart is believed after a crash",
    file: `${TRIAL}/restart-cause.ts`,
    original: '  if (resetReason !== "software") return undefined;\n',
    mutated: "",
  },
  {
    what: "an image that confirms itself is not reported",
    file: `${TRIAL}/rollback-support.ts`,
    original: "  if (confirmsItself)\n",
    mutated: '  if (image.slotState === "invalid")\n',
  },
];

export const MUTATIONS: readonly Mutation[] = [
  ...release,
  ...offers,
  ...offerCrashes,
  ...transfer,
  ...installation,
  ...together,
  ...staging,
  ...boots,
];
