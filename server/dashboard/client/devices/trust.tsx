// Whose signatures a device counts, and how it knows that what it is told is not old.

import type { DeviceDetailView } from "../../../api/device-views.js";
import { ago, moment } from "../format.js";
import { Terms } from "../parts/terms.js";

interface TrustProps {
  readonly device: Pick<DeviceDetailView, "root_version" | "frozen_since" | "trust">;
  /** Milliseconds, by the server's clock. */
  readonly now: number;
}

/** Nothing, of a device without a trust root for which nothing was stated. */
export function DeviceTrust({
  device: { root_version: held, frozen_since: frozenSince, trust },
  now,
}: TrustProps) {
  const { newest_root: newest, stated_at: statedAt } = trust;
  if (held === null && statedAt === null && frozenSince === null) return null;
  const isBehind = held !== null && newest !== null && held < newest;
  return (
    <section aria-label="Trust">
      <h2>Trust</h2>
      <div class="card padded">
        <Terms
          class="facts"
          facts={[
            [
              "Trust root",
              held === null ? (
                "it does not say which"
              ) : (
                <>
                  {held} {isBehind && <span class="pill failed">the newest is {newest}</span>}
                </>
              ),
            ],
            [
              "Last statement of freshness",
              statedAt === null
                ? "none was asked for here"
                : `${ago(Date.parse(statedAt), now)}, ${moment(statedAt)}`,
            ],
            [
              "Frozen",
              frozenSince === null ? null : (
                <>
                  <span class="pill failed">frozen</span> since {moment(frozenSince)}: it has had no statement
                  for two weeks, so somebody may keep updates from it
                </>
              ),
            ],
          ]}
        />
      </div>
    </section>
  );
}
