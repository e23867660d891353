// Plans a rollout and makes it. The plan is shown before anything happens; whoever changes a field sees a new plan first.

import { useState } from "preact/hooks";
import type { RolloutInput } from "../../../api/rollout-schemas.js";
import type { PlanView, RolloutView } from "../../../api/rollout-views.js";
import type { FirmwareView } from "../../../api/views.js";
import { useAction, useData } from "../data.js";
import type { PageProps } from "../pages.js";
import { Empty, Loading, Problem } from "../parts/notes.js";
import { rolloutPath } from "../rollouts/card.js";
import { Plan } from "../rollouts/plan.js";
import { PlanFields } from "../rollouts/plan-fields.js";
import { newPlanForm, type PlanForm, type Problems, readPlanForm } from "../rollouts/plan-form.js";
import { go, Link } from "../router.js";
import { ask } from "../session.js";

interface Planned {
  readonly plan: PlanView;
  /** With the seed of the plan: the same devices. */
  readonly request: RolloutInput;
}

const TIME_ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone;

export function NewRollout({ place }: PageProps) {
  const releases = useData<{ readonly firmware: readonly FirmwareView[] }>(
    "/api/ota/admin/firmware?limit=200&is_active=true",
    ["firmware"],
  );
  const [form, setForm] = useState(() => newPlanForm(place.query.get("firmware") ?? "", TIME_ZONE));
  const [problems, setProblems] = useState<Problems>({});
  const [planned, setPlanned] = useState<Planned>();
  const action = useAction();

  const change = (changes: Partial<PlanForm>) => {
    setForm((before) => ({ ...before, ...changes }));
    setPlanned(undefined);
  };
  const plan = (event: SubmitEvent) => {
    event.preventDefault();
    const read = readPlanForm(form);
    setProblems(read.ok ? {} : read.problems);
    if (!read.ok) return;
    action.run(async () => {
      const answer = await ask<PlanView>("POST", "/api/rollouts/plan?limit=50", read.request);
      setPlanned({ plan: answer, request: { ...read.request, seed: answer.seed } });
    });
  };
  const make = ({ request }: Planned, starts: boolean) =>
    action.run(async () => {
      const { id } = await ask<RolloutView>("POST", "/api/rollouts", request);
      if (starts) await ask("POST", `/api/rollouts/${id}/start`, {});
      go(rolloutPath(id));
    });

  if (!releases.data) return <Loading {...releases} />;
  if (releases.data.firmware.length === 0)
    return (
      <Empty title="There is no release to roll out">
        <Link to="/ota-management">Upload one first</Link>
      </Empty>
    );
  return (
    <>
      <h1>New rollout</h1>
      <form class="card padded plan-form" onSubmit={plan} aria-label="Plan a rollout">
        <PlanFields form={form} problems={problems} releases={releases.data.firmware} onChange={change} />
        <Problem
          text={action.problem || (Object.keys(problems).length > 0 ? "Some fields need another value." : "")}
        />
        <p class="actions">
          <button type="submit" class={planned ? "quiet" : ""} disabled={action.isBusy}>
            Show the plan
          </button>
        </p>
      </form>
      {planned && (
        <section class="card padded" aria-label="The plan">
          <h2>The plan</h2>
          <Plan plan={planned.plan} />
          <p class="actions">
            <button type="button" class="quiet" disabled={action.isBusy} onClick={() => make(planned, false)}>
              Keep as a draft
            </button>
            <button type="button" disabled={action.isBusy} onClick={() => make(planned, true)}>
              Start it
            </button>
          </p>
        </section>
      )}
    </>
  );
}
