// Whether a release is stable and active. Both ask first: a stable release is offered to every device that fits, an inactive one to none.

import { useEffect, useState } from "preact/hooks";
import type { FirmwareView } from "../../../api/release-views.js";
import type { PlanView } from "../../../api/rollout-views.js";
import type { RolloutView } from "../../../shared/rollout-view.js";
import { useMay } from "../actor.js";
import { plural, versionOf } from "../format.js";
import { Check } from "../parts/fields.js";
import type { Question } from "../parts/question.js";
import { ask } from "../session.js";

interface SwitchesProps {
  readonly firmware: FirmwareView;
  readonly onAsk: (question: Question) => void;
  readonly onChange: () => void;
}

export function Switches({ firmware, onAsk, onChange }: SwitchesProps) {
  const { id, is_stable, is_active } = firmware;
  const name = `${firmware.device_type} ${versionOf(firmware.version, firmware.build_number)}`;
  const change = (changes: object) => async () => {
    await ask("PATCH", `/api/ota/admin/firmware/${id}`, changes);
    onChange();
  };
  const askStable = (isOn: boolean) =>
    onAsk({
      title: isOn ? `Offer ${name} to every device?` : `Stop offering ${name}?`,
      what: isOn ? (
        <Reach firmware={firmware} />
      ) : (
        "Devices that have not begun to update get it from rollouts only. Those that run it keep it."
      ),
      confirmName: isOn ? "Make it stable" : "Make it not stable",
      isDangerous: isOn,
      work: change({ is_stable: isOn }),
    });
  const askActive = (isOn: boolean) =>
    onAsk({
      title: isOn ? `Activate ${name}?` : `Deactivate ${name}?`,
      what: isOn ? (
        is_stable ? (
          <Reach firmware={firmware} />
        ) : (
          "It is not stable: only rollouts offer it."
        )
      ) : (
        "It is no longer offered, and no device can download it; updates that are running fail. Devices that run it keep it."
      ),
      confirmName: isOn ? "Activate" : "Deactivate",
      isDangerous: !isOn || is_stable,
      work: change({ is_active: isOn }),
    });
  return (
    <span class="checks">
      <Check label="stable" isOn={is_stable} isDisabled={!is_active} onChange={askStable} />
      <Check label="active" isOn={is_active} onChange={askActive} />
    </span>
  );
}

/** To how many devices a release goes once it is stable. Its rollouts, if it has any, decide alone. */
function Reach({ firmware: { id, device_type } }: { readonly firmware: FirmwareView }) {
  const mayPlan = useMay("rollouts:write");
  const [text, setText] = useState("Counting devices…");
  useEffect(() => {
    reachOf(id, mayPlan).then(setText, () => setText(`It is offered to the devices of ${device_type}.`));
  }, [id]);
  return <span role="status">{text}</span>;
}

async function reachOf(id: number, mayPlan: boolean): Promise<string> {
  const { rollouts } = await ask<{ readonly rollouts: readonly RolloutView[] }>(
    "GET",
    `/api/rollouts?firmware_id=${id}`,
  );
  if (rollouts.length > 0)
    return "No device gets it by this alone: a release that has rollouts is offered by these only.";
  if (!mayPlan) return "It is offered to every compatible device at its next check.";
  const plan = await ask<PlanView>("POST", "/api/rollouts/plan?limit=1", {
    firmware_id: id,
    stages: [{ percent: 100 }],
  });
  return `${plural(plan.device_count, "device")} ${plan.device_count === 1 ? "is" : "are"} offered it at the next check, all at once and without gates. A rollout would go in stages.`;
}
