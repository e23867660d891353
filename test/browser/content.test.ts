// The pages about panels in a real browser: a file becomes dots, is saved and assigned, and the device receives exactly these dots.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import type { Browser, Page } from "playwright-core";
import { pbmHeader } from "../../firmware/apps/cms/core/pbm.js";
import { encodePng } from "../../host-sim/sim/drawing.js";
import { type RunningServer, startServer } from "../../server/start.js";
import { openBrowser, openPage, overflowOf, PHONE, requireChromium, type WatchedPage } from "./browser.js";

const PATIENCE_MS = 30_000;
const PASSWORD = "correct horse battery";
const SIDE = 200;
/** Folder for screenshots of the pages, if wanted. */
const SHOTS = process.env.SKYSLOT_SHOTS;

/** A PNG, grey by grey. */
function png(width: number, height: number, greyOf: (x: number, y: number) => number): Buffer {
  const rgb = new Uint8Array(width * height * 3);
  for (let at = 0; at < width * height; at++)
    rgb.fill(greyOf(at % width, Math.floor(at / width)), at * 3, at * 3 + 3);
  return Buffer.from(encodePng(width, height, rgb));
}

/** Black blocks, no two rows or columns alike, so that any rotation or shift shows. */
const isBlack = (x: number, y: number): boolean => (x * x + 3 * y + ((x * y) >> 3)) % 7 < 3;

