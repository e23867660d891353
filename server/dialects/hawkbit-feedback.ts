// Maps a hawkBit client's feedback to our statuses.
//
//   execution                             result    status
//   closed                                success   success
//   closed                                failure   failed, FAILED
//   closed, "Skipped Update."             any       failed, CANCELLED
//   closed                                none      installing
//   rejected, canceled                              failed, REJECTED or CANCELLED
//   downloaded                                      installing
//   download, proceeding, scheduled …               downloading, or installing once that has begun
//
// RAUC's client sends `proceeding` for both; its details show that it installs: "installing", " 38% Checking bundle done."

import { type Static, Type } from "@sinclair/typebox";
import type { Report, UpdateStatus } from "../../firmware/core/wire.js";

/** Clients differ in everything but this. Texts may have any length: a client that is refused repeats its report for ever. */
export const FeedbackBody = Type.Object({
  status: Type.Object({
    execution: Type.String(),
    result: Type.Optional(Type.Object({ finished: Type.Optional(Type.String()) })),
    details: Type.Optional(Type.Union([Type.Array(Type.Unknown()), Type.String(), Type.Null()])),
  }),
});
type Feedback = Static<typeof FeedbackBody>;

const MAX_MESSAGE_LENGTH = 500;
/** Of a longer message: how it begins. The reason usually stands at its end. */
const KEPT_START_LENGTH = 150;
const GAP = " … ";
const MAX_STEP_LENGTH = 32;
/** How swupdate ends an action whose cancel it hears before it has begun to install: with success. */
const SWUPDATE_SKIPS = "Skipped Update.";
const RAUC_INSTALLS = /^(?:installing$| {0,2}\d{1,3}% )/;

/** `before`: the attempt's current status. */
export function feedbackReport({ status }: Feedback, before: UpdateStatus): Omit<Report, "firmware_id"> {
  const details = detailsOf(status);
  const message = shorten(details.join("\n"));
  const step = status.execution.slice(0, MAX_STEP_LENGTH);
  const failed = (error_code: string) =>
    ({ status: "failed", step, error_code, error_message: message }) as const;
  switch (status.execution) {
    case "closed":
      if (details.includes(SWUPDATE_SKIPS)) return failed("CANCELLED");
      if (status.result?.finished === "success") return { status: "success", step };
      if (status.result?.finished === "failure") return failed("FAILED");
      return { status: "installing", step };
    case "rejected":
      return failed("REJECTED");
    case "canceled":
      return failed("CANCELLED");
    case "downloaded":
      return { status: "installing", step };
    default: {
      const isInstalling = before === "installing" || details.some((detail) => RAUC_INSTALLS.test(detail));
      return { status: isInstalling ? "installing" : "downloading", step };
    }
  }
}

function detailsOf({ details }: Feedback["status"]): readonly string[] {
  if (typeof details === "string") return [details];
  return (details ?? []).map((detail) => (typeof detail === "string" ? detail : JSON.stringify(detail)));
}

function shorten(message: string): string {
  if (message.length <= MAX_MESSAGE_LENGTH) return message;
  const endLength = MAX_MESSAGE_LENGTH - KEPT_START_LENGTH - GAP.length;
  return `${message.slice(0, KEPT_START_LENGTH)}${GAP}${message.slice(-endLength)}`;
}

/** Whether the client has finished the action, with any result. */
export const isClosing = ({ status }: Feedback): boolean =>
  ["closed", "rejected", "canceled"].includes(status.execution);
