import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import type { Page } from "playwright-core";
import { signReleaseFile } from "../../server/cli/release.js";
import { overflowOf, PHONE, requireChromium } from "./browser.js";
import type { FleetStage } from "./fleet-stage.js";
import { type Operator, openOperator } from "./operator.js";

/** One story in steps: each continues from the previous one. */
describe("what operators do from the browser", () => {
  let operator: Operator;
  let stage: FleetStage;
  let page: Page;
  let folder: string;
  let receiver: Server;

  before(async function () {
    requireChromium(this);
    folder = await mkdtemp(join(tmpdir(), "skyslot-operations-"));
    receiver = createServer((request, response) => {
      request.resume();
      response.writeHead(204).end();
    }).listen(0, "127.0.0.1");
    await once(receiver, "listening");
    operator = await openOperator(this, { prepare: (fleet) => fleet.register(10) });
    ({ stage, page } = operator);
  });
  after(async () => {
    await operator?.close();
    receiver?.close();
    if (folder) await rm(folder, { recursive: true, force: true });
  });

  it("upload an image that the command line has signed on another computer", async () => {
    const image = stage.image("1.1.0");
    const [firmware, key] = [join(folder, image.name), join(folder, "release.jwk")];
    await writeFile(firmware, image.buffer);
    await writeFile(key, stage.key.buffer);
    const { file } = await signReleaseFile(firmware, { key });
    await page.goto(`${stage.url}/ota-management`);
    await page.getByRole("radio", { name: "Signed", exact: true }).check();
    await page.getByLabel("Firmware image").setInputFiles(firmware);
    const upload = page.getByRole("button", { name: "Upload", exact: true });
    await page.getByText("base 1.1.0 for esp32, ").waitFor();
    expect(await upload.isDisabled()).equal(true);
    const other = stage.image("1.1.1");
    const manifest = await readFile(file);
    await page.getByLabel("Signed manifest").setInputFiles(file);
    await page.getByLabel("Firmware image").setInputFiles({ ...other });
    await page
      .getByText(/^The manifest is for another image: base 1\.1\.0 .* image is base 1\.1\.1/)
      .waitFor();
    expect(await upload.isDisabled()).equal(true);
    // Of the same version and size: only the server compares the digests.
    const damaged = Buffer.from(image.buffer);
    damaged[900] = (damaged[900] ?? 0) ^ 1;
    await page.getByLabel("Firmware image").setInputFiles({ ...image, buffer: damaged });
    await page.getByText("base 1.1.0 for esp32, ").waitFor();
    await upload.click();
    await page.getByText(/do not match the manifest/).waitFor();
    await page.getByLabel("Firmware image").setInputFiles(firmware);
    await page.getByText("base 1.1.0 for esp32, ").waitFor();
    await page.getByLabel("Notes").fill("Quicker");
    await upload.click();
    await page.getByText("base 1.1.0 is here, and is not offered yet").waitFor();
    const headers = { authorization: `Bearer ${stage.adminToken}` };
    const stored = await fetch(`${stage.url}/api/ota/admin/firmware/1`, { headers });
    expect(((await stored.json()) as { release: string }).release).equal(manifest.toString().trim());
  });

  it("change the notes of a release", async () => {
    const row = page.getByRole("row", { name: /base 1\.1\.0/ });
    await row.getByText("Quicker").waitFor();
    await row.getByRole("button", { name: "Notes" }).click();
    const notes = page.getByRole("dialog").getByLabel("Release notes");
    await notes.fill("Quicker\nand smaller");
    await page.getByRole("dialog").getByRole("button", { name: "Save the notes" }).click();
    await row.getByText("and smaller").waitFor();
  });

  it("change a draft and see its plan, and do not overwrite another user's concurrent change", async () => {
    const ask = (method: string, path: string, body: object, more: Record<string, string> = {}) =>
      fetch(stage.url + path, {
        method,
        headers: {
          authorization: `Bearer ${stage.adminToken}`,
          "content-type": "application/json",
          ...more,
        },
        body: JSON.stringify(body),
      });
    await ask("POST", "/api/rollouts", {
      firmware_id: 1,
      name: "spring",
      stages: [{ percent: 50, name: "canaries" }, { percent: 100 }],
      // The same devices in every run: a stage without any would be skipped.
      seed: "spring",
      needs_approval: true,
    });
    await page.goto(`${stage.url}/ota-management/rollouts/1`);
    await page.getByRole("link", { name: "Change" }).click();
    await page.getByLabel("Name").fill("summer");
    await page.getByRole("listitem", { name: "Stage 1" }).getByLabel("Up to (%)").fill("60");
    await page.getByRole("button", { name: "Show the plan" }).click();
    await page.getByRole("region", { name: "The plan" }).getByText("10 devices", { exact: true }).waitFor();
    await ask("PATCH", "/api/rollouts/1", { priority: 7 }, { "if-match": "*" });
    await page.getByRole("button", { name: "Save the changes" }).click();
    await page.getByText("has changed rollout 1 meanwhile").waitFor();
    await page.getByRole("button", { name: "Reset" }).click();
    await page.waitForFunction(() =>
      [...document.querySelectorAll("input")].some(({ value }) => value === "7"),
    );
    await page.getByText("Schedule and limits").click();
    expect(await page.getByLabel("Priority").inputValue()).equal("7");
    expect(await page.getByLabel("Name").inputValue()).equal("spring");
    await page.getByLabel("Name").fill("summer");
    await page.getByLabel("Only within time windows").check();
    await page.getByRole("button", { name: "Add a window" }).click();
    await page.getByRole("listitem", { name: "Window 2" }).getByLabel("Sat").check();
    await page.getByRole("listitem", { name: "Window 2" }).getByLabel("From").fill("22:00");
    await page.getByText("On the next day").waitFor();
    await page.getByLabel("Update timeout (min)").fill("45");
    await page.getByLabel("Requires approval by another person").uncheck();
    await page.getByRole("button", { name: "Show the plan" }).focus();
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "Save the changes" }).focus();
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "summer" }).waitFor();
    await page.getByText("changed by ada").waitFor();
    await page.getByText("Rollout settings").click();
    await page.getByText(/^Mon–Fri 02:00–05:00; Mon–Sat 22:00–05:00 /).waitFor();
    await page.getByText("45 min without progress").waitFor();
    await page.getByRole("link", { name: "Change" }).click();
    await page.getByText("Schedule and limits").click();
    await page.getByRole("button", { name: "Remove window 1" }).click();
    await page.getByLabel("Only within time windows").uncheck();
    await page.getByRole("button", { name: "Show the plan" }).click();
    await page.getByRole("button", { name: "Save the changes" }).click();
    await page.getByRole("button", { name: "Start" }).waitFor();
  });

  it("start it by the keyboard alone, with the focus kept when a button or a page disappears", async () => {
    const focused = () =>
      page.evaluate(() => {
        const { activeElement: element } = document;
        return element === document.body ? "nothing" : element?.id || element?.textContent;
      });
    await page.getByRole("button", { name: "Start" }).focus();
    await page.keyboard.press("Enter");
    await page.getByRole("dialog").waitFor();
    await page.keyboard.press("Escape");
    expect(await focused()).equal("Start");
    for (const key of ["Enter", "Tab", "Enter"]) await page.keyboard.press(key);
    await page.getByText("running", { exact: true }).waitFor();
    await page.getByRole("button", { name: "Start" }).waitFor({ state: "detached" });
    expect(await focused()).not.equal("nothing");
    await page.keyboard.press("Tab");
    expect(await focused()).equal("Change");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Change the rollout" }).waitFor();
    expect(await focused()).equal("content");
    await page.goBack();
  });

  it("change what is safe in a rollout that has begun, and choose where to roll back to", async () => {
    await page.getByRole("link", { name: "Change" }).click();
    await page.getByText("It has begun").first().waitFor();
    const first = page.getByRole("listitem", { name: "Stage 1" });
    expect(await first.getByLabel("Up to (%)").isDisabled()).equal(true);
    expect(await page.getByLabel("Release", { exact: true }).isDisabled()).equal(true);
    await first.getByLabel("Soak time (min)").fill("5");
    await page.getByLabel("Failures (%)").fill("40");
    await page.getByRole("button", { name: "Show the plan" }).click();
    await page.getByRole("button", { name: "Save the changes" }).click();
    await page.getByText("Rollout settings").click();
    await page.getByText("next stage after 5 min soak").first().waitFor();
    await page.getByText(/^40 % failed/).waitFor();
    const { release, image } = await stage.signed("1.0.5");
    const form = new FormData();
    form.set("release", release);
    form.set("is_stable", "false");
    form.set("file", new Blob([new Uint8Array(image)]), "base-1.0.5.bin");
    const headers = { authorization: `Bearer ${stage.adminToken}` };
    await fetch(`${stage.url}/api/ota/admin/upload`, { method: "POST", headers, body: form });
    await page.getByRole("button", { name: "Roll back" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("To", { exact: true }).selectOption({ label: "base 1.0.5 · older" });
    await dialog.getByText("Devices with Skyslot's firmware refuse a release that is not newer").waitFor();
    await dialog.getByRole("button", { name: "Roll back" }).click();
    await dialog.getByText(/is not newer than base 1\.1\.0/).waitFor();
    await page.keyboard.press("Escape");
    await page.getByText("running", { exact: true }).waitFor();
  });

  it("add a webhook, test it and remove it", async () => {
    const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hook`;
    await page.goto(`${stage.url}/settings?part=webhooks`);
    const form = page.getByRole("form", { name: "Add a webhook" });
    await form.getByLabel("URL").fill("ftp://example.com");
    await form.getByRole("button", { name: "Add webhook" }).click();
    await page.getByText(/has to be https: or http:/).waitFor();
    await form.getByLabel("URL").fill(url);
    await form.getByLabel("Other events").fill("content.*");
    await page.keyboard.press("Enter");
    await page.getByText(/^whsec_/).waitFor();
    const webhook = page.getByRole("listitem", { name: `Webhook ${url}` });
    await webhook.getByText("rollout.*, update.failed, content.*").waitFor();
    const received = once(receiver, "request") as Promise<[IncomingMessage]>;
    await webhook.getByRole("button", { name: "Send a test" }).click();
    expect((await received)[0].headers["webhook-signature"]).match(/^v1,/);
    await webhook.getByRole("row", { name: /webhook\.test.*delivered 204/ }).waitFor();
    await webhook.getByRole("button", { name: "Remove" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Remove" }).click();
    await webhook.waitFor({ state: "detached" });
  });

  it("make an enrolment token and revoke it", async () => {
    await page.getByRole("link", { name: "Device types" }).click();
    const form = page.getByRole("form", { name: "Create an enrolment token" });
    await form.getByLabel("Name").fill("batch 7");
    await form.getByLabel("Maximum devices").fill("50");
    await form.getByRole("button", { name: "Create token" }).click();
    await page.getByText("The enrolment token, shown only now").waitFor();
    const row = page.getByRole("listitem").filter({ hasText: "batch 7" });
    await row.getByText("any type · used by 0 of 50 · no expiry").waitFor();
    await row.getByRole("button", { name: "Revoke" }).click();
    await row.waitFor({ state: "detached" });
  });

  it("fits a phone, and reports no errors", async () => {
    await page.setViewportSize(PHONE.viewport);
    for (const path of ["/ota-management", "/ota-management/rollouts/1/edit", "/settings"]) {
      await page.goto(stage.url + path);
      await page.locator("main h1").first().waitFor();
      await page.getByText("live", { exact: true }).waitFor();
      expect(await overflowOf(page), path).equal(0);
    }
    // refusals that this story provokes on purpose
    expect(operator.problems.filter((problem) => !/40[049]|412|422/.test(problem))).deep.equal([]);
  });
});
