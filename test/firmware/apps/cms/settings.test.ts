// The settings section of the cms app.

import { expect } from "chai";
import { cmsSection, readCmsChoice } from "../../../../firmware/apps/cms/core/settings.js";
import { changeValues, configured } from "../../../../firmware/core/settings/app-settings.js";

describe("display settings", () => {
  it("begin with the build's values", () => {
    const { section, problems } = configured(cmsSection(true), {
      refreshSeconds: 600,
      sleepSeconds: 900,
    });
    expect(problems).deep.equal([]);
    expect(readCmsChoice(section.defaults)).deep.equal({ refreshSeconds: 600, sleepSeconds: 900 });
  });

  it("have a sleep time on a battery device, and not on a cable", () => {
    expect(cmsSection(true).fields.map(({ name }) => name)).deep.equal(["refreshSeconds", "sleepSeconds"]);
    const cable = cmsSection(false);
    const changed = changeValues(cable, cable.defaults, '{"sleepSeconds":60}');
    expect(changed.ok).equal(false);
  });

  it("refuse an interval that would overload the network or wear out the panel", () => {
    const section = cmsSection(true);
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
