// One device: its status, what it is offered and why, its orders, attempts and timeline.

import type { AbilitiesView } from "../../../api/ability-schemas.js";
import type { DeviceDetailView } from "../../../api/device-views.js";
import type { UpdateView } from "../../../api/release-views.js";
import type { EventView } from "../../../events/event-view.js";
import { wordVouching } from "../../../shared/vouched-words.js";
import { useMay } from "../actor.js";
import { Attempt } from "../attempt.js";
import { useAction, useData } from "../data.js";
import { Facts, Running } from "../device.js";
import { Labels } from "../devices/labels.js";
import { Orders } from "../devices/orders.js";
import { Panel, type PanelView } from "../devices/panel.js";
import { ReadingHistory } from "../devices/readings.js";
import { Removal } from "../devices/removal.js";
import { REMOVED_PATH, RemovedDevice } from "../devices/removed.js";
import type { DeviceRow } from "../devices/row.js";
import { LabelPills, StatePill, StatusLamp } from "../devices/status.js";
import { TIMELINE_LENGTH, Timeline } from "../devices/timeline.js";
import { DeviceTrust } from "../devices/trust.js";
import { ago } from "../format.js";
import type { PageProps } from "../page-props.js";
import { Button } from "../parts/button.js";
import { Confirm } from "../parts/confirm.js";
import { Heading } from "../parts/heading.js";
import { Empty, Loading, Problem } from "../parts/notes.js";
import { Terms } from "../parts/terms.js";
import { go } from "../router.js";
import { ask } from "../session.js";

const SHOWN_ATTEMPT_COUNT = 5;

interface DeviceAnswer extends DeviceRow {
  readonly attributes: Readonly<Record<string, string>> | null;
  readonly abilities: AbilitiesView | null;
  readonly panel: PanelView | null;
  readonly trust: DeviceDetailView["trust"];
  readonly attempts: readonly UpdateView[];
}
interface EventsAnswer {
  readonly events: readonly EventView[];
}
interface WhyAnswer {
  readonly summary: string;
  readonly answers: readonly { readonly firmware_id: number; readonly sentence: string }[];
}

export function DevicePage({ params, model, now }: PageProps) {
  const id = params.id ?? "";
  const path = `/api/devices/${encodeURIComponent(id)}`;
  const device = useData<DeviceAnswer>(path, ["device", "update", "rollout"]);
  const why = useData<WhyAnswer>(`${path}/why`, ["device", "update", "rollout", "firmware"]);
  const timeline = useData<EventsAnswer>(`${path}/timeline?limit=${TIMELINE_LENGTH}`, ["event"]);
  const mayChange = useMay("devices:write");
  const { data } = device;
  if (!data && device.problem !== "") return <RemovedDevice id={id} model={model} problem={device.problem} />;
  if (!data)
    return (
      <>
        <Heading title={id} up={["/devices", "Devices"]} class="name" />
        <Loading {...device} />
      </>
    );
  const events = timeline.data?.events ?? [];
  return (
    <>
      <Heading title={data.device_id} up={["/devices", "Devices"]} class="name">
        <span>
          <StatusLamp status={data.status} /> <StatePill state={data.state} />
        </span>
        <span class="seen">seen {ago(Date.parse(data.last_seen), now + model.clockOffsetMs)}</span>
      </Heading>
      <Problem text={device.problem} />
      <div class="columns">
        <section class="card padded device">
          <Running device={data} />
          <Facts device={data} />
          <p class="quiet">Vouched for {wordVouching(data)}.</p>
          <Claim claim={claimOf(data, events)} />
          {data.attributes && <Attributes attributes={data.attributes} />}
          {mayChange && (
            <>
              <Admission device={data} refusal={refusalOf(data, events)} onDone={device.reload} />
              <p class="actions">
                <Removal id={id} onDone={(history) => go(history === "keep" ? REMOVED_PATH : "/devices")} />
              </p>
            </>
          )}
        </section>
        <Why why={why.data} problem={why.problem} />
      </div>
      <p class="labels">
        <LabelPills {...data} />
      </p>
      <Panel panel={data.panel} now={now + model.clockOffsetMs} />
      <DeviceTrust device={data} now={now + model.clockOffsetMs} />
      <ReadingHistory path={path} />
      <Orders device={data} mayChange={mayChange} />
      <h2>Attempts</h2>
      {data.attempts.length === 0 && <Empty title="No updates yet">The reasons are listed above.</Empty>}
      {data.attempts.slice(0, SHOWN_ATTEMPT_COUNT).map((update) => (
        <div key={update.id} class="card padded attempt-card">
          <Attempt update={update} firmware={model.firmware.get(update.firmware_id)} events={events} />
        </div>
      ))}
      <h2>Timeline</h2>
      <Timeline path={path} newest={events} problem={timeline.problem} />
      {mayChange && (
        <section>
          <h2>Tags, group and pin</h2>
          {/* Reset when they were changed elsewhere. */}
          <Labels
            key={JSON.stringify([data.tags, data.group, data.pin])}
            device={data}
            onDone={() => {
              device.reload();
              why.reload();
            }}
          />
        </section>
      )}
    </>
  );
}

