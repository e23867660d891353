// One rollout: its progress, what it waits for, its actions, and the outcome for each device.

import type { MemberView, PlanView, ProgressView } from "../../../api/rollout-views.js";
import { termsOf } from "../../../shared/rollout-terms.js";
import { useActor, useMay } from "../actor.js";
import { useData, withParams } from "../data.js";
import { moment, words } from "../format.js";
import { devicePath } from "../log.js";
import type { PageProps } from "../page-props.js";
import { Confirm } from "../parts/confirm.js";
import { ChoiceField } from "../parts/fields.js";
import { Heading } from "../parts/heading.js";
import { Empty, Loading, Notes, Problem } from "../parts/notes.js";
import { Pager } from "../parts/pager.js";
import { readOffset } from "../parts/pages-of-list.js";
import { type Column, Table } from "../parts/table.js";
import { Terms } from "../parts/terms.js";
import { RolloutNumber, rolloutPath, StatePill } from "../rollouts/card.js";
import { mayEdit, ORDER_WORDS, type Order, ordersFor } from "../rollouts/orders.js";
import { Excluded } from "../rollouts/plan.js";
import { RollBack } from "../rollouts/roll-back.js";
import { StageBars } from "../rollouts/stages.js";
import { go, Link, type Place, withQuery } from "../router.js";
import { ask } from "../session.js";

const UP = ["/ota-management", "Updates"] as const;
const MEMBER_LIMIT = 25;
type WithRelease = ProgressView & { readonly release: string | null };

export function RolloutPage({ params, place }: PageProps) {
  const path = `/api/rollouts/${encodeURIComponent(params.id ?? "")}`;
  const rollout = useData<WithRelease>(path, ["rollout", "update"]);
  const { data } = rollout;
  if (!data)
    return (
      <>
        <Heading up={UP} title={`Rollout ${params.id}`} />
        <Loading {...rollout} />
      </>
    );
  return (
    <>
      <Heading
        up={UP}
        title={
          <>
            <RolloutNumber of={data.id} /> {data.name}
          </>
        }
      >
        <StatePill state={data.state} />
      </Heading>
      <p>{data.reason}</p>
      {data.state === "running" && <p class="note">{data.next.reason}</p>}
      <Orders rollout={data} onDone={rollout.reload} />
      <Problem text={rollout.problem} />
      <Notes notes={data.notes} />
      <div class="card padded">
        <StageBars rollout={data} />
      </div>
      <Tallies rollout={data} />
      <RolloutTerms rollout={data} />
      <h2>Devices</h2>
      <Members path={path} place={place} rollout={data} />
      {data.state !== "cancelled" && data.state !== "finished" && <LeftOut path={path} />}
    </>
  );
}

const STOPPING: readonly Order[] = ["pause", "cancel"];
/** What is done most, or first when something looks wrong. */
const LOUDEST: readonly Order[] = ["start", "approve", "resume", "pause"];

function Orders({ rollout, onDone }: { readonly rollout: WithRelease; readonly onDone: () => void }) {
  const actor = useActor();
  const may = useMay("rollouts:write");
  const orders = may ? ordersFor(rollout, actor?.name ?? "") : [];
  if (orders.length === 0) return null;
  const give = async (order: Order, reason: string) => {
    const path = `/api/rollouts/${rollout.id}/${order}`;
    // Starting or approving applies to the revision on display only; stopping applies to any revision.
    const seen = STOPPING.includes(order) ? {} : { "if-match": `"${rollout.revision}"` };
    await ask("POST", path, reason === "" ? {} : { reason }, seen);
    onDone();
  };
  return (
    <p class="actions orders">
      {mayEdit(rollout) && (
        <Link class="button quiet" to={`${rolloutPath(rollout.id)}/edit`}>
          Change
        </Link>
      )}
      {orders.map((order) => {
        if (order === "rollback") return <RollBack key={order} rollout={rollout} />;
        const { name, what, isDangerous = false } = ORDER_WORDS[order];
        return (
          <Confirm
            key={order}
            name={name}
            asksReason={STOPPING.includes(order)}
            isDangerous={isDangerous}
            isPrimary={LOUDEST.includes(order)}
            onConfirm={(reason) => give(order, reason)}
          >
            {what}
          </Confirm>
        );
      })}
    </p>
  );
}

