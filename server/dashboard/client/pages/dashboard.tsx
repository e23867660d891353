// The first page: the state of the fleet, what is in progress, and recent failures.

import type { FleetView, HistoryView } from "../../../api/fleet-views.js";
import type { UpdateView } from "../../../api/release-views.js";
import type { RolloutView } from "../../../shared/rollout-view.js";
import { useMay } from "../actor.js";
import { type Loaded, useData } from "../data.js";
import { Device } from "../device.js";
import { ago, words } from "../format.js";
import { Attention, NextSteps } from "../front/front.js";
import { targetOf, Updating } from "../front/updating.js";
import { devicePath, LogLines } from "../log.js";
import { isOpen, type Model } from "../model.js";
import type { PageProps } from "../page-props.js";
import { Empty, NoDevices, Problem } from "../parts/notes.js";
import { VersionChart } from "../parts/version-chart.js";
import { RolloutCard } from "../rollouts/card.js";
import { Link } from "../router.js";

const SMALL_FLEET_COUNT = 8;
const SHOWN_EVENT_COUNT = 60;
const SHOWN_FAILURE_COUNT = 6;
const HISTORY_DAYS = 7;

interface RolloutsAnswer {
  readonly rollouts: readonly RolloutView[];
}

export function Dashboard({ model, now }: PageProps) {
  const fleet = useData<FleetView>("/api/fleet", ["device"]);
  const history = useData<HistoryView>(`/api/fleet/history?days=${HISTORY_DAYS}`);
  const rollouts = useData<RolloutsAnswer>("/api/rollouts?limit=20", ["rollout"]);
  const isEmpty = fleet.data?.total === 0;
  const serverNow = now + model.clockOffsetMs;
  const front = { fleet: fleet.data, rollouts: rollouts.data?.rollouts, model };
  const isSmall = model.devices.size <= SMALL_FLEET_COUNT;
  return (
    <>
      <h1 class="hidden">Dashboard</h1>
      <Attention {...front} now={serverNow} />
      <NextSteps {...front} />
      <Summary fleet={fleet.data} model={model} />
      <Problem text={fleet.problem || history.problem} />
      {isEmpty && <NoDevices />}
      {/* Those of a small fleet are shown with all their stages. */}
      {!isSmall && <Updating model={model} now={serverNow} />}
      <div class="columns">
        {!isEmpty && history.data && (
          <section>
            <h2>Versions, {HISTORY_DAYS} days</h2>
            <div class="card padded">
              <VersionChart samples={untilNow(history.data, fleet.data)} />
            </div>
          </section>
        )}
        <Failures model={model} now={now} />
      </div>
      <Rollouts {...rollouts} />
      <SmallFleet model={model} now={now} />
      <h2>Log</h2>
      <Log model={model} />
    </>
  );
}

/** The history is loaded once; the current counts follow the fleet. */
const untilNow = ({ samples }: HistoryView, fleet: FleetView | undefined): HistoryView["samples"] =>
  fleet ? [...samples.slice(0, -1), { time: fleet.time, versions: fleet.versions }] : samples;

function Summary({ fleet, model }: { readonly fleet: FleetView | undefined; readonly model: Model }) {
  const updating = [...model.updates.values()].filter(isOpen).length;
  const tiles: readonly (readonly [name: string, count: number | undefined, to: string])[] = [
    ["online", fleet?.online, "/devices?status=online"],
    ["late", fleet?.late, "/devices?status=late"],
    ["offline", fleet?.offline, "/devices?status=offline"],
    ["updating", updating, "/ota-management"],
    ...(fleet?.pending ? [["to approve", fleet.pending, "/devices?approval=pending"] as const] : []),
    // Where nobody vouches for any device, that is no news.
    ...(fleet && fleet.unvouched > 0 && fleet.unvouched < fleet.total - fleet.pending
      ? [["vouched for by nobody", fleet.unvouched, "/devices?vouched=no"] as const]
      : []),
  ];
  return (
    <ul class="summary">
      {tiles.map(([name, count, to]) => (
        <li key={name} class={`card tile-${name.replaceAll(" ", "-")}`}>
          <Link to={to}>
            <strong>{count?.toLocaleString("en") ?? "–"}</strong> <span>{name}</span>
          </Link>
        </li>
      ))}
    </ul>
  );
}

function Rollouts({ data, problem }: Loaded<RolloutsAnswer>) {
  const mayRoll = useMay("rollouts:write");
  const open = data?.rollouts.filter(({ state }) => state !== "finished" && state !== "cancelled");
  if (!open || (open.length === 0 && !mayRoll)) return <Problem text={problem} />;
  return (
    <section>
      <h2>Rollouts</h2>
      {open.length === 0 && (
        <Empty title="No rollout is in progress">
          A stable release is offered to every device of its type; a rollout delivers it in stages.{" "}
          <Link to="/ota-management/rollouts/new">Plan a rollout</Link>
        </Empty>
      )}
      <div class="rollouts">
        {open.map((rollout) => (
          <RolloutCard key={rollout.id} rollout={rollout} />
        ))}
      </div>
    </section>
  );
}

const wentWrong = ({ outcome }: UpdateView): boolean => outcome === "failed" || outcome === "rolled_back";

function Failures({ model, now }: { readonly model: Model; readonly now: number }) {
  const failures = [...model.updates.values()]
    .filter(wentWrong)
    .sort((a, b) => b.id - a.id)
    .slice(0, SHOWN_FAILURE_COUNT);
  if (failures.length === 0) return null;
  return (
    <section id="failures">
      <h2>Failures and rollbacks</h2>
      <ol class="card entries">
        {failures.map((update) => (
          <li key={update.id}>
            <p>
              <Link to={devicePath(update.device_id)}>{update.device_id}</Link>
              <span class="pill failed">{words(update.outcome ?? "failed")}</span>
              <span class="mono">{targetOf(model, update)}</span>
              <span class="seen">
                {ago(Date.parse(update.finished_at ?? update.updated_at), now + model.clockOffsetMs)}
              </span>
            </p>
            <p class="quiet">
              <code>{update.error_code}</code> {update.error_message}
            </p>
          </li>
        ))}
      </ol>
    </section>
  );
}

/** A small fleet is shown in full. */
function SmallFleet({ model, now }: { readonly model: Model; readonly now: number }) {
  const all = [...model.devices.values()].sort((a, b) => a.device_id.localeCompare(b.device_id));
  if (all.length === 0 || all.length > SMALL_FLEET_COUNT) return null;
  return (
    <section>
      <h2>Devices</h2>
      <div class="devices">
        {all.map((device) => (
          <Device key={device.device_id} model={model} device={device} now={now} />
        ))}
      </div>
    </section>
  );
}

const Log = ({ model }: { readonly model: Model }) => (
  <div class="card log">
    <p class="hidden" role="status">
      {model.events[0]?.message}
    </p>
    {model.events.length === 0 && <p class="quiet">No events yet.</p>}
    <LogLines events={model.events.slice(0, SHOWN_EVENT_COUNT)} />
  </div>
);
