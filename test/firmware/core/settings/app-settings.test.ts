// An app's description of its settings decides what is stored, refused and corrected.

import { expect } from "chai";
import type { Section } from "../../../../firmware/core/section.js";
import { changeValues, storedValues, writeValues } from "../../../../firmware/core/settings/app-settings.js";

const SECTION: Section = {
  name: "cms",
  title: "Picture",
  fields: [
    { name: "server", label: "Server", type: "url", most: 30 },
    { name: "minutes", label: "Minutes", type: "number", least: 1, most: 1440 },
    { name: "panel", label: "Panel", type: "choice", options: [["small"], ["large", "Large (7.5 inch)"]] },
    { name: "ink", label: "Ink", type: "colour" },
    { name: "title", label: "Title", type: "text", most: 5 },
    { name: "offset", label: "Offset", type: "number", least: -5, most: 5, step: 0.1 },
    { name: "mirror", label: "Mirror", type: "switch" },
  ],
  defaults: { server: "", minutes: 60, panel: "small", ink: "#000000", title: "", offset: 0, mirror: false },
};

const change = (text: string) => changeValues(SECTION, SECTION.defaults, text);

describe("an app's settings", () => {
  it("are the build's as long as nothing is stored, and then the stored ones", () => {
    expect(storedValues(SECTION, undefined)).deep.equal({ values: SECTION.defaults, problems: [] });
    expect(storedValues(SECTION, '{"minutes":5}').values).deep.equal({ ...SECTION.defaults, minutes: 5 });
  });

  it("survive serialization, in a fixed order", () => {
    const text =
      '{"title":"a\\"b","mirror":true,"offset":-0.3,"minutes":7,"panel":"large","ink":"#FF00ff","server":"http://x/y"}';
    const changed = change(text);
    if (!changed.ok) throw new Error(changed.failure.message);
    const written = writeValues(SECTION, changed.value);
    expect(Object.keys(JSON.parse(written))).deep.equal([
      "server",
      "minutes",
      "panel",
      "ink",
      "title",
      "offset",
      "mirror",
    ]);
    expect(storedValues(SECTION, written)).deep.equal({ values: changed.value, problems: [] });
  });

  it("drop what another firmware stored and this one cannot use, and log that", () => {
    const { values, problems } = storedValues(SECTION, '{"minutes":0,"panel":"large","gone":1}');
    expect(values).deep.equal({ ...SECTION.defaults, panel: "large" });
    expect(problems).deep.equal(["Minutes: 0 is not a whole number from 1 to 1440."]);
    for (const text of ["", "{", "null", "[]", "7", `{}${" ".repeat(1000)}`]) {
      const broken = storedValues(SECTION, text);
      expect(broken.values, text).deep.equal(SECTION.defaults);
      expect(broken.problems.length, text).equal(1);
    }
  });

  it("are refused as a whole if one is wrong", () => {
    let count = 0;
    for (const [name, wrong] of Object.entries({
      server: [
        "ftp://x",
        "http://",
        "http://a b",
        "javascript:alert(1)",
        `http://${"x".repeat(30)}`,
        1,
        null,
      ],
      minutes: [0, 1441, 1.5, "7", null, true, [5]],
      panel: ["huge", "toString", 0, null, ["small"]],
      ink: ["red", "#fff", "#gggggg", "#1234567", 255],
      title: ["123456", "a\nb", "a\u007f", 5, {}],
      offset: [-5.1, 5.1, 0.25, "1", null],
      mirror: ["true", 1, null],
      gone: [1],
      ["__proto__"]: [1],
    }))
      for (const value of wrong) {
        const text = `{"minutes":5,${JSON.stringify(name)}:${JSON.stringify(value)}}`;
        const changed = change(text);
        expect(!changed.ok && changed.failure.code, text).equal("SETTINGS_INVALID");
        count += 1;
      }
    expect(count).equal(39);
    expect(change('{"server":"","title":""}').ok, "empty is possible").equal(true);
    for (const offset of [-5, -4.9, 0.3, 0.7, 5])
      expect(change(`{"offset":${offset}}`).ok, `${offset}`).equal(true);
  });
});
