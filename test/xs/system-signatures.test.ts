// Who may sign a system, asked of a receiver whose firmware runs inside XS.

import { buildXs } from "../../host-sim/xs/build.js";
import { xsEngine } from "../../host-sim/xs/engine.js";
import { attackSystem } from "../journey/pair/system-signatures.js";

describe("a system inside XS, where the trust root asks for two signatures of a release", () => {
  const { program } = buildXs();

  it("is taken when two release keys have signed it, and by no less", () =>
    attackSystem(xsEngine({ program }))).timeout(120_000);
});
