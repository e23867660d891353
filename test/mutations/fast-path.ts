// Which checks take the fast path, and how: server/fast-path, and server/rollout/lasting.ts, which decides for whom a key may be stored.

import type { Mutation } from "./mutation.js";

const key = "server/fast-path/check-key.ts";
const listener = "server/fast-path/listener.ts";
const batches = "server/fast-path/no-op-checks.ts";
const front = "server/fast-path/fast-path.ts";
const access = "server/fast-path/access-cache.ts";
const lasting = "server/rollout/lasting.ts";

export const MUTATIONS: readonly Mutation[] = [
  {
    what: "the key omits `hardware`",
    file: key,
    original: '  "free_heap",\n',
    mutated: '  "free_heap",\n  "hardware",\n',
  },
  {
    what: "the key omits orders' results",
    file: key,
    original: '  "free_heap",\n',
    mutated: '  "free_heap",\n  "order_results",\n',
  },
  {
    what: "the key includes what is only stored as last seen",
    file: key,
    original: "if (LAST_SEEN_FIELDS.has(name)) continue;",
    mutated: "",
  },
  {
    what: "the key omits the credential",
    file: key,
    original: 'credential === undefined ? ""',
    mutated: 'credential !== null ? ""',
  },
  {
    what: "a malformed credential counts as none",
    file: key,
    original: "credential === undefined ?",
    mutated: "!credential ?",
  },
  {
    what: "a value is in the key without its length",
    file: key,
    original: "value.length}:",
    mutated: '""}:',
  },
  {
    what: "a name is in the key without its length",
    file: key,
    original: "name.length}:",
    mutated: '""}:',
  },
  {
    what: "a decision with an offer lasts",
    file: lasting,
    original: "    !offer &&\n",
    mutated: "",
  },
  {
    what: "retry waits are ignored",
    file: lasting,
    original: "facts.history.every((failures) => waitsUntil(failures) <= now)",
    mutated: "facts.history.length >= 0 && waitsUntil !== undefined && now > 0",
  },
  {
    what: "a single release that may be retried is enough",
    file: lasting,
    original: "facts.history.every(",
    mutated: "facts.history.length === 0 || facts.history.some(",
  },
  {
    what: "a retry wait lasts a moment longer",
    file: lasting,
    original: "waitsUntil(failures) <= now",
    mutated: "waitsUntil(failures) < now",
  },
  {
    what: "a device on trial has a lasting answer",
    file: lasting,
    original: "!isOnTrial(device)",
    mutated: "(!isOnTrial(device) || true)",
  },
  {
    what: "a running rollout does not keep the answer from lasting",
    file: lasting,
    original: 'state !== "running" && ',
    mutated: "",
  },
  {
    what: "a scheduled rollout does not keep the answer from lasting",
    file: lasting,
    original: ' && state !== "scheduled"',
    mutated: "",
  },
  {
    what: "a lease does not keep the answer from lasting",
    file: lasting,
    original: "leaseUntil === null",
    mutated: "leaseUntil !== undefined",
  },
  {
    what: "a body that is too long is read",
    file: listener,
    original: 'Number(headers["content-length"]) <= maxBodyBytes',
    mutated: 'Number(headers["content-length"]) >= 0',
  },
  {
    what: "a body of the maximum length is not read",
    file: listener,
    original: "<= maxBodyBytes",
    mutated: "< maxBodyBytes",
  },
  {
    what: "any method is a check",
    file: listener,
    original: '    method === "POST" &&\n',
    mutated: "",
  },
  {
    what: "any path is a check",
    file: listener,
    original: "    url === path &&\n",
    mutated: "",
  },
  {
    what: "an encoded body is read without decoding",
    file: listener,
    original: '    headers["content-encoding"] === undefined &&\n',
    mutated: "",
  },
  {
    what: "an invalid body is treated as a check",
    file: listener,
    original: "this.#schema.Check(value) ?",
    mutated: "this.#schema.Check(value) || value ?",
  },
  {
    what: "a check that comes too often is answered",
    file: listener,
    original: "if (waitMs > 0) return",
    mutated: "if (waitMs < 0) return",
  },
  {
    what: "a client that is gone reaches the routes",
    file: listener,
    original: "if (response.destroyed) return;",
    mutated: "",
  },
  {
    what: "the routes query the store again",
    file: front,
    original: "!listener.findArrival(request)?.isTaken &&",
    mutated: "",
  },
  {
    what: "answered checks are not counted",
    file: front,
    original: "if (isNoOp) metrics.checks.inc(CURRENT);",
    mutated: "",
  },
  {
    what: "every check of a batch that was stored is a no-op",
    file: batches,
    original: "resolve(seen.has(deviceId));",
    mutated: "resolve(seen.size > 0);",
  },
  {
    what: "a store that fails leaves checks without an answer",
    file: batches,
    original: ".catch(() => NONE)",
    mutated: "",
  },
  {
    what: "a check of a device that is being stored is stored beside it",
    file: batches,
    original: "for (const batch of this.#running.keys()) if (batch.has(deviceId)) return true;",
    mutated: "",
  },
  {
    what: "a check of a device that is waiting takes its place",
    file: batches,
    original: "if (this.#waiting.has(deviceId)) return true;",
    mutated: "",
  },
  {
    what: "any number of statements run at a time",
    file: batches,
    original: "const MAX_RUNNING_BATCHES = 2;",
    mutated: "const MAX_RUNNING_BATCHES = 200;",
  },
  {
    what: "watchers are shown checks that were not stored",
    file: batches,
    original: "updates.filter(({ deviceId }) => seen.has(deviceId))",
    mutated: "updates.filter(({ deviceId }) => deviceId)",
  },
  {
    what: "a batch waits forever while more arrive",
    file: batches,
    original: " && this.#waiting.size < MIN_BATCH_COUNT",
    mutated: "",
  },
  {
    what: "an admission is cached before it is checked",
    file: access,
    original: "    await check();\n",
    mutated: "    this.#admittedAt.set(key, at);\n    await check();\n",
  },
  {
    what: "an admission counts from when it was answered",
    file: access,
    original: "this.#admittedAt.set(key, at);",
    mutated: "this.#admittedAt.set(key, this.#now());",
  },
  {
    what: "admissions are cached without a limit",
    file: access,
    original: "if (this.#admittedAt.size >= MAX_ENTRY_COUNT) this.#admittedAt.clear();",
    mutated: "",
  },
  {
    what: "policies are cached forever",
    file: access,
    original: "Math.abs(this.#now() - at) < ACCESS_CACHE_MS",
    mutated: "Math.abs(this.#now() - at) >= 0",
  },
  {
    what: "a clock that is set back keeps an admission",
    file: access,
    original: "Math.abs(this.#now() - at)",
    mutated: "this.#now() - at",
  },
];
