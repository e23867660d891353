import { expect } from "chai";
import type { BuildSettings } from "../../../../firmware/core/event.js";
import {
  forgetNetwork,
  readPreferences,
  saveNetwork,
} from "../../../../firmware/core/settings/preferences.js";
import { carriedOut } from "../saves.js";

/** Longest key that NVS takes (nvs.h, NVS_KEY_NAME_MAX_SIZE less the NUL). */
const MAX_KEY_LENGTH = 15;

const BUILD: BuildSettings = {
  server: "http://updates.local",
  checkSeconds: 120,
  trialSeconds: 30,
  trialDeadlineSeconds: 300,
  keys: [],
};

describe("preferences", () => {
  it("take the build's values where nothing is stored, and record their layout", () => {
    const { preferences, effects } = readPreferences({}, BUILD);
    expect(preferences).deep.equal({
      networks: [],
      server: "http://updates.local",
      checkSeconds: 120,
      hasOwnPace: false,
      deviceName: "",
      acceptUnsigned: false,
      acceptBearer: true,
      hasAuthority: false,
    });
    expect(carriedOut(effects)).deep.equal([{ type: "store", key: "layout", value: "1" }]);
  });

  it("let a stored server and interval override the build's, if they are in range", () => {
    const stored = { layout: "1", server: "http://10.0.0.2:8080/", "check.seconds": "60" };
    expect(readPreferences(stored, BUILD).preferences).include({
      server: "http://10.0.0.2:8080",
      checkSeconds: 60,
      hasOwnPace: true,
    });
    const wrong = { layout: "1", server: "ftp://x", "check.seconds": "1" };
    expect(readPreferences(wrong, BUILD).preferences).include({ server: BUILD.server, checkSeconds: 120 });
  });

  it("fall back to the build's server from a stored one that cannot be used, and say so", () => {
    // the kind: an address from flash that the network modules throw at; http/address.test.ts has more of it
    for (const server of [
      "ftp://updates.example.com",
      "",
      "updates.local",
      "http://",
      "http://a:0",
      "http://a/?b",
    ]) {
      const { preferences, problems } = readPreferences({ layout: "1", server }, BUILD);
      expect(preferences.server, server).equal(BUILD.server);
      expect(problems, server).have.length(1);
      expect(problems[0], server).include({ code: "SERVER_INVALID" });
      expect(problems[0]!.message).match(
        /^The stored update server cannot be used, the build's is\. The address .*\.$/,
      );
    }
  });

  it("leave out networks that the radio cannot join: the SDK throws at names and passwords that are too long", () => {
    const networks = [
      ["x".repeat(32), "y".repeat(64)],
      ["x".repeat(33), ""],
      ["é".repeat(17), ""],
      ["n", "y".repeat(65)],
    ];
    const read = (stored: Record<string, string>) =>
      readPreferences(stored, BUILD).preferences.networks.length;
    expect(read({ layout: "1", networks: JSON.stringify(networks) })).equal(1);
    expect(read({ ssid: "x".repeat(33) })).equal(0);
    expect(read({ ssid: "x".repeat(32), password: "y".repeat(65) })).equal(0);
  });

  it("move the one network of the first layout, writing the new key before the old ones go", () => {
    const { preferences, effects } = readPreferences({ ssid: "a+b%", password: "pass word" }, BUILD);
    expect(preferences.networks).deep.equal([{ ssid: "a+b%", password: "pass word" }]);
    expect(
      carriedOut(effects).map(
        (effect) => `${effect.type} ${"key" in effect && typeof effect.key === "string" ? effect.key : ""}`,
      ),
    ).deep.equal(["store networks", "forget ssid", "forget password", "store layout"]);
  });

  it("keep at most four networks, the last used first, and read back what was stored", () => {
    let { preferences } = readPreferences({ layout: "1" }, BUILD);
    let stored = "";
    for (const ssid of ["one", "two", "three", "four", "five", "two"]) {
      const [next, effect] = saveNetwork(preferences, { ssid, password: `${ssid}"\\日本` });
      preferences = next;
      if (effect.type === "store") stored = effect.value;
    }
    expect(preferences.networks.map(({ ssid }) => ssid)).deep.equal(["two", "five", "four", "three"]);
    expect(readPreferences({ layout: "1", networks: stored }, BUILD).preferences.networks).deep.equal(
      preferences.networks,
    );
  });

  it("remove one network and keep the others in order", () => {
    const networks = '[["one","a"],["two","b"],["three","c"]]';
    const { preferences } = readPreferences({ layout: "1", networks }, BUILD);
    const [next, effect] = forgetNetwork(preferences, "two");
    expect(next.networks.map(({ ssid }) => ssid)).deep.equal(["one", "three"]);
    expect(effect).deep.equal({ type: "store", key: "networks", value: '[["one","a"],["three","c"]]' });
  });

  it("treat an unreadable list as empty", () => {
    for (const networks of ["", "{", "5", "[[1,2]]", '[["",""]]', "null"]) {
      expect(readPreferences({ layout: "1", networks }, BUILD).preferences.networks, networks).deep.equal([]);
    }
  });

  it("use keys that NVS accepts", () => {
    const keys = readPreferences({ ssid: "x" }, BUILD).effects.map((effect) =>
      "key" in effect && typeof effect.key === "string" ? effect.key : "",
    );
    for (const key of [...keys, "check.seconds", "trial.reason", "install", "boots"])
      expect(key.length).at.most(MAX_KEY_LENGTH);
  });
});
