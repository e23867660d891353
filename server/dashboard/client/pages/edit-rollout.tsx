// Edits a rollout, in the form for new ones. Only differences are sent, with the revision that was loaded.

import { useState } from "preact/hooks";
import type { FirmwareView } from "../../../api/release-views.js";
import type { RolloutInput } from "../../../api/rollout-schemas.js";
import type { PlanView, ProgressView } from "../../../api/rollout-views.js";
import { type Action, useData } from "../data.js";
import type { PageProps } from "../page-props.js";
import { Button } from "../parts/button.js";
import { Heading } from "../parts/heading.js";
import { Loading } from "../parts/notes.js";
import { rolloutPath } from "../rollouts/card.js";
import { patchBetween } from "../rollouts/merge-patch.js";
import { PlanEditor } from "../rollouts/plan-editor.js";
import { formOf, readPlanForm } from "../rollouts/plan-form.js";
import { go } from "../router.js";
import { ask } from "../session.js";
import { TIME_ZONE } from "./new-rollout.js";

export function EditRollout({ params }: PageProps) {
  const path = `/api/rollouts/${encodeURIComponent(params.id ?? "")}`;
  // Not reloaded automatically, which would overwrite input.
  const rollout = useData<ProgressView>(path);
  const releases = useData<{ readonly firmware: readonly FirmwareView[] }>(
    "/api/ota/admin/firmware?limit=200&is_active=true",
  );
  const [turn, setTurn] = useState(0);
  if (!rollout.data || !releases.data)
    return <Loading data={rollout.data && releases.data} problem={rollout.problem || releases.problem} />;
  return (
    <EditForm
      key={`${rollout.data.revision} ${turn}`}
      rollout={rollout.data}
      releases={releases.data.firmware}
      onAgain={() => {
        setTurn(turn + 1);
        rollout.reload();
      }}
    />
  );
}

interface FormProps {
  readonly rollout: ProgressView;
  readonly releases: readonly FirmwareView[];
  readonly onAgain: () => void;
}

function EditForm({ rollout, releases, onAgain }: FormProps) {
  const path = `/api/rollouts/${rollout.id}`;
  const initial = formOf(rollout, TIME_ZONE);
  const patchFor = (request: RolloutInput) => {
    const before = readPlanForm(initial);
    return before.ok ? patchBetween(before.request, request) : request;
  };
  const save = (request: RolloutInput, action: Action) =>
    action.run(async () => {
      await ask("PATCH", path, patchFor(request), { "if-match": `"${rollout.revision}"` });
      go(rolloutPath(rollout.id));
    });
  const hasBegun = rollout.started_at !== null;
  return (
    <>
      <Heading up={[rolloutPath(rollout.id), rollout.name]} title="Change the rollout" />
      {hasBegun && (
        <p class="note">
          It has begun: its open stages keep their devices, and its target can only be narrowed.
        </p>
      )}
      {rollout.approved_by && (
        <p class="note">
          {rollout.approved_by} has approved it. Any change except the name requires a new approval, and
          nothing is offered until then.
        </p>
      )}
      <PlanEditor
        label="Change the rollout"
        initial={initial}
        releases={releases}
        begunStage={hasBegun ? rollout.stage : undefined}
        onPlan={(request) => ask<PlanView>("POST", `${path}/plan?limit=50`, patchFor(request))}
      >
        {({ request }, action) => (
          <>
            <Button isBusy={action.isBusy} onClick={onAgain}>
              Reset
            </Button>
            <Button look="main" isBusy={action.isBusy} onClick={() => save(request, action)}>
              Save the changes
            </Button>
          </>
        )}
      </PlanEditor>
    </>
  );
}
