// How routes about the fleet as a whole, the log and the server itself answer.

import { Type } from "@sinclair/typebox";
import type { FleetView, HistoryView, VersionCountView } from "../../fleet-views.js";
import { Event } from "./devices.js";
import { type Answers, listed, named, ok, oneOf, sent, shapeOf, text, time, whole } from "./parts.js";

const VersionCount = shapeOf<VersionCountView>()("VersionCount", "How many devices run a version", {
  device_type: text(),
  version: text(),
  device_count: whole(),
});
const Fleet = shapeOf<FleetView>()("Fleet", "How many devices there are, and what they run", {
  online: whole("Devices"),
  late: whole("Devices that missed a check or two"),
  offline: whole("Devices"),
  total: whole("Devices"),
  pending: whole("Devices that wait to be approved"),
  versions: Type.Array(VersionCount),
  time: time("When it was counted"),
});
const History = shapeOf<HistoryView>()(
  "FleetHistory",
  "What the fleet ran, the oldest first; the last is now",
  {
    hourly_days: Type.Number({ description: "Samples are an hour apart for so many days, older ones a day" }),
    samples: Type.Array(Type.Object({ time: time(), versions: Type.Array(VersionCount) })),
  },
);
const Readiness = named("Readiness", "Whether requests may be sent here", {
  status: oneOf(["ready", "not ready"]),
  checks: Type.Record(Type.String(), Type.String(), { description: "By name: ok, or what is wrong" }),
});

/** Of the fleet as a whole, the log and the server. */
export const SERVICE_ANSWERS: Answers = Object.freeze({
  "GET /api/fleet": ok(Fleet),
  "GET /api/fleet/history": ok(History),
  "GET /api/events": ok(listed("events", Event)),
  "GET /api/events/stream": sent(
    "text/event-stream",
    "A message for every record that changes. Its event is device, update, firmware, rollout or event, its data the Device, " +
      "Attempt, Firmware, Rollout or Event as JSON; of the event seen: a list of the fields of devices that checks have changed",
  ),
  "GET /healthz": ok(Type.Object({ status: Type.Literal("ok") })),
  "GET /readyz": {
    ...ok(Readiness, "Ready"),
    503: { description: "Not ready, and why", schema: Readiness },
  },
  "GET /metrics": sent("text/plain", "Metrics in the format of Prometheus"),
});
