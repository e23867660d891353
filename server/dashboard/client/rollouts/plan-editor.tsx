// The form of a rollout and its plan. After each change, a new plan is shown before anything is saved.

import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { FirmwareView } from "../../../api/release-views.js";
import type { RolloutInput } from "../../../api/rollout-schemas.js";
import type { PlanView } from "../../../api/rollout-views.js";
import { type Action, useAction } from "../data.js";
import { Form, Submit } from "../parts/form.js";
import { Problem } from "../parts/notes.js";
import { Plan } from "./plan.js";
import { PlanFields } from "./plan-fields.js";
import { type PlanForm, type Problems, readPlanForm } from "./plan-form.js";

export interface Planned {
  readonly plan: PlanView;
  readonly request: RolloutInput;
}

interface EditorProps {
  readonly label: string;
  readonly initial: PlanForm;
  readonly releases: readonly FirmwareView[];
  /** Index of the newest stage that has begun: earlier decisions cannot be changed. */
  readonly begunStage?: number | undefined;
  /** Its plan is shown at once if a release is chosen; else when the user asks for it. */
  readonly plansAtOnce?: boolean;
  readonly onPlan: (request: RolloutInput) => Promise<PlanView>;
  /** The buttons under the plan. */
  readonly children: (planned: Planned, action: Action) => ComponentChildren;
}

export function PlanEditor({
  label,
  initial,
  releases,
  begunStage,
  plansAtOnce,
  onPlan,
  children,
}: EditorProps) {
  const [form, setForm] = useState(initial);
  const [problems, setProblems] = useState<Problems>({});
  const [planned, setPlanned] = useState<Planned>();
  const action = useAction();
  const change = (changes: Partial<PlanForm>) => {
    setForm((before) => ({ ...before, ...changes }));
    setPlanned(undefined);
  };
  const plan = () => {
    const read = readPlanForm(form);
    setProblems(read.ok ? {} : read.problems);
    if (!read.ok) return;
    action.run(async () => setPlanned({ plan: await onPlan(read.request), request: read.request }));
  };
  useEffect(() => {
    if (plansAtOnce && initial.firmware_id !== "") plan();
  }, []);
  const problemUnlessPlanned = (text: string) => text || (planned ? "" : action.problem);
  const isWrong = Object.keys(problems).length > 0;
  return (
    <>
      <Form onEdit={action.forget} class="card padded plan-form" onSubmit={plan} label={label}>
        <PlanFields {...{ form, problems, releases, begunStage }} onChange={change} />
        <Submit
          problem={problemUnlessPlanned(isWrong ? "Some fields are invalid." : "")}
          isBusy={action.isBusy}
          look={planned ? "quiet" : undefined}
        >
          Show the plan
        </Submit>
      </Form>
      {planned && (
        <section class="card padded" aria-label="The plan">
          <h2>The plan</h2>
          <Plan plan={planned.plan} />
          <Problem text={action.problem} />
          <p class="actions">{children(planned, action)}</p>
        </section>
      )}
    </>
  );
}
