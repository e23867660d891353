// In XS: test/xs/system-signatures.test.ts.

import { attackSystem } from "./system-signatures.js";

describe("a system, where the trust root asks for two signatures of a release", () => {
  it("is taken when two release keys have signed it, and by no less", () => attackSystem()).timeout(60_000);
});
