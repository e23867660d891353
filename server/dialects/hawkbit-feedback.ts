// What a hawkBit client's feedback means in our words.
//
//   execution                             result    status
//   closed                                success   success
//   closed                                failure   failed, FAILED
//   closed                                none      installing
//   rejected, canceled                              failed, REJECTED or CANCELLED
//   download, proceeding, scheduled …               downloading
//   downloaded                                      installing

import type { Report } from "../../firmware/core/wire.js";

export interface Feedback {
  readonly status: {
    readonly execution: string;
    readonly result?: { readonly finished?: string };
    readonly details?: readonly string[];
  };
}

const MAX_MESSAGE_LENGTH = 500;
const MAX_STEP_LENGTH = 32;

export function feedbackReport({ status }: Feedback): Omit<Report, "firmware_id"> {
  const message = (status.details ?? []).join("\n").slice(0, MAX_MESSAGE_LENGTH);
  const step = status.execution.slice(0, MAX_STEP_LENGTH);
  const failed = (error_code: string) =>
    ({ status: "failed", step, error_code, error_message: message }) as const;
  switch (status.execution) {
    case "closed":
      if (status.result?.finished === "success") return { status: "success", step };
      if (status.result?.finished === "failure") return failed("FAILED");
      return { status: "installing", step };
    case "rejected":
      return failed("REJECTED");
    case "canceled":
      return failed("CANCELLED");
    case "downloaded":
      return { status: "installing", step };
    default:
      return { status: "downloading", step };
  }
}
