// The lines of the log, newest first.

import type { EventView } from "../../events/event-view.js";
import { clock, dayOf } from "./format.js";
import { Link } from "./router.js";

interface LogProps {
  readonly events: readonly EventView[];
  /** For one device: without its name, with dates. */
  readonly isOfDevice?: boolean;
}

export const LogLines = ({ events, isOfDevice = false }: LogProps) => (
  <ol class="log-lines">
    {events.map((event) => (
      <li key={event.id}>
        <time class="mono" dateTime={event.time}>
          {isOfDevice && `${dayOf(Date.parse(event.time))}, `}
          {clock(event.time)}
        </time>
        <span class={`kind ${toneOf(event.kind)}`}>{event.kind.replace(/[._]/g, " ")}</span>
        <span>
          {event.message}
          {!isOfDevice && event.device_id && (
            <>
              {" "}
              <Link to={devicePath(event.device_id)}>
                <span aria-hidden="true">→</span>
                <span class="hidden">Device {event.device_id}</span>
              </Link>
            </>
          )}
        </span>
      </li>
    ))}
  </ol>
);

export const devicePath = (id: string): string => `/devices/${encodeURIComponent(id)}`;

function toneOf(kind: string): string {
  if (kind.endsWith(".success") || kind === "rollout.finished" || kind === "order.done") return "good";
  if (kind.endsWith(".failed") || kind.endsWith(".refused") || kind === "rollout.paused") return "bad";
  return kind.startsWith("update.") || kind.startsWith("rollout.") ? "busy" : "plain";
}
