// Plans a rollout and creates it.

import type { FirmwareView } from "../../../api/release-views.js";
import type { PlanView } from "../../../api/rollout-views.js";
import type { RolloutView } from "../../../shared/rollout-view.js";
import { type Action, useData } from "../data.js";
import type { PageProps } from "../page-props.js";
import { Button } from "../parts/button.js";
import { Empty, Loading } from "../parts/notes.js";
import { rolloutPath } from "../rollouts/card.js";
import { PlanEditor, type Planned } from "../rollouts/plan-editor.js";
import { newPlanForm } from "../rollouts/plan-form.js";
import { go, Link } from "../router.js";
import { ask } from "../session.js";

export const TIME_ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone;

export function NewRollout({ place }: PageProps) {
  const releases = useData<{ readonly firmware: readonly FirmwareView[] }>(
    "/api/ota/admin/firmware?limit=200&is_active=true",
    ["firmware"],
  );
  const make = ({ plan, request }: Planned, action: Action, starts: boolean) =>
    action.run(async () => {
      // With the seed of the plan: the same devices.
      const { id } = await ask<RolloutView>("POST", "/api/rollouts", { ...request, seed: plan.seed });
      if (starts) await ask("POST", `/api/rollouts/${id}/start`, {});
      go(rolloutPath(id));
    });
  if (!releases.data) return <Loading {...releases} />;
  if (releases.data.firmware.length === 0)
    return (
      <Empty title="No releases to roll out">
        <Link to="/ota-management">Upload one first</Link>
      </Empty>
    );
  const { firmware } = releases.data;
  // The link's; else the only one.
  const chosen = place.query.get("firmware") ?? (firmware.length === 1 ? `${firmware[0]?.id}` : "");
  return (
    <>
      <h1>New rollout</h1>
      <PlanEditor
        label="Plan a rollout"
        initial={newPlanForm(chosen, TIME_ZONE)}
        releases={firmware}
        plansAtOnce
        onPlan={(request) => ask<PlanView>("POST", "/api/rollouts/plan?limit=50", request)}
      >
        {(planned, action) => (
          <>
            <Button isBusy={action.isBusy} onClick={() => make(planned, action, false)}>
              Save as draft
            </Button>
            <Button look="main" isBusy={action.isBusy} onClick={() => make(planned, action, true)}>
              Start
            </Button>
          </>
        )}
      </PlanEditor>
    </>
  );
}
