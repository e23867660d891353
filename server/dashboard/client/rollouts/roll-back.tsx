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
  const ways = data?.releases ?? [];
  const way = ways.find(({ firmware_id, is_default }) =>
    chosen === undefined ? is_default : `${firmware_id}` === chosen,
  );
  const lead = async () => {
    const body = way ? { firmware_id: way.firmware_id } : {};
    const { back } = await ask<{ readonly back: RolloutView }>("POST", path, body);
    go(rolloutPath(back.id));
  };
  const { name, what } = ORDER_WORDS.rollback;
  return (
    <Confirm
      name={name}
      isDangerous
      onConfirm={lead}
      fields={
        ways.length > 0 && (
          <ChoiceField
            label="To"
            value={way ? `${way.firmware_id}` : ""}
            choices={[
              ...(way ? [] : [["", "Choose…"] as const]),
              ...ways.map((one) => [`${one.firmware_id}`, nameOf(one)] as const),
            ]}
            hint={way && !way.is_newer ? OLDER : undefined}
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
