// Cancels a rollout and brings its devices to another release, of those that the server offers.

import { useState } from "preact/hooks";
import type { ProgressView, WayBackView } from "../../../api/rollout-views.js";
import type { RolloutView } from "../../../shared/rollout-view.js";
import { useData } from "../data.js";
import { Confirm } from "../parts/confirm.js";
import { ChoiceField } from "../parts/fields.js";
import { go } from "../router.js";
import { ask } from "../session.js";
import { rolloutPath } from "./card.js";
import { ORDER_WORDS } from "./orders.js";

export function RollBack({ rollout }: { readonly rollout: ProgressView }) {
  const path = `/api/rollouts/${rollout.id}/rollback`;
  const { data } = useData<{ readonly releases: readonly WayBackView[] }>(path, ["firmware"]);
  const [chosen, setChosen] = useState<string>();
  const releases = data?.releases ?? [];
  const release = releases.find(({ firmware_id, is_default }) =>
    chosen === undefined ? is_default : `${firmware_id}` === chosen,
  );
  const rollBack = async () => {
    const body = release ? { firmware_id: release.firmware_id } : {};
    const { back } = await ask<{ readonly back: RolloutView }>("POST", path, body);
    go(rolloutPath(back.id));
  };
  const { name, what } = ORDER_WORDS.rollback;
  return (
    <Confirm
      name={name}
      isDangerous
      onConfirm={rollBack}
      fields={
        releases.length > 0 && (
          <ChoiceField
            label="To"
            value={release ? `${release.firmware_id}` : ""}
            choices={[
              ...(release ? [] : [["", "Choose…"] as const]),
              ...releases.map((one) => [`${one.firmware_id}`, nameOf(one)] as const),
            ]}
            hint={release && !release.is_newer ? OLDER : undefined}
            onChange={setChosen}
          />
        )
      }
    >
      {what}
    </Confirm>
  );
}

const OLDER =
  "Devices with Skyslot's firmware refuse a release that is not newer and stay unchanged. The others keep it until a rollout with a higher priority updates them.";

const nameOf = ({ release, is_newer, is_default }: WayBackView): string =>
  `${release}${is_newer ? "" : " · older"}${is_default ? " · newest" : ""}`;
