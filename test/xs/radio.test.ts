// The firmware's radio inside XS: the same frames at the same times as in V8.

import { expect } from "chai";
import { buildXs } from "../../host-sim/xs/build.js";
import { weightless, xsEngine } from "../../host-sim/xs/engine.js";
import { BROADCAST, macOf, runRadios, send, start } from "../journey/radios.js";

describe("the radio of a device inside XS", () => {
  it("sends and hears what it does in V8, at the same times", async () => {
    const plans = [
      { script: [start(), send(200, BROADCAST, [1, 2], 1, 8), send(400, macOf(1), [3], 4_000_000_000)] },
      { script: [start(), send(250, macOf(0), [4], 5)] },
    ];
    const { program } = buildXs();
    const inV8 = await runRadios(plans, { engine: weightless });
    const inXs = await runRadios(plans, { engine: xsEngine({ program, keepsNames: true }) });
    expect(inV8.lines()[1]!.length).equal(8);
    expect(inXs.lines()).to.deep.equal(inV8.lines());
    expect(inXs.network.espNow.counts).to.deep.equal(inV8.network.espNow.counts);
  });
});
