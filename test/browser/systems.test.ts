// The systems of a server, as its page shows them.

import { expect } from "chai";
import type { Page } from "playwright-core";
import { readRelease } from "../../release/signing.js";
import { describeSystem, signSystem } from "../../release/system.js";
import { overflowOf, PHONE } from "./browser.js";
import type { FleetStage } from "./fleet-stage.js";
import { type Operator, openOperator } from "./operator.js";

/** One story in steps: each continues from the previous one. */
describe("systems, in the browser", function () {
  this.timeout(120_000);
  let operator: Operator;
  let stage: FleetStage;
  let page: Page;

  before(async function () {
    operator = await openOperator(this);
    ({ stage, page } = operator);
  });
  after(() => operator?.close());

  const post = async (path: string, body: object) => {
    const answer = await operator.ask("POST", path, body);
    expect(answer.status).to.equal(201);
  };
  const release = (version: string): Promise<void> => stage.upload(version, true);
  async function manifest(version: string): Promise<string> {
    const { release } = readRelease((await stage.signed(version)).release);
    const system = describeSystem([{ name: "bell", release }], { name: "doorbell", created: 1_790_000_000 });
    return signSystem(system, JSON.parse(stage.key.buffer.toString()));
  }
  const row = (version: string) => page.getByRole("row").filter({ hasText: `doorbell ${version}` });

  it("are shown where there are any, with what keeps one back", async () => {
    await page.goto(`${stage.url}/ota-management`);
    await page.getByRole("heading", { name: "Releases" }).waitFor();
    expect(await page.getByRole("heading", { name: "Systems" }).count()).to.equal(0);
    await post("/api/v1/systems", { manifest: await manifest("1.1.0") });
    await page.reload();
    await page.getByRole("heading", { name: "Systems" }).waitFor();
    await row("1.1.0").getByText("incomplete").waitFor();
    await row("1.1.0").getByText("base 1.1.0 for esp32 is not here").waitFor();
  });

  it("are published once their releases are here, with a warning of those that are offered alone", async () => {
    await release("1.1.0");
    await row("1.1.0").getByText("published").waitFor();
    await row("1.1.0").getByText("offered without the others: bell").waitFor();
  });

  it("are uploaded as the next version, and withdrawn", async () => {
    await page.getByLabel("Next version of a system").setInputFiles({
      name: "doorbell-1.2.0.system.jws",
      mimeType: "text/plain",
      buffer: Buffer.from(`${await manifest("1.2.0")}\n`),
    });
    await row("1.2.0").getByText("incomplete").waitFor();
    await page.getByLabel("Next version of a system").setInputFiles({
      name: "other.jws",
      mimeType: "text/plain",
      buffer: Buffer.from("no manifest"),
    });
    await page.getByText("three parts with dots").waitFor();
    await row("1.1.0").getByLabel("active").click();
    await row("1.1.0").getByText("inactive").waitFor();
    await row("1.1.0").getByLabel("active").click();
    await row("1.1.0").getByText("published").waitFor();
  });

  it("fit on a phone", async () => {
    await page.setViewportSize(PHONE.viewport);
    expect(await overflowOf(page)).to.be.at.most(0);
  });
});
