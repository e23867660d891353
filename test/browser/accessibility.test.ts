// Every page of the server, at rest and in use, in both colour schemes, on a notebook and on a phone: axe-core finds nothing.

import { expect } from "chai";
import type { Page } from "playwright-core";
import { PAGE_PATHS } from "../../server/dashboard/paths.js";
import { violationsOf } from "./axe.js";
import { PHONE } from "./browser.js";
import type { FleetStage } from "./fleet-stage.js";
import { type Operator, openOperator } from "./operator.js";

const NOTEBOOK = { width: 1280, height: 900 };
const DEVICE = "base-000001";

/** The other colours come last: all other rules see the same in both schemes. */
const LOOKS = [
  ["light", NOTEBOOK, "all"],
  ["light", PHONE.viewport, "all"],
  ["dark", PHONE.viewport, "colours"],
  ["dark", NOTEBOOK, "colours"],
] as const;

describe("what axe-core finds on the pages of the server", function () {
  this.timeout(180_000);
  let operator: Operator;
  let stage: FleetStage;
  let page: Page;

  before(async function () {
    operator = await openOperator(this, { prepare });
    ({ stage, page } = operator);
    await page.emulateMedia({ reducedMotion: "reduce" });
    await addContent(operator);
  });
  after(() => operator?.close());

  /** Nothing, however the page is looked at. It stays as it is. */
  async function isFine(name: string): Promise<void> {
    for (const [colorScheme, viewport, which] of LOOKS) {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize(viewport);
      expect(await violationsOf(page, which), `${name}, ${colorScheme}, ${viewport.width} px`).deep.equal([]);
    }
    await page.emulateMedia({ colorScheme: "light" });
    await page.setViewportSize(NOTEBOOK);
  }
  async function open(path: string): Promise<void> {
    await page.goto(stage.url + path);
    await page.getByText("live", { exact: true }).waitFor();
    await page.getByText("Loading…").waitFor({ state: "detached" });
  }
  const press = (name: string | RegExp) => page.getByRole("button", { name }).first().click();

  it("something where a label is missing", async () => {
    await open("/settings");
    await page.evaluate(() => document.querySelector("label")?.remove());
    expect((await violationsOf(page)).join()).to.match(/^label/);
  });

  for (const path of PAGE_PATHS) {
    it(`nothing on ${path}`, async () => {
      await open(path.replace("/devices/:id", `/devices/${DEVICE}`).replace(":id", "1"));
      await isFine(path);
    });
  }

  it("nothing on lists that are empty, and where there is no page", async () => {
    for (const path of [
      "/devices?search=nobody",
      "/devices?removed=yes",
      "/devices?approval=pending",
      "/devices/nobody",
      "/nowhere",
      "/setup",
    ]) {
      await page.goto(stage.url + path);
      await page.locator("h1, .empty, [role=alert]:not(:empty)").first().waitFor();
      await isFine(path);
    }
  });

  it("nothing while devices are chosen, and in the question before they are changed", async () => {
    await open("/devices");
    await page.getByLabel("All of this page").check();
    await isFine("devices chosen");
    await page.getByLabel("Action").selectOption("Change settings");
    await isFine("settings of many devices");
    await page.getByLabel("Action").selectOption("Remove and erase history");
    await press("Remove and erase history");
    await isFine("a dangerous question");
  });

  it("nothing in a question that is busy, and then refused", async () => {
    await open(`/devices/${DEVICE}`);
    await press("Remove");
    await isFine("the removal of a device");
    let refuse: () => unknown = () => {};
    await page.route("**/api/devices/*", (route) => {
      if (route.request().method() !== "DELETE") return route.continue();
      refuse = () => route.fulfill({ status: 500, json: { error: "INTERNAL", message: "it broke" } });
    });
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("button", { name: "Remove", exact: true }).click();
    await dialog.locator("[aria-disabled=true]").waitFor();
    await isFine("a question that is busy");
    await refuse();
    await dialog.getByText("It broke.").waitFor();
    await isFine("a question that was refused");
    await page.unroute("**/api/devices/*");
  });

  it("nothing in the upload of a release, as it is filled in and refused", async () => {
    await open("/ota-management");
    await press("Upload a release");
    await page.locator("input[type=file]").first().setInputFiles(stage.image("9.0.0"));
    await page.getByText(/base 9\.0\.0 for esp32/).waitFor();
    await isFine("an image without its manifest");
    await page.getByText("Not signed", { exact: true }).click();
    await isFine("an unsigned image");
  });

  it("nothing in a plan that is changed, shown and wrong", async () => {
    await open("/ota-management/rollouts/new?firmware=2");
    await page.getByText("Advanced").first().click();
    const share = page.getByRole("listitem", { name: "Stage 1" }).getByLabel("Up to (%)");
    const good = await share.inputValue();
    await share.fill("120");
    await page.getByRole("button", { name: "Show the plan" }).click();
    await page.getByText("Some fields are invalid.").waitFor();
    await isFine("all of the plan's fields, one of them wrong");
    await share.fill(good);
    await page.getByRole("button", { name: "Show the plan" }).click();
    await page.getByRole("region", { name: "The plan" }).getByText("would get it").waitFor();
    await isFine("a plan");
  });

  it("nothing in the questions of a rollout", async () => {
    await open("/ota-management/rollouts/1");
    await press(/^(Pause|Cancel)$/);
    await isFine("pause");
  });

  it("nothing in what is shown once: tokens, links, secrets", async () => {
    await open("/settings?part=webhooks");
    const webhook = page.getByRole("form", { name: "Add a webhook" });
    await webhook.getByLabel("URL").fill("ftp://example.com");
    await webhook.getByRole("button", { name: "Add webhook" }).click();
    await page.getByText(/has to be https: or http:/).waitFor();
    await isFine("a form that was refused");
    await page.getByRole("link", { name: "Users" }).click();
    await page.getByLabel("Role of bob").waitFor();
    await isFine("users");
    await page.getByRole("link", { name: "Device types" }).click();
    const token = page.getByRole("form", { name: "Create an enrolment token" });
    await token.getByLabel("Name").fill("batch 7");
    await token.getByRole("button", { name: "Create token" }).click();
    await page.getByText("The enrolment token, shown only now").waitFor();
    await isFine("device types, and a secret");
    await page.getByLabel("Firmware of base").selectOption("legacy");
    await page.getByRole("dialog").waitFor();
    await isFine("a select that asks first");
  });

  it("nothing in a picture that is made and assigned", async () => {
    await open("/upload");
    await page
      .getByLabel("Picture file")
      .setInputFiles({ name: "dot.png", mimeType: "image/png", buffer: DOT });
    await page.locator(".frame canvas").waitFor();
    await isFine("a picture");
  });

  it("nothing for someone who signs in, also after a wrong password", async () => {
    await open("/");
    await press("Sign out");
    await press("Sign in");
    await page.getByLabel("Name").fill("ada");
    await page.getByLabel("Password", { exact: true }).fill("not the password");
    await press("Sign in");
    await page.locator(".failure:not(:empty)").waitFor();
    await isFine("a wrong password");
    await page.goto(`${stage.url}/api/nowhere/at-all`, { waitUntil: "commit" });
    await page.goto(`${stage.url}/nowhere/at-all`);
    await isFine("no such page");
  });
});

