import { expect } from "chai";
import { noteUnvouched } from "../../../server/rollout/unvouched.js";

const open = { deviceType: "base", registration: "open" } as const;
const closed = { deviceType: "base", registration: "approval" } as const;

describe("what is said of devices that nobody vouched for", () => {
  it("is that anyone can register, wherever that is so, even if nobody has", () => {
    const notes = noteUnvouched(open, { countedCount: 0, uncountedCount: 0 });
    expect(notes).to.have.length(1);
    expect(notes[0]).to.match(
      /^Anyone can register as a device of type base\. .* count for no stage, gate or limit/,
    );
    expect(noteUnvouched(closed, { countedCount: 0, uncountedCount: 0 })).to.deep.equal([]);
  });

  it("is how many count all the same, and how many do not", () => {
    expect(noteUnvouched(closed, { countedCount: 1, uncountedCount: 12 })).to.deep.equal([
      "Nobody vouched for 1 device that counts, because known before it began (registered while anyone could): block those that you do not know.",
      "12 devices that nobody vouched for are not counted: they are in none of the other numbers.",
    ]);
    expect(noteUnvouched(open, { countedCount: 480, uncountedCount: 1 }).slice(1)).to.deep.equal([
      "Nobody vouched for 480 devices that count, because known before it began: block those that you do not know.",
      "1 device that nobody vouched for is not counted: it is in none of the other numbers.",
    ]);
  });
});
