// Requests about pictures for panels and their assignments.

import { type Static, Type } from "@sinclair/typebox";
import { checkWindows } from "../shared/windows.js";
import type { ContentTarget, NewContentAssignment } from "../store/store.js";
import { WindowsBody } from "./rollout-schemas.js";
import { DeviceId, Exactly, Id, Label, Name, Page } from "./schemas.js";

const ImageName = Type.String({
  minLength: 1,
  maxLength: 80,
  pattern: "^[^\\s\\x00-\\x1f]([^\\x00-\\x1f]*[^\\s\\x00-\\x1f])?$",
  description: "For people; no space at either end",
});
export const ImageFields = Type.Object({ name: ImageName });
export const AssignmentQuery = Type.Object({
  image_id: Type.Optional(Type.Integer({ ...Id, description: "Only those of this picture" })),
  ...Page,
});

const Moment = Type.String({
  maxLength: 40,
  pattern: "^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d(:\\d\\d(\\.\\d{1,3})?)?(Z|[+-]\\d\\d:\\d\\d)$",
  description: "ISO 8601 with its zone, such as 2026-12-01T08:00:00Z",
});
const orNull = (schema: typeof Moment) => Type.Optional(Type.Union([schema, Type.Null()]));

export const AssignmentBody = Exactly(
  {
    image_id: Type.Integer({ ...Id, description: "The picture" }),
    target: Type.Union(
      [
        Exactly({ kind: Type.Literal("device"), name: DeviceId }),
        Exactly({ kind: Type.Literal("group"), name: Label }),
        Exactly({ kind: Type.Literal("type"), name: Name }),
        Exactly({ kind: Type.Literal("default") }),
      ],
      {
        description:
          "One device, a group, a device type, or every panel. The most specific assignment wins, then the newest",
      },
    ),
    from: orNull(Moment),
    until: orNull(Moment),
    windows: Type.Optional(
      Type.Union([
        Exactly(WindowsBody.properties, {
          description: "Times of the week at which it is shown, in local time",
        }),
        Type.Null(),
      ]),
    ),
  },
  {
    description:
      "Which panels show a picture, and when. Without times: from now on, until something else is assigned",
  },
);

type AssignmentTerms = Omit<NewContentAssignment, "createdBy" | "createdAt">;

/** The assignment of a request, or a sentence about what is wrong with it. */
export function readAssignment(body: Static<typeof AssignmentBody>, now: number): AssignmentTerms | string {
  const target: ContentTarget =
    body.target.kind === "default" ? { kind: "default", name: "" } : { ...body.target };
  const [from, until] = [body.from, body.until].map((text) => (text ? Date.parse(text) : null));
  if (Number.isNaN(from) || Number.isNaN(until)) return "from or until is not a valid time";
  if (from != null && until != null && until <= from)
    return `it would end at ${body.until}, which is not after ${body.from}`;
  if (until != null && until <= now) return `it would have ended already, at ${body.until}`;
  const windows = body.windows ? { timeZone: body.windows.time_zone, spans: body.windows.spans } : null;
  const wrong = windows && checkWindows(windows);
  if (wrong) return wrong;
  return { imageId: body.image_id, target, from: from ?? null, until: until ?? null, windows };
}
