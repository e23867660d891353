import { expect } from "chai";
import { compareVersions, parseVersion, versionName } from "../../../../firmware/core/update/version.js";

const order = (a: string, b: string) => compareVersions(parseVersion(a)!, parseVersion(b)!);

describe("version", () => {
  it("orders the examples of semver.org §11 as given there", () => {
    const ascending =
      "1.0.0-alpha 1.0.0-alpha.1 1.0.0-alpha.beta 1.0.0-beta 1.0.0-beta.2 1.0.0-beta.11 1.0.0-rc.1 1.0.0 2.0.0 2.1.0 2.1.1";
    const versions = ascending.split(" ");
    for (let i = 1; i < versions.length; i++)
      expect(order(versions[i - 1]!, versions[i]!), versions[i]).below(0);
  });

  it("lets the build number decide between equal versions", () => {
    expect(order("1.1.0+2", "1.1.0+10")).below(0);
    expect(order("1.1.0+3", "1.1.0+3")).equal(0);
    expect(order("1.1.0", "1.1.0+1")).below(0);
    expect(order("1.2.0", "1.1.9+99")).above(0);
  });

  it("refuses what is not a version", () => {
    for (const text of [
      "",
      "1",
      "1.2",
      "1.2.x",
      "1.2.3.4",
      "1.2.3+",
      "-1.0.0",
      "1.2.3+a",
      "1.2.3456789012",
    ]) {
      expect(parseVersion(text), text).equal(undefined);
    }
  });

  it("compares numbers as numbers, part by part", () => {
    expect(order("1.10.0", "1.9.0")).above(0);
    expect(order("2.0.0", "1.99.99")).above(0);
    expect(order("1.0.10", "1.0.9")).above(0);
    expect(order("1.0.0-9", "1.0.0-10")).below(0);
    expect(order("1.0.0-1", "1.0.0-a")).below(0);
    expect(order("1.0.0-a", "1.0.0-1")).above(0);
  });

  it("names a version without its build", () => {
    expect(versionName(parseVersion("v1.2.3-rc.1+7")!)).equal("1.2.3-rc.1");
  });
});
