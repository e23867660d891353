// One rollout: its progress, what it waits for, its actions, and the outcome for each device.

import type { MemberView, PlanView, ProgressView } from "../../../api/rollout-views.js";
import { type Term, termsOf } from "../../../shared/rollout-terms.js";
import { useActor, useMay } from "../actor.js";
import { useData, withParams } from "../data.js";
import { moment, words } from "../format.js";
import { devicePath } from "../log.js";
import type { PageProps } from "../page-props.js";
import { Confirm } from "../parts/confirm.js";
import { ChoiceField } from "../parts/fields.js";
import { Empty, Loading, Problem } from "../parts/notes.js";
import { Pager } from "../parts/pager.js";
import { readOffset } from "../parts/pages-of-list.js";
import { rolloutPath, StatePill } from "../rollouts/card.js";
import { mayEdit, ORDER_WORDS, type Order, ordersFor } from "../rollouts/orders.js";
import { Excluded } from "../rollouts/plan.js";
import { RollBack } from "../rollouts/roll-back.js";
import { StageBars } from "../rollouts/stages.js";
import { go, Link, type Place, withQuery } from "../router.js";
import { ask } from "../session.js";

const MEMBER_LIMIT = 25;
type WithRelease = ProgressView & { readonly release: string | null };

export function RolloutPage({ params, place }: PageProps) {
  const path = `/api/rollouts/${encodeURIComponent(params.id ?? "")}`;
  const rollout = useData<WithRelease>(path, ["rollout", "update"]);
  const { data } = rollout;
  if (!data)
    return (
      <>
        <p class="trail">
          <Link to="/ota-management">Updates</Link>
        </p>
        <h1>Rollout {params.id}</h1>
        <Loading {...rollout} />
      </>
    );
  return (
    <>
      <p class="trail">
        <Link to="/ota-management">Updates</Link>
      </p>
      <div class="heading">
        <h1>{data.name}</h1>
        <StatePill state={data.state} />
      </div>
      <p>{data.reason}</p>
      {data.state === "running" && <p class="note">{data.next.reason}</p>}
      <Orders rollout={data} onDone={rollout.reload} />
      <Problem text={rollout.problem} />
      <div class="card padded">
        <StageBars rollout={data} />
      </div>
      <Tallies rollout={data} />
      <Terms rollout={data} />
      <h2>Devices</h2>
      <Members path={path} place={place} rollout={data} />
      {data.state !== "cancelled" && data.state !== "finished" && <LeftOut path={path} />}
    </>
  );
}

const STOPPING: readonly Order[] = ["pause", "cancel"];

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
            isPrimary={order === "start" || order === "approve" || order === "resume"}
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
  <div class="card table">
    <table>
      <thead>
        <tr>
          <th scope="col">Stage</th>
          <th scope="col">Devices</th>
          {COLUMNS.map(([key, name]) => (
            <th key={key} scope="col">
              {name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rollout.stages.map((stage, index) => (
          <tr key={index}>
            <th scope="row">{stage.name}</th>
            <td>{stage.device_count ?? "–"}</td>
            {COLUMNS.map(([key]) => (
              <td key={key}>{rollout.tallies[index]?.[key] ?? 0}</td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  </div>
);

function Terms({ rollout }: { readonly rollout: WithRelease }) {
  const facts: readonly Term[] = [
    ...termsOf(rollout, moment),
    { name: "Created", value: `${moment(rollout.created_at)} by ${rollout.created_by}` },
    ...(rollout.edited_by
      ? [{ name: "Changed by", value: `${rollout.edited_by}, revision ${rollout.revision}` }]
      : []),
    ...(rollout.approved_by ? [{ name: "Approved by", value: rollout.approved_by }] : []),
    ...(rollout.ended_at === null ? [] : [{ name: "Ended", value: moment(rollout.ended_at) }]),
  ];
  return (
    // Open where approval is asked for.
    <details class="terms" open={rollout.state === "awaiting_approval"}>
      <summary>Its terms</summary>
      <dl class="facts">
        {facts.map(({ name, value }) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </details>
  );
}

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
        <div class="card table">
          <table>
            <thead>
              <tr>
                <th scope="col">Device</th>
                <th scope="col">Stage</th>
                <th scope="col">From</th>
                <th scope="col">Offered</th>
                <th scope="col">Outcome</th>
              </tr>
            </thead>
            <tbody>
              {members.data.devices.map((member) => (
                <tr key={member.device_id}>
                  <th scope="row">
                    <Link to={devicePath(member.device_id)}>{member.device_id}</Link>
                  </th>
                  <td>{rollout.stages[member.stage]?.name}</td>
                  <td class="mono">{member.from_version}</td>
                  <td>{moment(member.first_given_at)}</td>
                  <td>
                    <Outcome member={member} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {members.data && (
        <Pager
          list={{ offset, limit: MEMBER_LIMIT, total: members.data.total }}
          onMove={(to) => go(withQuery(place, { offset: to ? `${to}` : "" }))}
        />
      )}
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
