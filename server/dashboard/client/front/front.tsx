// The head of the first page: what needs attention, and on a new server what to do next.

import type { FleetView } from "../../../api/fleet-views.js";
import type { PolicyView } from "../../../api/registration-views.js";
import type { TypeView } from "../../../api/release-views.js";
import type { RolloutView } from "../../../shared/rollout-view.js";
import { useMay } from "../actor.js";
import { useData } from "../data.js";
import type { Model } from "../model.js";
import { Command } from "../parts/copy.js";
import { Link } from "../router.js";
import { needsAttention } from "./attention.js";
import { nextSteps } from "./next-steps.js";

interface FrontProps {
  readonly fleet: FleetView | undefined;
  readonly rollouts: readonly RolloutView[] | undefined;
  readonly model: Model;
  /** Milliseconds, by the server's clock. */
  readonly now: number;
}

export function Attention({ fleet, rollouts, model, now }: FrontProps) {
  const types = useData<{ readonly types: readonly TypeView[] }>("/api/types");
  const policies = useData<{ readonly default: PolicyView; readonly policies: readonly PolicyView[] }>(
    "/api/registration",
  );
  const matters = needsAttention({
    rollouts,
    fleet,
    types: types.data?.types,
    registration: policies.data,
    updates: [...model.updates.values()],
    now,
  });
  if (matters.length === 0) return null;
  return (
    <section aria-labelledby="attention">
      <h2 id="attention">Needs attention</h2>
      <ul class="card entries">
        {matters.map(({ name, to, why, tone }) => (
          <li key={`${to} ${name}`}>
            <p>
              <span class={`lamp ${tone === "bad" ? "bad" : "late"}`} aria-hidden="true" />
              {to.startsWith("#") ? <a href={to}>{name}</a> : <Link to={to}>{name}</Link>}
              <span>{why}</span>
            </p>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** Shown to users who may do them, until all are done. */
export function NextSteps({ fleet, rollouts, model }: Omit<FrontProps, "now">) {
  const mayUpload = useMay("releases:write");
  // Without all answers it would come and go.
  if (!mayUpload || !fleet || !rollouts || model.connection === "loading") return null;
  const steps = nextSteps({
    releases: [...model.firmware.values()],
    deviceCount: fleet.total,
    rollouts,
    updateCount: model.updates.size,
    origin: location.origin,
  });
  if (steps.every(({ isDone }) => isDone)) return null;
  return (
    <section aria-labelledby="next-steps">
      <h2 id="next-steps">Next steps</h2>
      <ol class="card entries steps">
        {steps.map(({ name, isDone, how, commands = [], to }) => (
          <li key={name} class={isDone ? "done" : ""}>
            <p>
              <span class={`lamp ${isDone ? "on" : ""}`} aria-hidden="true" />
              <strong>{name}</strong>
              <span class="quiet">{isDone ? "done" : how}</span>
              {!isDone && to && <Link to={to[0]}>{to[1]}</Link>}
            </p>
            {!isDone &&
              commands.map((command) => (
                <Command key={command} text={command} label={`Copy the command: ${command}`} />
              ))}
          </li>
        ))}
      </ol>
    </section>
  );
}
