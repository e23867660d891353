// Maps a hawkBit client's feedback to our statuses.
//
//   execution                             result    status
//   closed                                success   success
//   closed                                failure   failed, FAILED
//   closed                                none      installing
//   rejected, canceled                              failed, REJECTED or CANCELLED
//   downloaded                                      installing
//   download, proceeding, scheduled …               downloading, or installing once that has begun
//
// RAUC's client sends `proceeding` for both; its details show that it installs: "installing", " 38% Checking bundle done."

import type { Report, UpdateStatus } from "../../firmware/core/wire.js";

export interface Feedback {
  readonly status: {
    readonly execution: string;
    readonly result?: { readonly finished?: string };
    readonly details?: readonly string[];
  };
}

const MAX_MESSAGE_LENGTH = 500;
const MAX_STEP_LENGTH = 32;
const RAUC_INSTALLS = /^(?:installing$| {0,2}\d{1,3}% )/;

/** `before`: the attempt's current status. */
export function feedbackReport({ status }: Feedback, before: UpdateStatus): Omit<Report, "firmware_id"> {
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
    default: {
      const isInstalling =
        before === "installing" || (status.details ?? []).some((detail) => RAUC_INSTALLS.test(detail));
      return { status: isInstalling ? "installing" : "downloading", step };
    }
  }
}

/** Whether the client has finished the action, with any result. */
export const isClosing = ({ status }: Feedback): boolean =>
  ["closed", "rejected", "canceled"].includes(status.execution);
