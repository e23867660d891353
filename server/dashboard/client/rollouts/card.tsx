// One rollout in a list: its name, state, reason and stages.

import type { ProgressView } from "../../../api/rollout-views.js";
import type { RolloutView } from "../../../shared/rollout-view.js";
import { useData } from "../data.js";
import { plural, words } from "../format.js";
import { Problem } from "../parts/notes.js";
import { Link } from "../router.js";
import { StageBars } from "./stages.js";

export const rolloutPath = (id: number): string => `/ota-management/rollouts/${id}`;

/** How people, the log and the command line call it. */
export const RolloutNumber = ({ of }: { readonly of: number }) => <span class="number">#{of}</span>;

export const StatePill = ({ state }: { readonly state: RolloutView["state"] }) => (
  <span class={`pill rollout-${state}`}>{words(state)}</span>
);

/** Tallies are loaded one by one: a list of rollouts has none. */
export function RolloutCard({ rollout }: { readonly rollout: RolloutView }) {
  const isLive = rollout.started_at !== null;
  const { data, problem } = useData<ProgressView>(
    isLive ? `/api/rollouts/${rollout.id}` : undefined,
    rollout.state === "running" ? ["rollout", "update"] : ["rollout"],
  );
  return (
    <article class="card rollout" aria-label={`Rollout ${rollout.name}`}>
      <header>
        <h3>
          <RolloutNumber of={rollout.id} /> <Link to={rolloutPath(rollout.id)}>{rollout.name}</Link>
        </h3>
        <StatePill state={rollout.state} />
      </header>
      <p class="quiet">
        {rollout.state === "running" ? (data?.next.reason ?? rollout.reason) : rollout.reason}
      </p>
      <Problem text={problem} />
      {data && <StageBars rollout={data} />}
      {data && data.uncounted > 0 && (
        <p class="quiet">{plural(data.uncounted, "device")} not counted: nobody vouched for them</p>
      )}
    </article>
  );
}