/** A release that half of the devices roll back, so that its rollout pauses; a draft of the next; one that all have. */
async function prepare(stage: FleetStage): Promise<void> {
  let endedCount = 0;
  await stage.register(12, () => (endedCount++ % 2 === 0 ? "roll back" : "validate"));
  await stage.upload("1.1.0");
  await stage.upload("1.2.0");
  await stage.upload("0.9.0", true);
}

/** One pixel. */
const DOT = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  "base64",
);

async function addContent({ ask, stage }: Operator): Promise<void> {
  const must = async (path: string, body: unknown, method = "POST") => {
    const answer = await ask(method, path, body);
    if (!answer.ok) throw new Error(`${path} was answered ${answer.status}: ${await answer.text()}`);
  };
  await must("/api/rollouts", {
    firmware_id: 1,
    name: "Spring",
    stages: [
      { percent: 50, soak_seconds: 0, min_validated: 1 },
      { percent: 100, name: "everyone" },
    ],
    seed: "spring",
  });
  await must("/api/rollouts/1/start", {});
  await stage.act(6);
  await must("/api/rollouts", { firmware_id: 2, name: "Summer", stages: [{ percent: 100 }] });
  await must("/api/devices/labels", { devices: [DEVICE], add_tags: ["lab", "hall"], group: "berlin" });
  await must("/api/users", { name: "bob", role: "viewer" });
  await must("/api/webhooks", { url: "http://127.0.0.1:9/hook", events: ["rollout.*"] });
  const form = new FormData();
  form.set("name", "menu");
  form.set("file", new Blob([Buffer.concat([Buffer.from("P4\n8 8\n"), Buffer.alloc(8, 0xaa)])]), "menu.pbm");
  await must("/api/content-admin/images", form);
  await must("/api/content-admin/assignments", { image_id: 1, target: { kind: "type", name: "base" } });
}