describe("the pages about panels in a browser", function () {
  this.timeout(120_000);
  let folder: string;
  let server: RunningServer;
  let browser: Browser;
  let watched: WatchedPage;

  before(async function () {
    requireChromium(this);
    browser = await openBrowser();
  });
  after(() => browser?.close());
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "skyslot-content-"));
    server = await startServer({ dataDir: folder, port: 0, settings: { openReads: false } });
    await post("/api/users", { name: "ada", role: "operator", password: PASSWORD });
    const check = { device_type: "cms", current_version: "1.0.0", current_build: 0 };
    for (const device_id of ["cms-hall", "cms-roof"]) await post("/api/ota/check", { device_id, ...check });
    await post("/api/devices/labels", { devices: ["cms-hall"], group: "berlin" });
  });
  afterEach(async () => {
    await watched?.close();
    await server?.close();
    await rm(folder, { recursive: true, force: true });
  });

  async function post(path: string, body: object): Promise<void> {
    const isDevice = path === "/api/ota/check";
    const answer = await fetch(server.url + path, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        ...(isDevice ? {} : { authorization: `Bearer ${server.adminToken}` }),
      },
      body: JSON.stringify(body),
    });
    if (!answer.ok) throw new Error(`${path} was answered ${answer.status}: ${await answer.text()}`);
  }

  /** Signed in. */
  async function open(path: string, size: object): Promise<Page> {
    watched = await openPage(browser, size);
    const { page } = watched;
    page.setDefaultTimeout(PATIENCE_MS);
    await page.goto(server.url + path);
    await page.getByLabel("Name").fill("ada");
    await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page
      .getByRole("heading", { name: path === "/upload" ? "New picture" : "What panels show" })
      .waitFor();
    watched.problems.length = 0;
    return page;
  }
  const choose = (page: Page, name: string, buffer: Buffer, mimeType = "image/png") =>
    page.getByLabel("Picture file").setInputFiles({ name, mimeType, buffer });
  /** The dots of the preview, as the rows of a PBM. */
  const previewRows = async (page: Page, width: number): Promise<Buffer> => {
    const black = (await page.evaluate(`(async () => {
      // The effect of a change is drawn within two frames.
      for (let frame = 0; frame < 2; frame++) await new Promise(requestAnimationFrame);
      const canvas = document.querySelector(".frame canvas");
      const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext("2d", { willReadFrequently: true });
      copy.drawImage(canvas, 0, 0);
      const { data } = copy.getImageData(0, 0, canvas.width, canvas.height);
      return Array.from({ length: data.length / 4 }, (_, at) => data[at * 4] === 0);
    })()`)) as boolean[];
    return pack(width, black.length / width, (x, y) => black[y * width + x] === true);
  };
  const shoot = async (page: Page, name: string): Promise<void> => {
    if (SHOTS) await page.screenshot({ path: join(SHOTS, `${name}.png`), fullPage: true });
  };
  const given = async (device: string): Promise<Buffer | number> => {
    const answer = await fetch(`${server.url}/api/content/${device}`);
    return answer.ok ? Buffer.from(await answer.arrayBuffer()) : answer.status;
  };

  it("bring a file to the panels of a group, dot by dot", async () => {
    const page = await open("/upload", { viewport: { width: 1280, height: 900 } });
    await choose(
      page,
      "blocks.png",
      png(SIDE, SIDE, (x, y) => (isBlack(x, y) ? 0 : 255)),
    );
    const rows = pack(SIDE, SIDE, isBlack);
    await page.getByRole("img", { name: "Preview of 200 × 200 dots" }).waitFor();
    expect((await previewRows(page, SIDE)).equals(rows), "the preview").equal(true);

    await page.getByLabel("Name").fill("Blocks");
    await page.getByRole("button", { name: "Save" }).click();
    const form = page.getByRole("form", { name: "Assign Blocks" });
    await form.getByRole("combobox", { name: "Shown by" }).selectOption("A group of devices");
    await form.getByRole("combobox", { name: "Group" }).fill("berlim");
    await form.getByRole("button", { name: "Assign" }).click();
    const doubt = page.getByRole("dialog", { name: "Is berlim right?" });
    await doubt.getByText("No device is in a group berlim").waitFor();
    await doubt.getByRole("button", { name: "Close" }).click();
    await form.getByRole("combobox", { name: "Group" }).fill("berlin");
    await form.getByRole("button", { name: "Assign" }).click();
    await page.getByText("Assigned to group berlin").waitFor();
    await shoot(page, "upload-desktop");

    const pbm = (await given("cms-hall")) as Buffer;
    expect(pbm.equals(Buffer.concat([Buffer.from(pbmHeader(SIDE, SIDE)), rows])), "the device's").equal(true);
    expect(await given("cms-roof"), "one of no group").equal(404);
    expect(await overflowOf(page)).equal(0);
    expect(watched.problems).deep.equal([]);
  });

  it("crop with the keyboard and the mouse, dither in four ways, and refuse a file that is not a picture", async () => {
    const page = await open("/upload", PHONE);
    await choose(page, "notes.txt", Buffer.from("no picture"), "text/plain");
    await page
      .getByRole("alert")
      .getByText("notes.txt cannot be read by this browser as a picture")
      .waitFor();
    await choose(
      page,
      "ramp.png",
      png(600, 300, (x) => (x * 255) / 599),
    );
    const preview = () => previewRows(page, SIDE).then((rows) => rows.toString("hex"));
    const looks = new Set([await preview()]);
    /** A new appearance of the preview. */
    const expectNew = async (what: string) => {
      const count = looks.size;
      looks.add(await preview());
      expect(looks.size, what).equal(count + 1);
    };
    for (const method of ["Atkinson", "Ordered", "Threshold"]) {
      const label = await page
        .getByRole("combobox", { name: "Dots" })
        .locator("option", { hasText: method })
        .textContent();
      await page.getByRole("combobox", { name: "Dots" }).selectOption(label ?? "");
      await expectNew(method);
    }
    const stage = page.getByRole("application", { name: /^Crop/ });
    await stage.focus();
    await stage.press("Shift+ArrowRight");
    await expectNew("moved");
    const moved = await preview();
    await stage.press("ArrowLeft");
    await stage.press("ArrowRight");
    expect(await preview(), "there and back").equal(moved);
    await stage.press("+");
    await expectNew("zoomed");
    await page.getByRole("button", { name: "Fit" }).click();
    await expectNew("fitted");
    await page.getByRole("button", { name: "Turn" }).click();
    await expectNew("turned");
    await page.getByRole("button", { name: "Fill" }).click();
    const box = (await stage.boundingBox())!;
    const before = await preview();
    await page.mouse.move(box.x + 50, box.y + 50);
    await page.mouse.down();
    await page.mouse.move(box.x + 50, box.y + 110, { steps: 4 });
    await page.mouse.up();
    expect(await preview(), "dragged").not.equal(before);
    await page.getByLabel("Brightness").fill("40");
    await expectNew("brighter");
    await page.getByRole("combobox", { name: "Dots" }).selectOption({ index: 0 });
    await page.getByRole("combobox", { name: "Panel" }).selectOption("400 × 300 (4.2″)");
    await page.getByRole("img", { name: "Preview of 400 × 300 dots" }).waitFor();
    await page.getByRole("combobox", { name: "Panel" }).selectOption("Another size");
    await page.getByLabel("Pixels wide").fill("123");
    await page.getByLabel("Pixels wide").blur();
    await page.getByRole("img", { name: "Preview of 123 × 300 dots" }).waitFor();
    await shoot(page, "upload-phone");
    expect(await overflowOf(page)).equal(0);
    expect(watched.problems).deep.equal([]);
  });

  it("show and end assignments, and delete a picture that is not assigned", async () => {
    const page = await open("/upload", { viewport: { width: 1280, height: 900 }, colorScheme: "dark" });
    await choose(
      page,
      "ramp.png",
      png(300, 300, (x, y) => (Math.hypot(x - 150, y - 150) * 255) / 212),
    );
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByRole("form", { name: "Assign ramp" }).waitFor();
    await page.getByRole("link", { name: "All pictures" }).click();
    const picture = page.getByRole("listitem", { name: "ramp", exact: true });
    await picture.getByRole("img", { name: "Picture ramp" }).waitFor();
    await picture.getByRole("button", { name: "Assign" }).click();
    const form = picture.getByRole("form");
    await form.getByRole("combobox", { name: "Shown by" }).selectOption("A device type");
    await form.getByRole("combobox", { name: "Device type" }).fill("cms");
    await form.getByLabel("Until").fill("2099-01-01T00:00");
    await form.getByLabel("Only at certain times of the week").check();
    for (const day of ["Sat", "Sun"]) await form.getByLabel(day).check();
    await form.getByLabel("Each day from").fill("00:00");
    await form.getByRole("textbox", { name: "To" }).fill("00:00");
    await shoot(page, "admin-form");
    await form.getByRole("button", { name: "Assign", exact: true }).click();
    const assignment = page.getByRole("listitem", { name: "ramp to type cms" });
    await assignment.getByText("until 1 Jan 2099, 00:00 · daily all day").waitFor();
    await assignment.getByText("in force").waitFor();
    await page.getByLabel("Device", { exact: true }).fill("cms-roof");
    await page.getByRole("button", { name: "What does it show?" }).click();
    await page.getByRole("img", { name: "What cms-roof shows" }).waitFor();
    await shoot(page, "admin-desktop");
    await page.setViewportSize({ width: 390, height: 844 });
    expect(await overflowOf(page)).equal(0);
    await shoot(page, "admin-phone");
    expect(watched.problems).deep.equal([]);

    await picture.getByRole("button", { name: "Delete" }).click();
    await picture.getByRole("button", { name: "Delete permanently" }).click();
    await picture.getByText("An assignment shows picture 1").waitFor();
    await assignment.getByRole("button", { name: "End: type cms" }).click();
    await page.getByText("Nothing is assigned yet.").waitFor();
    await picture.getByRole("button", { name: "Delete permanently" }).click();
    await page.getByText("There are no pictures yet.").waitFor();
    expect(await given("cms-roof")).equal(404);
  });
});

function pack(width: number, height: number, isOn: (x: number, y: number) => boolean): Buffer {
  const rowBytes = (width + 7) >> 3;
  const rows = Buffer.alloc(rowBytes * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) if (isOn(x, y)) rows[y * rowBytes + (x >> 3)]! |= 0x80 >> (x & 7);
  }
  return rows;
}
