import { readFile } from "node:fs/promises";
import { expect } from "chai";
import type { Page } from "playwright-core";
import { readUnsignedManifest } from "../../release/unsigned-manifest.js";
import { overflowOf, PHONE } from "./browser.js";
import type { ChosenFile, FleetStage } from "./fleet-stage.js";
import { type Operator, openOperator } from "./operator.js";

const DEVICE_COUNT = 20;
const PASSWORD = "correct horse battery";

/** One story in steps: each continues from the previous one. */
describe("an update of a fleet, from the browser", function () {
  this.timeout(120_000);
  let operator: Operator;
  let stage: FleetStage;
  let page: Page;
  /** Devices whose next update fails. */
  let failing = false;

  before(async function () {
    operator = await openOperator(this, { isSignedOut: true });
    ({ stage, page } = operator);
  });
  after(() => operator?.close());

  const menu = (name: string) =>
    page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name }).click();
  /** As if the file had been dropped there. */
  const drop = async (label: string, { name, buffer }: ChosenFile) => {
    const data = await page.evaluateHandle(
      ([fileName, base64]) => {
        const transfer = new DataTransfer();
        const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
        transfer.items.add(new File([bytes], fileName));
        return transfer;
      },
      [name, buffer.toString("base64")] as const,
    );
    await page.locator(".drop", { hasText: label }).dispatchEvent("drop", { dataTransfer: data });
  };

  it("begins with the first administrator, who signs in by the link that the server prints", async () => {
    await page.goto(stage.setupUrl);
    await page.getByLabel("Name").fill("ada");
    await page.getByLabel("New password").fill(PASSWORD);
    await page.getByRole("button", { name: "Create administrator" }).click();
    await page.getByText("No device has checked for updates yet").waitFor();
    await page.getByRole("button", { name: "Sign out" }).waitFor();
  });

  it("shows how to sign an image, and asks for no key", async () => {
    await stage.register(DEVICE_COUNT, () => (failing ? "roll back" : "validate"));
    await menu("Updates");
    await drop("Firmware image", { ...stage.image("1.1.0"), name: "it's $(reboot).bin" });
    await page.getByText(/base 1\.1\.0 for esp32/).waitFor();
    await page.getByLabel("Device type").fill("base");
    await page
      .getByText("npx skyslot release sign 'it'\\''s $(reboot).bin' --type base --key release.jwk", {
        exact: true,
      })
      .waitFor();
    await page.getByText("npx skyslot release sign-page --check sign.html", { exact: true }).waitFor();
    await page.getByText("not with what a server shows").waitFor();
    const chosen = await page
      .locator("input[type=file]")
      .evaluateAll((all) => all.map((each) => each.getAttribute("aria-label")));
    expect(chosen).deep.equal(["Firmware image", "Signed manifest"]);
    expect(await page.locator("textarea, input[type=password]").count()).equal(0);
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("button", { name: "Save the unsigned manifest" }).click(),
    ]);
    expect(download.suggestedFilename()).equal("base-1.1.0-esp32.unsigned.json");
    const unsigned = readUnsignedManifest(await readFile(await download.path(), "utf8"), "it");
    expect(unsigned).include({ type: "base", hardware: "esp32", project: "base", version: "1.1.0" });
  });

  it("uploads a signed image, and says when the server does not trust its key", async () => {
    const manifest = (release: string): ChosenFile => ({
      name: "base.release.jws",
      mimeType: "application/jose",
      buffer: Buffer.from(release),
    });
    const { image, release, foreign } = await stage.signed("1.1.0");
    await drop("it's $(reboot).bin", { ...stage.image("1.1.0"), buffer: image });
    await page.getByLabel("Signed manifest").setInputFiles(manifest("eyJ.no manifest"));
    await page.getByText(/^Release manifest: a compact JWS has three parts/).waitFor();
    await page.getByLabel("Signed manifest").setInputFiles(manifest(foreign));
    await page.getByRole("button", { name: "Upload", exact: true }).click();
    await page.getByText(/is not among the 1 trusted keys/).waitFor();
    await page.getByLabel("Signed manifest").setInputFiles(manifest(release));
    await page.getByText("base 1.1.0 for esp32", { exact: true }).waitFor();
    await page.getByRole("button", { name: "Upload", exact: true }).click();
    await page.getByText("base 1.1.0 is here, and is not offered yet").waitFor();
    await page.getByRole("row", { name: /just uploaded base 1\.1\.0/ }).waitFor();
  });

  it("shows the plan of a rollout in two stages before it begins", async () => {
    await page
      .getByRole("row", { name: /base 1\.1\.0/ })
      .getByRole("link", { name: "Roll out" })
      .click();
    await page.getByRole("heading", { name: "New rollout" }).waitFor();
    const first = page.getByRole("listitem", { name: "Stage 1" });
    const second = page.getByRole("listitem", { name: "Stage 2" });
    await page.getByLabel("Pace").selectOption("Careful");
    await page.getByText(/^1, 10, 50, then 100 %/).waitFor();
    expect(await first.isVisible()).equal(false);
    await page.getByLabel("Pace").selectOption("Normal");
    await page.getByText("Advanced: stages").click();
    await first.getByLabel("Up to (%)").fill("120");
    await page.getByRole("button", { name: "Show the plan" }).click();
    await page.getByText("A share above 0 and up to 100 %.").waitFor();
    await first.getByLabel("Up to (%)").fill("30");
    for (const each of [first, second]) await each.getByLabel("Soak time (min)").fill("0");
    await page.getByRole("button", { name: "Show the plan" }).click();
    const plan = page.getByRole("region", { name: "The plan" });
    await plan.getByText(`${DEVICE_COUNT} devices`, { exact: true }).waitFor();
    await plan.getByText("Anyone can register as a device of type base.").waitFor();
    await plan.getByText(`Nobody vouched for ${DEVICE_COUNT} devices that count`).waitFor();
    expect(await plan.getByRole("row").count()).equal(3);
    expect(await page.getByLabel("Pace").inputValue(), "stages of its own").equal("");
    await plan.getByRole("button", { name: "Start" }).click();
    await page.getByRole("heading", { name: "#1 base 1.1.0" }).waitFor();
    await page.getByText("running", { exact: true }).waitFor();
  });

  it("follows the devices of the first stage live, and opens the second by evidence", async () => {
    await stage.act(4);
    await page.getByRole("listitem", { name: /^Stage 30 %: done/ }).waitFor();
    await page.getByRole("listitem", { name: /^Stage 100 %: open/ }).waitFor();
    await page
      .getByText(/soaked/)
      .first()
      .waitFor();
  });

  it("pauses when devices roll back, and says why", async () => {
    failing = true;
    await stage.act(4);
    await page.getByText("paused", { exact: true }).waitFor();
    await page
      .getByText(/rolled back/i)
      .first()
      .waitFor();
    const row = page.getByRole("row").filter({ hasText: "ROLLED_BACK" }).first();
    await row.waitFor();
  });

  it("shows on a device's page what happened to it and why it is offered what it is", async () => {
    const row = page.getByRole("row").filter({ hasText: "ROLLED_BACK" }).first();
    const id = (await row.getByRole("link").textContent()) ?? "";
    await row.getByRole("link").click();
    await page.getByRole("heading", { name: id }).waitFor();
    await page
      .getByRole("region", { name: "Why this update" })
      .getByText(/1\.1\.0/)
      .first()
      .waitFor();
    await page.getByRole("region", { name: "Update to 1.1.0: failed" }).waitFor();
    await page.locator(".timeline").getByText("update failed").first().waitFor();
    await page.getByText("Vouched for by nobody").waitFor();
    await page.getByLabel("Tags", { exact: true }).fill("bench, beta");
    await page.getByRole("button", { name: "Save" }).click();
    await menu("Devices");
    await page.getByLabel("Tag", { exact: true }).selectOption("beta");
    await page.getByText("1–1 of 1").waitFor();
    await page.getByRole("link", { name: id }).waitFor();
    expect(await page.getByRole("table").getByRole("link").count()).equal(1);
  });

  it("continues when a person resumes it", async () => {
    failing = false;
    await menu("Updates");
    await page.getByRole("link", { name: "base 1.1.0" }).click();
    await page.getByRole("button", { name: "Resume" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Resume" }).click();
    await page.getByText("running", { exact: true }).waitFor();
    await page.getByRole("button", { name: "Cancel" }).click();
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Cancel" }).click();
    await page.getByRole("dialog").getByLabel("Reason").fill("enough for today");
    await page.getByRole("dialog").getByRole("button", { name: "Cancel" }).click();
    await page.getByText("enough for today").waitFor();
    await page.getByText("cancelled", { exact: true }).waitFor();
  });

  it("finds, pages through and tags devices by the keyboard alone", async () => {
    await page.goto(`${stage.url}/devices`);
    await page.getByLabel("Search").focus();
    await page.keyboard.type("00000a");
    await page.getByText("1–1 of 1").waitFor();
    await page.getByLabel("Select base-00000a").focus();
    await page.keyboard.press("Space");
    const bulk = page.getByRole("region", { name: "Change the selected devices" });
    await bulk.getByLabel("Action").focus();
    await page.keyboard.type("Add");
    await page.keyboard.press("Tab");
    await page.keyboard.type("lab");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await page.getByRole("dialog", { name: "Add a tag: 1 device?" }).waitFor();
    await page.getByRole("button", { name: "Add a tag: 1 device" }).focus();
    await page.keyboard.press("Enter");
    await bulk.getByText("1 device done").waitFor();
    await bulk.getByRole("button", { name: "Done" }).focus();
    await page.keyboard.press("Enter");
    await page.locator(".pill.tag").getByText("lab").waitFor();
  });

  it("has it all in the audit log, under the name of the user who did it", async () => {
    await menu("Audit");
    for (const action of ["rollout started", "rollout cancelled"])
      await page
        .locator(".audit li")
        .filter({ hasText: action })
        .filter({ hasText: "ada" })
        .first()
        .waitFor();
  });

  it("keeps users, tokens and device types under settings", async () => {
    await menu("Settings");
    const part = (name: string) =>
      page
        .getByRole("navigation", { name: "Parts of the settings" })
        .getByRole("link", { name, exact: true })
        .click();
    await part("Users");
    const users = page.getByRole("form", { name: "Add a user" });
    await users.getByLabel("Name").fill("ben");
    await users.getByRole("button", { name: "Add user" }).click();
    await page.getByText(/\/setup#/).waitFor();
    await part("Your account");
    const tokens = page.getByRole("form", { name: "Create a token" });
    await tokens.getByLabel("Name").fill("ci");
    await tokens.getByRole("button", { name: "Create token" }).click();
    await page.getByText("The token, shown only now").waitFor();
    await part("Device types");
    await page.getByLabel("Firmware of base").selectOption("legacy");
    await page.getByRole("dialog").getByRole("button", { name: "Accept unsigned firmware" }).click();
    await page.getByRole("row", { name: /^base/ }).getByText("not signed").waitFor();
    await page.getByRole("row", { name: /^base/ }).getByText("anyone can register").waitFor();
    await page
      .getByRole("row", { name: /^base/ })
      .getByRole("link", { name: `${DEVICE_COUNT} devices` })
      .waitFor();
  });

  it("fits a phone on every page, and reports no errors", async () => {
    await page.setViewportSize(PHONE.viewport);
    for (const path of [
      "/",
      "/ota-management",
      "/ota-management/rollouts/new",
      "/ota-management/rollouts/1",
      "/devices",
      "/devices/base-000001",
      "/audit",
      "/settings",
      "/nowhere",
    ]) {
      await page.goto(stage.url + path);
      if (path === "/nowhere") continue;
      await page.locator("main h1, main h2").first().waitFor();
      await page.getByText("live", { exact: true }).waitFor();
      expect(await overflowOf(page), path).equal(0);
    }
    // refusals that this story provokes on purpose, and the page that does not exist
    expect(operator.problems.filter((problem) => !/40[04]|422/.test(problem))).deep.equal([]);
  });

  it("shows no buttons to viewers", async () => {
    await page.context().clearCookies();
    await page.goto(`${stage.url}/ota-management/rollouts/1`);
    await page.getByRole("heading", { name: "base 1.1.0" }).waitFor();
    await page.getByRole("button", { name: "Last" }).waitFor(); // the list of devices comes after the heading
    expect(await page.locator("main button").allTextContents()).deep.equal(["First", "Back", "Next", "Last"]);
    await page.goto(`${stage.url}/audit`);
    await page.getByText("You do not have access to this page").waitFor();
  });
});
