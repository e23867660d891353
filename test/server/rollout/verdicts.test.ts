import { expect } from "chai";
import { VERDICTS, type Verdict } from "../../../server/rollout/verdicts.js";

const verdicts = Object.keys(VERDICTS) as Verdict[];

describe("the table of verdicts", () => {
  it("marks only these as ending by time alone", () => {
    const passing = verdicts.filter((one) => !VERDICTS[one].isLasting && !VERDICTS[one].isOffer);
    expect(passing).to.have.members([
      "TRIAL_RUNNING",
      "WAITS_AFTER_ROLL_BACK",
      "FAILED_TOO_OFTEN",
      "ROLLOUT_SCHEDULED",
      "WINDOW_CLOSED",
      "LIMIT_REACHED",
    ]);
  });

  it("marks no offer as lasting", () => {
    const offers = verdicts.filter((one) => VERDICTS[one].isOffer);
    expect(offers).to.have.lengthOf(4);
    for (const offer of offers) expect(VERDICTS[offer].isLasting, offer).to.equal(false);
  });

  it("gives each rank to one verdict", () => {
    const ranks = verdicts.flatMap((one) => VERDICTS[one].rank ?? []);
    expect(new Set(ranks).size).to.equal(ranks.length);
  });
});
