// The settings section of the cms app.

import { expect } from "chai";
import { cmsSection, readCmsChoice } from "../../../../firmware/apps/cms/core/settings.js";
import { changeValues, configured } from "../../../../firmware/core/settings/app-settings.js";

describe("display settings", () => {
  it("begin with the build's values", () => {
    const { section, problems } = configured(cmsSection(900), {
      refreshSeconds: 600,
      sleepSeconds: 900,
    });
    expect(problems).deep.equal([]);
    expect(readCmsChoice(section.defaults)).deep.equal({ refreshSeconds: 600, sleepSeconds: 900 });
  });

  it("have a sleep time on a battery device, and not on a cable", () => {
    expect(cmsSection(900).fields.map(({ name }) => name)).deep.equal(["refreshSeconds", "sleepSeconds"]);
    const cable = cmsSection(0);
    const changed = changeValues(cable, cable.defaults, '{"sleepSeconds":60}');
    expect(changed.ok).equal(false);
  });

  it("say how long the build sleeps, and that the checks for updates depend on it", () => {
    const [, sleep] = cmsSection(1234).fields;
    expect(sleep?.hint)
      .match(/every 2 minutes/)
      .and.match(/each time it wakes/)
      .and.match(/Default: 1234\./);
  });

  it("refuse an interval that would overload the network or wear out the panel", () => {
    const section = cmsSection(900);
    for (const [text, sentence] of [
      ['{"refreshSeconds":29}', "from 30 to 86400"],
      ['{"sleepSeconds":-1}', "from 0 to 86400"],
      ['{"refreshSeconds":"60"}', "whole number"],
    ] as const) {
      const changed = changeValues(section, section.defaults, text);
      expect(changed.ok ? "" : changed.failure.message, text).contain(sentence);
    }
  });
});
