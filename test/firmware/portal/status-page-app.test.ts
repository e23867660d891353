// An app's own settings on the status page.

import { expect } from "chai";
import { ledSection } from "../../../firmware/apps/led/core/settings.js";
import { LED_STRINGS } from "../../../firmware/apps/led/core/strings.js";
import type { Section } from "../../../firmware/core/section.js";
import { STATUS_SCRIPT_STRINGS } from "../../../firmware/portal/strings.js";
import { StatusBrowser, TOKEN } from "./status-browser.js";

const SECTION = ledSection({ chip: "esp32", statusPin: 2 });

describe("the app's settings on the status page", () => {
  let browser: StatusBrowser;
  afterEach(() => {
    browser.close();
    expect(browser.errors).deep.equal([]);
  });

  it("are absent if the app has none", async () => {
    browser = await new StatusBrowser().open();
    expect(browser.element("app").hidden).equal(true);
  });

  it("are rendered from the app's description, with their values", async () => {
    browser = await new StatusBrowser({ led: '{"pattern":"chase","count":30}' }, { section: SECTION }).own();
    expect(browser.text("app-title")).equal(LED_STRINGS.title);
    const fields = [
      ...browser.document.querySelectorAll<HTMLInputElement>("#app-fields input,#app-fields select"),
    ];
    expect(fields.map(({ id, type }) => `${id} ${type}`)).deep.equal([
      "app-pattern select-one",
      "app-colour color",
      "app-brightness range",
      "app-speed number",
      "app-count number",
      "app-pin select-one",
    ]);
    expect(fields.map(({ value }) => value)).deep.equal(["Chase", "#ffffff", "25", "10", "30", "0"]);
    expect(browser.element("app-count").min + browser.element("app-count").max).equal("1300");
  });

  it("are saved as soon as a field loses focus, each by itself and with its type", async () => {
    browser = await new StatusBrowser({}, { section: SECTION }).own();
    for (const [id, value] of [
      ["pattern", "Rainbow"],
      ["colour", "#0000ff"],
      ["brightness", "70"],
      ["count", "12"],
      ["pin", "13"],
    ] as const) {
      browser.done.length = 0;
      await browser.change(`app-${id}`, value);
      expect(browser.done.filter(({ type }) => type === "store").length, id).equal(1);
      expect(browser.text("app-say")).equal(STATUS_SCRIPT_STRINGS.saved);
    }
    expect(browser.state.localApi.values).deep.equal({
      ...SECTION.defaults,
      pattern: "rainbow",
      colour: "#0000ff",
      brightness: 70,
      count: 12,
      pin: 13,
    });
  });

  it("can be switches and fractional numbers", async () => {
    const section: Section = {
      name: "panel",
      title: "Panel",
      fields: [
        { name: "mirror", label: "Mirror", type: "switch" },
        { name: "offset", label: "Offset", type: "number", least: -5, most: 5, step: 0.1 },
      ],
      defaults: { mirror: true, offset: 0.3 },
    };
    browser = await new StatusBrowser({}, { section }).own();
    const mirror = browser.element("app-mirror");
    expect(mirror).include({ type: "checkbox", checked: true });
    expect(mirror.parentElement!.textContent).equal("Mirror");
    expect(browser.element("app-offset")).include({ value: "0.3", step: "0.1" });
    mirror.checked = false;
    await browser.change("app-mirror", "");
    await browser.change("app-offset", "-1.2");
    expect(browser.state.localApi.values).deep.equal({ mirror: false, offset: -1.2 });
  });

  it("are refused with a reason", async () => {
    browser = await new StatusBrowser({}, { section: SECTION }).open();
    await browser.change("app-count", "5");
    expect(browser.text("app-say")).equal(STATUS_SCRIPT_STRINGS.needToken);
    await browser.change("token", TOKEN);
    await browser.change("app-count", "301");
    expect(browser.text("app-say")).equal("LEDs on the strip: 301 is not a whole number from 1 to 300.");
    expect(browser.state.localApi.values).deep.equal(SECTION.defaults);
  });
});
