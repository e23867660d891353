// The page of a pair, /ota of its receiver, in a real browser: both images are uploaded, checked, installed on both, and taken back.

import { join } from "node:path";
import { expect } from "chai";
import type { Browser, Page } from "playwright-core";
import { OWNER_TOKEN } from "../../host-sim/desk/desk.js";
import { type LivePair, openLivePair } from "../journey/pair/live-pair.js";
import { pairImage } from "../journey/pair/pair-rig.js";
import { openBrowser, openPage, overflowOf, PHONE, requireChromium, type WatchedPage } from "./browser.js";

/** Both updates, with two trials of half a minute, and the way back take five minutes of the devices' time. */
const SPEED = 25;
/** Timeout for a single expectation, in real time; ten times what it takes. */
const PATIENCE_MS = 60_000;
const DESKTOP = { width: 1280, height: 900 };

const SHOTS = process.env.SKYSLOT_SHOTS;

describe("the page of a pair in a browser", function () {
  this.timeout(240_000);
  let stage: LivePair;
  let browser: Browser;
  let watched: WatchedPage;
  let page: Page;

  before(async function () {
    requireChromium(this);
    stage = await openLivePair({ speed: SPEED });
    browser = await openBrowser();
    watched = await openPage(browser, PHONE);
    page = watched.page;
    page.setDefaultTimeout(PATIENCE_MS);
  });
  after(async () => {
    await browser?.close();
    await stage?.close();
  });

  const region = (name: string) => page.getByRole("region", { name });
  const says = (text: string) => page.getByText(text, { exact: false }).first().waitFor();
  async function shot(name: string): Promise<void> {
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      for (const viewport of [PHONE.viewport, DESKTOP]) {
        await page.setViewportSize(viewport);
        expect(await overflowOf(page), `${name}, ${viewport.width} px`).equal(0);
        const file = `pair-${name}-${viewport.width}-${colorScheme}.png`;
        if (SHOTS) await page.screenshot({ path: join(SHOTS, file), fullPage: true });
      }
    }
    await page.setViewportSize(PHONE.viewport);
  }
  async function choose(name: string, files: { readonly image: string; readonly release?: string }) {
    const group = page.getByRole("group", { name });
    await group.getByLabel("Firmware file (.bin)").setInputFiles(files.image);
    await group.getByLabel("Its signed release (.jws)").setInputFiles(files.release ?? []);
  }
  const upload = () => page.getByRole("button", { name: "Upload", exact: true }).click();

  it("shows what both run, and that they fit", async () => {
    await page.goto(`${stage.url}/ota`);
    await region("Transmitter").getByText("Connected, compatible").waitFor();
    expect(await region("Receiver").getByText("1.0.0").count()).equal(1);
    expect(await region("Transmitter").getByText("1.0.0").count()).equal(1);
    await region("Both together").getByText("No newer version is known.").waitFor();
    await region("Log").getByText("Nothing yet.").waitFor();
    for (const name of ["Update both", "Give the update up", "Roll back both"])
      expect(await page.getByRole("button", { name }).count(), name).equal(0);
    await shot("idle");
  });

  it("sends nothing without a file, or without the owner's token", async () => {
    await upload();
    await says("Choose a file first.");
    await choose("Transmitter", await stage.files("transmitter", await pairImage("transmitter", "1.1.0")));
    await upload();
    await says("This needs the owner's token");
    await says("Nothing was installed.");
  });

  it("warns of an image that does not work with the other device, before anything is installed", async () => {
    await page.getByLabel("Owner’s token").fill(OWNER_TOKEN);
    await choose(
      "Transmitter",
      await stage.files("transmitter", await pairImage("transmitter", "1.4.0", { protocolVersion: 2 })),
    );
    await upload();
    await says("1.4.0 is uploaded.");
    await says(
      "The transmitter's image does not work with the receiver: it speaks protocol 2, this device 1",
    );
    await page.getByRole("button", { name: "Update the transmitter alone" }).waitFor();
    await shot("refused");
  });

  it("uploads both, one after the other, and has both installed", async () => {
    await choose("Receiver", await stage.files("receiver", await pairImage("receiver", "1.1.0")));
    await choose("Transmitter", await stage.files("transmitter", await pairImage("transmitter", "1.1.0")));
    await page.getByLabel("Install and restart by themselves").uncheck();
    await upload();
    await page.getByRole("button", { name: "Update both" }).waitFor();
    expect(await page.getByText("1.1.0 is uploaded.").count()).equal(2);
    await shot("uploaded");
    await page.getByRole("button", { name: "Update both" }).click();
    await says("1.1.0: the devices receive their images.");
    await page.getByRole("button", { name: "Give the update up" }).waitFor();
    await shot("under-way");
    await stage.until(() => stage.said("system 1.1.0 is installed on both devices"), "both are installed");
    await region("Log").getByText("1.1.0 was installed on both.").waitFor();
    await region("Receiver").getByText("1.1.0").waitFor();
    await region("Transmitter").getByText("1.1.0").waitFor();
    expect(await page.getByText("Uploaded", { exact: true }).count()).equal(0);
    await shot("installed");
  });

  it("takes both back, once their owner has confirmed that", async () => {
    const questions: string[] = [];
    page.on("dialog", (dialog) => {
      questions.push(dialog.message());
      void dialog.accept();
    });
    await page.getByRole("button", { name: "Roll back both" }).click();
    await region("Log").getByText("1.1.0 was not installed: rolled back by the owner").waitFor();
    await region("Receiver").getByText("1.0.0").waitFor();
    await region("Transmitter").getByText("1.0.0").waitFor();
    expect(questions).deep.equal(["Take both devices back to the versions before?"]);
  });

  it("has the settings of the pair on the receiver's own page, and its password is not shown again", async () => {
    await page.getByRole("link", { name: "Status and settings" }).click();
    await page.getByLabel("Owner’s token", { exact: true }).fill(OWNER_TOKEN);
    const settings = region("Updates of the pair");
    await settings.getByLabel("A newer version of both").selectOption("is shown, and waits for you");
    await page.locator("#app-say").getByText("Saved.").waitFor();
    await settings.getByLabel("Password").fill("s3cret words");
    // the first answer asks for a proof of the token
    const stored = page.waitForResponse(
      (answer) => answer.request().method() === "POST" && answer.status() === 200,
    );
    await settings.getByLabel("Password").blur();
    await stored;
    await page.reload();
    await settings.getByLabel("A newer version of both").waitFor();
    expect(await settings.getByLabel("A newer version of both").inputValue()).equal(
      "is shown, and waits for you",
    );
    await page.waitForFunction(
      () => document.querySelector<HTMLInputElement>("#app-mqttPassword")?.value !== "",
    );
    expect(await settings.getByLabel("Password").inputValue()).equal("********");
    expect(await settings.getByLabel("Password").getAttribute("type")).equal("password");
  });

  it("has loaded nothing from other hosts and reported no errors but the expected refusals", () => {
    // while a device restarts, its page does not reach it
    const others = watched.problems.filter((text) => !/status of (401|409)|ERR_|Failed to fetch/.test(text));
    expect(others).deep.equal([]);
  });
});
