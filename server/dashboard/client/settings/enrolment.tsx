// Enrolment tokens, and the number of devices that wait for approval.

import { useState } from "preact/hooks";
import type { FleetView } from "../../../api/fleet-views.js";
import type { EnrolmentView } from "../../../api/registration-views.js";
import { useAction, useData } from "../data.js";
import { moment, plural } from "../format.js";
import { TextField } from "../parts/fields.js";
import { InlineForm } from "../parts/inline-form.js";
import { Loading, Problem } from "../parts/notes.js";
import { Link } from "../router.js";
import { ask } from "../session.js";
import { Secret } from "./secret.js";

const PATH = "/api/enrolment-tokens";
const NOTHING = Object.freeze({ name: "", type: "", count: "", days: "" });

export function Enrolment() {
  const tokens = useData<{ readonly enrolment_tokens: readonly EnrolmentView[] }>(PATH, ["device"]);
  const fleet = useData<FleetView>("/api/fleet", ["device"]);
  const [form, setForm] = useState<typeof NOTHING>(NOTHING);
  const [secret, setSecret] = useState("");
  const action = useAction();
  const field = (name: keyof typeof NOTHING) => ({
    value: form[name],
    onChange: (value: string) => setForm((before) => ({ ...before, [name]: value })),
  });
  const make = () =>
    action.run(async () => {
      const { token } = await ask<{ readonly token: string }>("POST", PATH, {
        name: form.name.trim(),
        ...(form.type.trim() === "" ? {} : { device_type: form.type.trim() }),
        ...(form.count.trim() === "" ? {} : { max_use_count: Number(form.count) }),
        ...(form.days.trim() === "" ? {} : { expires_in_days: Number(form.days) }),
      });
      setSecret(token);
      setForm(NOTHING);
      tokens.reload();
    });
  const revoke = (id: number) =>
    action.run(async () => {
      await ask("DELETE", `${PATH}/${id}`);
      tokens.reload();
    });
  const valid = tokens.data?.enrolment_tokens.filter(({ revoked_at }) => revoked_at === null) ?? [];
  const waitingCount = fleet.data?.pending ?? 0;
  return (
    <section aria-label="Enrolment">
      <h2>Enrolment</h2>
      {waitingCount > 0 && (
        <p class="note">
          <Link to="/devices?approval=pending">{plural(waitingCount, "device")}</Link> to approve.
        </p>
      )}
      <Loading {...tokens} />
      <div class="card">
        {tokens.data && valid.length === 0 && (
          <p class="quiet inline">No tokens yet. Devices of types with enrolment register with one.</p>
        )}
        {valid.length > 0 && (
          <ul class="rows">
            {valid.map((token) => (
              <li key={token.id}>
                <strong>{token.name}</strong>
                <span class="quiet">{describe(token)}</span>
                <button
                  type="button"
                  class="quiet"
                  aria-disabled={action.isBusy}
                  onClick={() => revoke(token.id)}
                >
                  Revoke<span class="hidden"> {token.name}</span>
                </button>
              </li>
            ))}
          </ul>
        )}
        <InlineForm
          label="Create an enrolment token"
          button="Create token"
          isDisabled={action.isBusy || form.name.trim() === ""}
          onSubmit={make}
        >
          <TextField label="Name" placeholder="batch 7" {...field("name")} />
          <TextField label="Device type" placeholder="any" {...field("type")} />
          <TextField label="Devices" placeholder="no limit" {...field("count")} />
          <TextField label="Days" placeholder="no expiry" {...field("days")} />
        </InlineForm>
      </div>
      <Problem text={action.problem} />
      {secret && <Secret text={secret}>The enrolment token, shown only now:</Secret>}
    </section>
  );
}

function describe({ device_type, use_count, max_use_count, expires_at }: EnrolmentView): string {
  const used = max_use_count === null ? `${use_count}` : `${use_count} of ${max_use_count}`;
  return `${device_type ?? "any type"} · used by ${used} · ${expires_at ? `until ${moment(expires_at)}` : "no expiry"}`;
}
