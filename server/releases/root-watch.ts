// Says in the log, and by that to webhooks and MQTT, that the newest trust root is about to expire, or has expired: once for each root and each of the two.
// Its keys of freshness end with it.

import { readRoot } from "../../release/root.js";
import { type Recorder, record } from "../events/journal.js";
import { expiresSoon } from "./trust-roots.js";

/** Roots last for months. */
const LOOK_EVERY_MS = 10 * 60_000;

export class RootWatch {
  #lookedAt = Number.NEGATIVE_INFINITY;

  /** As often as one likes. */
  async tick(recorder: Recorder): Promise<void> {
    const now = recorder.now();
    if (Math.abs(now - this.#lookedAt) < LOOK_EVERY_MS) return;
    this.#lookedAt = now;
    const newest = await recorder.store.findNewestRoot();
    if (!newest) return;
    const { root } = readRoot(newest.text);
    if (!expiresSoon(root, now)) return;
    const kind = root.expires * 1000 <= now ? "root.expired" : "root.expires-soon";
    const date = new Date(root.expires * 1000).toISOString().slice(0, 10);
    const message =
      kind === "root.expired"
        ? `trust root ${root.version} expired on ${date}: devices install nothing until its holders have signed the next one`
        : `trust root ${root.version} expires on ${date}, and its freshness keys with it: its holders have to sign the next one`;
    await record(recorder, async (journal) => {
      const [last] = await journal.store.listEvents({ kind, limit: 1 });
      if (last?.detail?.root_version === root.version) return;
      await journal.log({ kind, message, detail: { root_version: root.version } });
    });
  }
}
