// How routes about pictures for panels answer.

import { Type } from "@sinclair/typebox";
import { CONTENT_TARGETS } from "../../../store/store.js";
import type { AssignmentView, ImageView, ShownView } from "../../content-schemas.js";
import { WindowsView as Windows } from "../../rollout-views.js";
import {
  type Answers,
  created,
  hexSha256,
  listOf,
  ok,
  oneOf,
  orNull,
  sent,
  shapeOf,
  text,
  time,
  timeOrNull,
  UNCHANGED,
  whole,
  yes,
} from "./parts.js";

const PICTURE = "image/x-portable-bitmap";

const Image = shapeOf<ImageView>()("Picture", "A picture for panels", {
  id: whole(),
  name: text(),
  width: whole("Pixels"),
  height: whole("Pixels"),
  size_bytes: whole(),
  sha256: hexSha256("Of the binary PBM, hex"),
  created_by: text(),
  created_at: time(),
});
const Assignment = shapeOf<AssignmentView>()("Assignment", "Who shows which picture when", {
  id: whole(),
  image_id: whole(),
  target: Type.Object({
    kind: oneOf(CONTENT_TARGETS, "default: every panel"),
    name: text("Device id, group or device type; empty for default"),
  }),
  from: timeOrNull("null: from its making on"),
  until: timeOrNull("Not including; null: for good"),
  windows: orNull(Windows, "When it is shown; null: always"),
  is_in_force: yes("It holds now, if nothing more specific or newer does"),
  created_by: text(),
  created_at: time(),
});
const Shown = shapeOf<ShownView>()("Shown", "What a panel shows now, and which assignment says so", {
  device_id: text(),
  assignment: orNull(Assignment),
  image: orNull(Image),
});
const Deleted = Type.Object({ id: whole(), deleted: Type.Literal(true) });

/** Of `/api/content` and `/api/content-admin`. */
export const CONTENT_ANSWERS: Answers = Object.freeze({
  "GET /api/content/:id": { ...sent(PICTURE, "The picture as binary PBM (P4)"), ...UNCHANGED },
  "GET /api/content-admin/images": ok(listOf("images", Image)),
  "POST /api/content-admin/images": created(Image),
  "GET /api/content-admin/images/:id": sent(PICTURE, "The picture as binary PBM (P4)"),
  "DELETE /api/content-admin/images/:id": ok(Deleted),
  "GET /api/content-admin/assignments": ok(listOf("assignments", Assignment)),
  "POST /api/content-admin/assignments": created(Assignment),
  "DELETE /api/content-admin/assignments/:id": ok(Deleted),
  "GET /api/content-admin/devices/:id": ok(Shown),
});
