import { expect } from "chai";
import {
  compareVersions,
  parseVersion,
  readRunningVersion,
  versionName,
  versionNumber,
} from "../../../../firmware/core/update/version.js";

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
      "1.2.3 ",
      "1.2.3\n",
      `1.2.3-${"a".repeat(60)}`,
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

  // the list that semver.org links to for its regular expression
  it("has a number in which paired devices compare it, that never falls from one version to a newer one", () => {
    const number = (text: string) => versionNumber(parseVersion(text)!);
    expect(number("2.1.3")).equal(20_103);
    expect(number("0.0.1")).equal(1);
    expect(number("1.2.3-rc.1+7")).equal(10_203);
    const rising = [
      "1.99.99",
      "1.99.100",
      "1.100.0",
      "1.4000.1",
      "1.4000.2",
      "2.0.0",
      "429495.99.99",
      "429496.72.95",
    ];
    for (let i = 1; i < rising.length; i++)
      expect(number(rising[i]!), rising[i]!).least(number(rising[i - 1]!));
    expect(number("1.100.7")).equal(19_999);
    expect(number("429496.73.0")).equal(0xffffffff);
    expect(number(`${"9".repeat(50)}.0.0`)).equal(0xffffffff);
  });

  it("takes what Semantic Versioning 2.0.0 calls valid", () => {
    const valid = `0.0.4 1.2.3 10.20.30 1.1.2-prerelease+meta 1.1.2+meta 1.1.2+meta-valid 1.0.0-alpha 1.0.0-beta
      1.0.0-alpha.beta 1.0.0-alpha.beta.1 1.0.0-alpha.1 1.0.0-alpha0.valid 1.0.0-alpha.0valid
      1.0.0-alpha-a.b-c-somethinglong+build.1-aef.1-its-okay 1.0.0-rc.1+build.1 2.0.0-rc.1+build.123 1.2.3-beta
      10.2.3-DEV-SNAPSHOT 1.2.3-SNAPSHOT-123 1.0.0 2.0.0 1.1.7 2.0.0+build.1848 2.0.1-alpha.1227 1.0.0-alpha+beta
      1.2.3----RC-SNAPSHOT.12.9.1--.12+788 1.2.3----R-S.12.9.1--.12+meta 1.2.3----RC-SNAPSHOT.12.9.1--.12
      1.0.0+0.build.1-rc.10000aaa-kk-0.1 99999999999999999999999.999999999999999999.99999999999999999 1.0.0-0A.is.legal
      1.0.0+001 1.0.0+20130313144700 1.0.0-beta+exp.sha.5114f85 1.0.0+21AF26D3----117B344092BD`;
    for (const text of valid.split(/\s+/)) expect(parseVersion(text), text).not.equal(undefined);
  });

  it("refuses what Semantic Versioning 2.0.0 calls invalid", () => {
    const invalid = `1 1.2 1.2.3-0123 1.2.3-0123.0123 1.1.2+.123 +invalid -invalid -invalid+invalid -invalid.01 alpha alpha.beta
      alpha.beta.1 alpha.1 alpha+beta alpha_beta alpha. alpha.. beta 1.0.0-alpha_beta -alpha. 1.0.0-alpha.. 1.0.0-alpha..1
      1.0.0-alpha...1 1.0.0-alpha....1 01.1.1 1.01.1 1.1.01 1.2.3.DEV 1.2-SNAPSHOT 1.2.31.2.3----RC-SNAPSHOT.12.09.1--..12+788
      1.2-RC-SNAPSHOT -1.0.3-gamma+b7718 +justmeta 9.8.7+meta+meta 9.8.7-whatever+meta+meta 1.0.0-rc..1 1.02.0 1.0.0- 1.0.0+`;
    for (const text of invalid.split(/\s+/)) expect(parseVersion(text), text).equal(undefined);
  });

  it("compares numbers of any size", () => {
    expect(order("1.0.0-9007199254740993", "1.0.0-9007199254740992")).above(0);
    expect(order("1.0.0-rc.99999999999999999999", "1.0.0-rc.100000000000000000000")).below(0);
    expect(order("99999999999999999999.0.0", "99999999999999999998.9.9")).above(0);
    expect(order("1.0.0-9", "1.0.0-90071992547409921")).below(0);
  });

  it("ignores metadata that is no build number", () => {
    expect(order("1.2.0+abc123", "1.2.0")).equal(0);
    expect(order("1.2.0+5114f85", "1.2.0+21AF26D3")).equal(0);
    expect(order("1.2.0+20130313144700", "1.2.0")).equal(0);
    expect(order("1.2.0+abc123", "1.1.9+99")).above(0);
    expect(versionName(parseVersion("1.2.0-rc.1+exp.sha.5114f85")!)).equal("1.2.0-rc.1");
  });

  describe("as a device says it, which may be anything", () => {
    const running = (text: string, release: string) =>
      compareVersions(readRunningVersion(text), parseVersion(release)!);

    it("is never older than its numbers say", () => {
      for (const text of [
        "1.02.0",
        "1.2",
        "v1.2",
        "1.2.0.4",
        "1.2.0+a+b",
        "1.2.0_beta",
        " 1.2.0",
        "1.2.0 (dirty)",
      ]) {
        expect(running(text, "1.1.9"), text).above(0);
        expect(running(text, "1.2.0"), text).equal(0);
        expect(running(text, "1.2.1"), text).below(0);
      }
      expect(running("3", "2.9.9")).above(0);
      expect(running("1.2.0-rc..1", "1.2.0")).below(0);
      expect(running("1.2.0-rc..1", "1.1.9")).above(0);
      expect(running(`2.0.0+${"a".repeat(1000)}`, "1.9.9")).above(0);
    });

    it("is older than every release if there is no number in it", () => {
      for (const text of ["", "unknown", "dev", "\0", "-1.0.0", "v"])
        expect(running(text, "0.0.0"), text).below(0);
    });
  });
});
