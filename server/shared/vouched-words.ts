// Who vouched for a device, in words, for pages and the command line. Pure.

/** As the API tells it; null: nobody. */
export interface Vouched {
  readonly vouched_how: "enrolment" | "approval" | "token" | null;
  readonly vouched_by: string | null;
}

const HOW = Object.freeze({
  enrolment: (by: string) => `by the enrolment token ${by}`,
  approval: (by: string) => `by ${by}, who approved it`,
  token: (by: string) => `by ${by}, who gave it its token`,
});

/** The end of a sentence: `by ada, who approved it`. */
export const wordVouching = ({ vouched_how: how, vouched_by: by }: Vouched): string =>
  how === null
    ? "by nobody: rollouts that began before it registered do not count it"
    : HOW[how](by ?? "(unknown)");