/** What only its own system's clients say, in their words. */
const Attributes = ({ attributes }: { readonly attributes: Readonly<Record<string, string>> }) => (
  <details>
    <summary>What it says of itself</summary>
    <Terms
      class="facts"
      valueClass="mono"
      facts={Object.entries(attributes).map(([name, value]) => [name.replaceAll("_", " "), value])}
    />
  </details>
);

function Why({ why, problem }: { readonly why: WhyAnswer | undefined; readonly problem: string }) {
  return (
    <section class="card padded why" aria-label="Why this update">
      <h2>Why this update</h2>
      <Loading data={why} problem={problem} />
      {why && <p>{why.summary}</p>}
      {why && why.answers.length > 0 && (
        <details>
          <summary>Each release</summary>
          <ul class="reasons">
            {why.answers.map(({ firmware_id, sentence }) => (
              <li key={firmware_id}>{sentence}</li>
            ))}
          </ul>
        </details>
      )}
    </section>
  );
}

const LOST_TOKEN_CODES: readonly unknown[] = ["DEVICE_TOKEN_WRONG", "DEVICE_TOKEN_REQUIRED"];

/**
 * Whether a client used its id with another token, or none, and none used its own token since: the device may have lost its token, as one
 * does that is flashed again.
 */
function refusalOf(device: DeviceAnswer, events: readonly EventView[]): EventView | undefined {
  const isLost = ({ kind, detail, time }: EventView) =>
    kind === "device.refused" &&
    LOST_TOKEN_CODES.includes(detail?.error_code) &&
    Date.parse(time) > Date.parse(device.last_seen);
  return device.uses_token ? events.find(isLost) : undefined;
}

/**
 * That a client has begun to use a token under its id, and somebody under the same id was refused since: one of the two is not the device.
 */
function claimOf(device: DeviceAnswer, events: readonly EventView[]): EventView | undefined {
  const refused = events.find(
    ({ kind, detail }) => kind === "device.refused" && LOST_TOKEN_CODES.includes(detail?.error_code),
  );
  const claimed = events.find(({ kind }) => kind === "device.claimed");
  return device.uses_token && claimed && refused && refused.id > claimed.id ? claimed : undefined;
}

function Claim({ claim }: { readonly claim: EventView | undefined }) {
  return (
    claim && (
      <div class="note warning" role="status">
        <p>
          On {claim.time.slice(0, 16).replace("T", " ")} UTC a client at {String(claim.detail?.address)} began
          to use a token under this id, which had been served without one, and another client was refused
          since. One of the two is not the device: find out which, then block it or forget its token.
        </p>
      </div>
    )
  );
}

interface AdmissionProps {
  readonly device: DeviceAnswer;
  readonly refusal: EventView | undefined;
  readonly onDone: () => void;
}

/** Approval of a device, and its token. */
function Admission({ device, refusal, onDone }: AdmissionProps) {
  const action = useAction();
  const change = async (order: string) => {
    const { results } = await ask<{ readonly results: readonly { readonly error?: string }[] }>(
      "POST",
      "/api/device-identities/change",
      { device_ids: [device.device_id], action: order },
    );
    if (results[0]?.error === "FORBIDDEN")
      throw new Error(`you may not change devices of type ${device.device_type}`);
    if (results[0]?.error) throw new Error("this device is not registered");
    onDone();
  };
  return (
    <>
      {refusal && (
        <div class="note warning" role="status">
          <p>
            It was refused after it was last seen, because its token was wrong or missing. A device that was
            flashed again has lost its token.
          </p>
          <p class="actions">
            <Confirm name="Forget its token" isDangerous onConfirm={() => change("forget-token")}>
              The next client that uses its id is trusted and gets a new token. Do this only if you have
              flashed the device yourself.
            </Confirm>
          </p>
        </div>
      )}
      <p class="actions">
        {(device.state !== "approved" || device.vouched_how === null) && (
          <Button
            look={device.state === "approved" ? "quiet" : "main"}
            isBusy={action.isBusy}
            onClick={() => action.run(() => change("approve"))}
          >
            Approve
          </Button>
        )}
        {device.state !== "blocked" && (
          <Confirm name="Block" isDangerous onConfirm={() => change("block")}>
            It is no longer offered anything, and its reports are refused.
          </Confirm>
        )}
        {device.uses_token && (
          <Confirm name="Renew token" onConfirm={() => change("rotate-token")}>
            It gets a new token at its next check; the old one stays valid until the new one is used.
          </Confirm>
        )}
        <Problem text={action.problem} />
      </p>
    </>
  );
}
