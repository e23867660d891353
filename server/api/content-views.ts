// Pictures for panels and their assignments as clients see them.

import { type Static, Type } from "@sinclair/typebox";
import { isInForce } from "../content/choice.js";
import { CONTENT_TARGETS, type ContentAssignment, type ContentImage } from "../store/store.js";
import { boolean, dateTime, dateTimeOrNull, integer, named, oneOf, orNull, text } from "./fields.js";
import { WindowsView } from "./rollout-views.js";
import { viewer } from "./view.js";

export const PICTURE_TYPE = "image/x-portable-bitmap";

export const ImageView = named("Picture", "A picture for panels", {
  id: integer(),
  name: text(),
  width: integer("Pixels"),
  height: integer("Pixels"),
  size_bytes: integer(),
  sha256: text("Of the binary PBM, hex"),
  created_by: text(),
  created_at: dateTime(),
});
export type ImageView = Static<typeof ImageView>;
export const viewImage = viewer(ImageView, (image: ContentImage) => ({ ...image, sha256: image.hash }));

export const AssignmentView = named("Assignment", "Which panels show a picture, and when", {
  id: integer(),
  image_id: integer(),
  target: Type.Object({
    kind: oneOf(CONTENT_TARGETS, "default: every panel"),
    name: text("Device id, group or device type; empty for default"),
  }),
  from: dateTimeOrNull("null: since its creation"),
  until: dateTimeOrNull("Exclusive; null: without end"),
  windows: orNull(WindowsView, "When it is shown; null: always"),
  is_in_force: boolean("It applies now, unless a more specific or newer one does"),
  created_by: text(),
  created_at: dateTime(),
});
export type AssignmentView = Static<typeof AssignmentView>;
const assignmentFields = viewer(AssignmentView);
export const viewAssignment = (assignment: ContentAssignment, now: number): AssignmentView => {
  const { windows } = assignment;
  return assignmentFields({
    ...assignment,
    windows: windows && { time_zone: windows.timeZone, spans: windows.spans },
    isInForce: isInForce(assignment, now),
  });
};

export const ShownView = named("Shown", "What a panel shows now, and the assignment that selects it", {
  device_id: text(),
  assignment: orNull(AssignmentView),
  image: orNull(ImageView),
});
export type ShownView = Static<typeof ShownView>;
export const DeletedView = Type.Object({ id: integer(), deleted: Type.Literal(true) });
