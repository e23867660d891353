// The simulator's page in a real browser: what it draws is what the device shows, pixel by pixel.

import { expect } from "chai";
import type { Browser } from "playwright-core";
import type { Light } from "../../host-sim/hardware/gpio.js";
import { openView, type Shown, type View } from "../../host-sim/sim/web-view/view.js";
import { openBrowser, openPage, overflowOf, PHONE, requireChromium, type WatchedPage } from "./browser.js";

const PANEL: Light = Object.freeze({
  type: "panel",
  width: 12,
  height: 3,
  rows: Uint8Array.of(0b10000000, 0b00010000, 0b01010101, 0b01010000, 0, 0),
});
const DRAWN = ["#..........#", ".#.#.#.#.#.#", "............"];

describe("the simulator's page in a browser", function () {
  this.timeout(120_000);
  let facts: Shown;
  let view: View;
  let browser: Browser;
  let phone: WatchedPage;

  before(async function () {
    requireChromium(this);
    facts = {
      name: "device",
      pages: "http://localhost:1/",
      state: "running",
      app: "cms",
      version: "1.0.0",
      slot: "factory",
      chip: "esp32",
      bootCount: 1,
      addresses: ["192.168.1.100"],
      seconds: 3_723,
    };
    view = await openView({ facts: () => [facts] });
    browser = await openBrowser();
    phone = await openPage(browser, { ...PHONE, colorScheme: "dark" });
    await phone.page.goto(view.url);
  });
  after(async () => {
    await browser?.close();
    view?.close();
  });

  it("shows what runs, and its state", async () => {
    const { page } = phone;
    await page.getByText("01:02:03").waitFor();
    expect(await page.getByRole("heading", { level: 1 }).textContent()).equal("Virtual esp32");
    for (const text of ["cms", "1.0.0", "factory", "192.168.1.100"])
      await page.getByText(text).first().waitFor();
    expect(await page.getByRole("status").textContent()).equal("running");
    facts = { ...facts, state: "asleep", addresses: [] };
    await page.getByRole("status").getByText("asleep").waitFor();
  });

  it("draws a panel pixel for pixel", async () => {
    view.show("device", PANEL);
    const canvas = phone.page.getByRole("img", { name: /^the panel's picture/ });
    await canvas.waitFor();
    const drawn = await canvas.evaluate((element) => {
      const { width, height } = element as HTMLCanvasElement;
      const { data } = (element as HTMLCanvasElement).getContext("2d")!.getImageData(0, 0, width, height);
      const rows: string[] = [];
      for (let y = 0; y < height; y++) {
        let row = "";
        for (let x = 0; x < width; x++) row += data[(y * width + x) * 4]! < 128 ? "#" : ".";
        rows.push(row);
      }
      return rows;
    });
    expect(drawn).deep.equal(DRAWN);
  });

  it("shows lights in their colours, and follows changes", async () => {
    const { page } = phone;
    view.show("device", { type: "strip", pin: 13, pixels: Uint8Array.of(255, 0, 0, 0, 0, 0) });
    await page.getByRole("img", { name: "1 of 2 lights are on" }).waitFor();
    const lamps = page.locator("figure.strip i");
    const colourOf = (index: number) =>
      lamps.nth(index).evaluate((lamp) => {
        const context = document.createElement("canvas").getContext("2d")!;
        context.fillStyle = getComputedStyle(lamp).backgroundColor;
        context.fillRect(0, 0, 1, 1);
        return [...context.getImageData(0, 0, 1, 1).data].slice(0, 3);
      });
    expect(await colourOf(0)).deep.equal([255, 0, 0]);
    const off = await colourOf(1);
    expect(off, "dark, but there").not.deep.equal([0, 0, 0]);
    view.show("device", { type: "strip", pin: 13, pixels: Uint8Array.of(0, 0, 255, 0, 0, 3) });
    view.show("device", { type: "pin", pin: 2, level: 1 });
    await page.getByRole("img", { name: "on", exact: true }).waitFor();
    await page.getByRole("img", { name: "2 of 2 lights are on" }).waitFor();
    const fromOff = async (index: number) =>
      Math.hypot(...(await colourOf(index)).map((value, channel) => value - (off[channel] ?? 0)));
    expect(await fromOff(1), "dim, and not off").within(8, (await fromOff(0)) / 3);
    const captions = await page.locator("figcaption").allTextContents();
    expect(captions).deep.equal(["e-ink, 12 × 3", "strip on pin 13", "LED on pin 2"]);
  });

  it("shows several devices, each with its state, its lights and a link to its pages", async () => {
    const others = [2, 3].map(
      (number): Shown => ({
        ...facts,
        name: `device-${number}`,
        pages: `http://127.0.0.${number}:8081/`,
        state: number === 2 ? "running" : "off",
        addresses: [`192.168.1.10${number}`],
      }),
    );
    const many = await openView({ facts: () => [facts, ...others] });
    try {
      const { page } = phone;
      await page.goto(many.url);
      await page.getByRole("heading", { name: "Virtual devices: 3" }).waitFor();
      many.show("device-2", { type: "pin", pin: 2, level: 1 });
      const card = page.getByRole("article").filter({ hasText: "device-2" });
      await card.getByRole("img", { name: "on", exact: true }).waitFor();
      expect(await page.getByRole("img").count(), "on the others' boards").equal(1);
      expect(await card.getByRole("link").getAttribute("href")).equal("http://127.0.0.2:8081/");
      expect(await page.locator(".state").allTextContents()).deep.equal([
        "asleep",
        "running",
        "switched off",
      ]);
      expect(await page.getByRole("status").textContent()).equal("1 running");
      expect(await overflowOf(page)).equal(0);
    } finally {
      await phone.page.goto(view.url);
      await phone.page.getByText("asleep").first().waitFor();
      many.close();
    }
  });

  it("fits a phone, and reports no errors", async () => {
    expect(await overflowOf(phone.page)).equal(0);
    expect(phone.problems).deep.equal([]);
  });

  it("says so when the simulator has exited", async () => {
    view.close();
    await phone.page.getByText("the simulator has ended").waitFor();
  });
});
