// What can be checked about the setup page without its portal: size, what it loads, labels, contrast.

import { expect } from "chai";
import { setupPage } from "../../../firmware/portal/setup-page.js";
import { PAGE_STRINGS, SCRIPT_STRINGS } from "../../../firmware/portal/strings.js";
import { PhoneBrowser } from "./phone-browser.js";

describe("the setup page's text", () => {
  it("is at most 22 KiB", () => {
    expect(Buffer.byteLength(setupPage)).to.be.within(4096, 22 * 1024);
  });

  it("is ASCII, so that its length in characters is its length in bytes", () => {
    expect(setupPage).to.match(/^[\n -~]+$/);
  });

  it("loads nothing from other hosts", () => {
    const addresses =
      setupPage
        .replace(/<script>.*<\/script>/s, "")
        .match(/(?:src|href|action)=[^ >]+|url\([^)]*\)|@import/g) ?? [];
    expect(addresses).to.deep.equal(['href="data:,"', 'href="/settings"', 'action="/api/join"']);
  });

  it("never uses innerHTML", () => {
    expect(setupPage).to.not.match(/innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(/);
  });

  it("has strings that need no escaping", () => {
    const all = JSON.stringify([Object.values(PAGE_STRINGS), SCRIPT_STRINGS]);
    expect(all).to.not.match(/[&<>`\\]/);
  });

  it("labels each input and hides each drawing from screen readers", async () => {
    const phone = new PhoneBrowser();
    await phone.open();
    for (const input of phone.document.querySelectorAll<HTMLElement>("input,textarea")) {
      expect(phone.document.querySelector(`label[for="${input.id}"]`)?.textContent, input.id).to.match(/\w/);
      expect(
        phone.document.getElementById(input.getAttribute("aria-describedby") ?? ""),
        input.id,
      ).to.not.equal(null);
    }
    for (const section of phone.document.querySelectorAll("section")) {
      expect(phone.document.getElementById(section.getAttribute("aria-labelledby") ?? "")).to.not.equal(null);
    }
    for (const drawing of phone.document.querySelectorAll("svg")) {
      expect(drawing.getAttribute("aria-hidden")).to.equal("true");
    }
    phone.close();
  });

  for (const [scheme, palette] of palettes()) {
    it(`has a contrast of at least 4.5 in ${scheme}`, () => {
      for (const [ink, paper] of [
        ["text", "bg"],
        ["text", "card"],
        ["text", "tint"],
        ["soft", "bg"],
        ["soft", "card"],
        ["soft", "tint"],
        ["accent", "bg"],
        ["accent", "card"],
        ["on", "accent"],
        ["bad", "badbg"],
        ["bad", "card"],
        ["good", "goodbg"],
      ] as const) {
        const found = contrast(palette.get(ink) ?? "", palette.get(paper) ?? "");
        expect(found, `${ink} on ${paper}`).to.be.at.least(4.5);
      }
    });
  }
});

/** The colours of both schemes, by name. */
function palettes(): readonly (readonly [string, ReadonlyMap<string, string>])[] {
  const roots = [...setupPage.matchAll(/:root\{([^}]*)\}/g)].map((match) => match[1] ?? "");
  expect(roots.length).to.equal(2);
  const read = (css: string) =>
    new Map([...css.matchAll(/--(\w+):(#\w+)/g)].map(([, name, colour]) => [name ?? "", colour ?? ""]));
  return [
    ["light", read(roots[0] ?? "")],
    ["dark", read(roots[1] ?? "")],
  ];
}

/** WCAG 2.2, relative luminance and contrast ratio. */
function contrast(ink: string, paper: string): number {
  const [light, dark] = [luminance(ink), luminance(paper)].sort((a, b) => b - a);
  return ((light ?? 0) + 0.05) / ((dark ?? 0) + 0.05);
}

function luminance(colour: string): number {
  const digits =
    colour.length === 4 ? [...colour.slice(1)].map((digit) => digit + digit).join("") : colour.slice(1);
  expect(digits).to.match(/^[0-9a-f]{6}$/);
  const [red, green, blue] = [0, 2, 4].map((offset) => {
    const share = Number.parseInt(digits.slice(offset, offset + 2), 16) / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * (red ?? 0) + 0.7152 * (green ?? 0) + 0.0722 * (blue ?? 0);
}