const COLUMNS = [
  ["given", "Offered"],
  ["updating", "Updating"],
  ["validated", "Validated"],
  ["soaked", "Soaked"],
  ["failed", "Failed"],
  ["rolled_back", "Rolled back"],
  ["silent", "Silent"],
] as const;

const Tallies = ({ rollout }: { readonly rollout: WithRelease }) => (
  <Table
    rows={rollout.stages}
    keyOf={(_, index) => index}
    columns={[
      ["Stage", ({ name }) => name],
      ["Devices", ({ device_count }) => device_count ?? "–"],
      ...COLUMNS.map(
        ([key, name]): Column<unknown> => [name, (_, index) => rollout.tallies[index]?.[key] ?? 0],
      ),
    ]}
  />
);

// Open where approval is asked for.
const RolloutTerms = ({ rollout }: { readonly rollout: WithRelease }) => (
  <details class="terms" open={rollout.state === "awaiting_approval"}>
    <summary>Rollout settings</summary>
    <Terms
      class="facts"
      facts={[
        ...termsOf(rollout, moment).map(({ name, value }) => [name, value] as const),
        ["Created", `${moment(rollout.created_at)} by ${rollout.created_by}`],
        ["Changed by", rollout.edited_by && `${rollout.edited_by}, revision ${rollout.revision}`],
        ["Approved by", rollout.approved_by],
        ["Ended", rollout.ended_at && moment(rollout.ended_at)],
      ]}
    />
  </details>
);

const OUTCOMES = ["validated", "failed", "rolled_back"] as const;

interface MembersProps {
  readonly path: string;
  readonly place: Place;
  readonly rollout: WithRelease;
}

function Members({ path, place, rollout }: MembersProps) {
  const offset = readOffset(place.query.get("offset"));
  const stage = place.query.get("stage") ?? "";
  const outcome = place.query.get("outcome") ?? "";
  const members = useData<{ readonly devices: readonly MemberView[]; readonly total: number }>(
    withParams(`${path}/devices`, { stage, outcome, limit: MEMBER_LIMIT, offset }),
    ["update", "rollout"],
  );
  const filter = (changes: Readonly<Record<string, string>>) =>
    go(withQuery(place, { offset: "", ...changes }), true);
  const isFiltered = stage !== "" || outcome !== "";
  if (members.data?.total === 0 && !isFiltered)
    return (
      <Empty title="Not offered to any device yet">Devices get it at their next check, stage by stage.</Empty>
    );
  return (
    <>
      <div class="fields filters">
        <ChoiceField
          label="Stage"
          value={stage}
          choices={[["", "All"], ...rollout.stages.map(({ name }, index) => [`${index}`, name] as const)]}
          onChange={(value) => filter({ stage: value })}
        />
        <ChoiceField
          label="Outcome"
          value={outcome}
          choices={[["", "All"], ...OUTCOMES.map((one) => [one, words(one)] as const)]}
          onChange={(value) => filter({ outcome: value })}
        />
      </div>
      <Loading {...members} />
      {members.data?.total === 0 && <p class="quiet">No devices match.</p>}
      {members.data && members.data.total > 0 && (
        <Table
          rows={members.data.devices}
          keyOf={({ device_id }) => device_id}
          columns={[
            ["Device", ({ device_id }) => <Link to={devicePath(device_id)}>{device_id}</Link>],
            ["Stage", (member) => rollout.stages[member.stage]?.name],
            ["From", ({ from_version }) => from_version, "mono"],
            ["Offered", ({ first_given_at }) => moment(first_given_at)],
            [
              "Outcome",
              (member) => (
                <>
                  <Outcome member={member} /> {!member.counted && <span class="pill">not counted</span>}
                </>
              ),
            ],
          ]}
        />
      )}
      <Pager {...{ place, offset }} limit={MEMBER_LIMIT} total={members.data?.total} />
    </>
  );
}

function Outcome({ member: { outcome, updating, error_code } }: { readonly member: MemberView }) {
  const tone = outcome === "validated" ? "success" : outcome === null ? "" : "failed";
  return (
    <>
      <span class={`pill ${tone}`}>{outcome ? words(outcome) : updating ? "updating" : "offered"}</span>{" "}
      {error_code && <code>{error_code}</code>}
    </>
  );
}

/** Devices that will not get it, and why, by the current plan. */
function LeftOut({ path }: { readonly path: string }) {
  const { data } = useData<PlanView>(`${path}/plan?limit=50`);
  return data ? <Excluded plan={data} /> : null;
}
