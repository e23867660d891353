// Enrolment tokens, and the number of devices that wait for approval.

import type { FleetView } from "../../../api/fleet-views.js";
import type { EnrolmentView } from "../../../api/registration-views.js";
import { useData } from "../data.js";
import { moment, plural } from "../format.js";
import { TextField } from "../parts/fields.js";
import { useFields } from "../parts/form.js";
import { Link } from "../router.js";
import { TokenSection } from "./token-section.js";

export function Enrolment() {
  const fleet = useData<FleetView>("/api/fleet", ["device"]);
  const { values, field, reset } = useFields({ name: "", type: "", count: "", days: "" });
  const [name, type, count, days] = [values.name, values.type, values.count, values.days].map((one) =>
    one.trim(),
  );
  const waitingCount = fleet.data?.pending ?? 0;
  return (
    <TokenSection
      title="Enrolment"
      path="/api/enrolment-tokens"
      list="enrolment_tokens"
      about={["device"]}
      lead={
        waitingCount > 0 && (
          <p class="note">
            <Link to="/devices?approval=pending">{plural(waitingCount, "device")}</Link> to approve.
          </p>
        )
      }
      ifNone="No tokens yet. Devices use these to register when their type requires enrolment."
      describe={describe}
      formLabel="Create an enrolment token"
      request={
        name && {
          name,
          ...(type && { device_type: type }),
          ...(count && { max_use_count: Number(count) }),
          ...(days && { expires_in_days: Number(days) }),
        }
      }
      onMade={reset}
      secretNote="The enrolment token, shown only now:"
    >
      <TextField label="Name" placeholder="batch 7" {...field("name")} />
      <TextField label="Device type" placeholder="any" {...field("type")} />
      <TextField label="Maximum devices" placeholder="no limit" {...field("count")} />
      <TextField label="Expires after (days)" placeholder="no expiry" {...field("days")} />
    </TokenSection>
  );
}

function describe({ device_type, use_count, max_use_count, expires_at }: EnrolmentView): string {
  const used = max_use_count === null ? `${use_count}` : `${use_count} of ${max_use_count}`;
  return `${device_type ?? "any type"} · used by ${used} · ${expires_at ? `until ${moment(expires_at)}` : "no expiry"}`;
}
