// The setup page's script, driven as a finger would, against the real portal; and what can be said of the page without a browser.

import { expect } from "chai";
import type { Network } from "../../../firmware/core/event.js";
import { setupPage } from "../../../firmware/portal/setup-page.js";
import { PAGE_STRINGS, SCRIPT_STRINGS } from "../../../firmware/portal/strings.js";
import { PhoneBrowser } from "./phone-browser.js";

const network = (ssid: string, rssi: number, secured = true): Network => ({
  ssid,
  rssi,
  secured,
  channel: 1,
});
const HOME = [network("home", -50), network("café", -60, false), network("far", -80)];

describe("the setup page", () => {
  let phone: PhoneBrowser;

  beforeEach(() => {
    phone = new PhoneBrowser();
    phone.send({ type: "portalOpened" });
  });

  afterEach(() => {
    phone.close();
    expect(phone.errors).to.deep.equal([]);
  });

  async function opened(networks: readonly Network[] = HOME): Promise<void> {
    phone.scanned(networks);
    await phone.open();
  }

  const inputOf = (id: string): HTMLInputElement => phone.element<HTMLInputElement>(id);

  describe("choosing", () => {
    it("says that it looks, then lists what the scan found", async () => {
      await phone.open();
      expect(phone.view()).to.equal("choose");
      expect(phone.text("empty")).to.equal(SCRIPT_STRINGS.scanning);
      phone.scanned(HOME);
      await phone.advance(1500);
      expect(phone.rows().map((row) => row.firstChild?.textContent)).to.deep.equal(["home", "café", "far"]);
      expect(phone.element("empty").hidden).to.equal(true);
      expect(phone.text("status")).to.equal("3 networks found");
    });

    it("shows strength and lock, and says both to who cannot see them", async () => {
      await opened();
      expect(phone.rows().map((row) => row.dataset.bars)).to.deep.equal(["4", "3", "1"]);
      expect(phone.rows().map((row) => row.querySelector(".lock") !== null)).to.deep.equal([
        true,
        false,
        true,
      ]);
      expect(phone.rows().map((row) => row.textContent)).to.deep.equal([
        "home, strong signal, password needed",
        "café, good signal, no password",
        "far, weak signal, password needed",
      ]);
    });

    it("shows names as text, whatever they contain", async () => {
      const names = [
        "<img src=x onerror=alert(1)>",
        "</script><b>x",
        "&amp;",
        "a+b=c%d#e&f",
        "  ",
        "😀 🏠",
        "$& $1 {ssid}",
        "שלום",
      ];
      await opened(names.map((name, i) => network(name, -40 - i)));
      expect(phone.rows().map((row) => row.firstChild?.textContent)).to.deep.equal(names);
      expect(phone.document.querySelectorAll("#list img, #list b").length).to.equal(0);
      await phone.click(phone.rows()[6]!);
      expect(phone.text("form-title")).to.equal("Join $& $1 {ssid}");
    });

    it("scans again when asked, and only once at a time", async () => {
      await opened();
      await phone.click("rescan");
      await phone.click("rescan");
      expect(phone.requests.filter(({ path }) => path === "/api/scan").length).to.equal(1);
      expect(phone.element<HTMLButtonElement>("rescan").disabled).to.equal(true);
      phone.send({ type: "timerFired", timer: "scan" });
      phone.scanned([network("new", -45)]);
      await phone.advance(1500);
      expect(phone.rows().map((row) => row.firstChild?.textContent)).to.deep.equal(["new"]);
      expect(phone.element<HTMLButtonElement>("rescan").disabled).to.equal(false);
    });

    it("keeps the list and goes on by itself when the phone is dropped during a scan", async () => {
      await opened();
      await phone.click("rescan");
      phone.link = "down";
      await phone.advance(8000);
      expect(phone.rows().length).to.equal(3);
      expect(phone.text("status")).to.equal(SCRIPT_STRINGS.unreachable);
      phone.link = "up";
      phone.send({ type: "timerFired", timer: "scan" });
      phone.scanned([network("new", -45)]);
      await phone.advance(3000);
      expect(phone.rows().length).to.equal(1);
    });

    it("says so when there is no network", async () => {
      await opened([]);
      expect(phone.element("empty").hidden).to.equal(false);
      expect(phone.text("empty")).to.equal(SCRIPT_STRINGS.none);
    });

    it("keeps the focus on the same network when the list changes", async () => {
      await opened();
      phone.rows()[2]?.focus();
      await phone.click("rescan");
      phone.send({ type: "timerFired", timer: "scan" });
      phone.scanned([network("far", -40), ...HOME.slice(0, 2)]);
      await phone.advance(1500);
      expect(phone.document.activeElement?.firstChild?.textContent).to.equal("far");
      expect(phone.document.activeElement).to.equal(phone.rows()[0]);
    });
  });

  describe("entering", () => {
    it("asks for the password alone and focuses it", async () => {
      await opened();
      await phone.click(phone.rows()[0]!);
      expect(phone.view()).to.equal("enter");
      expect(phone.text("form-title")).to.equal("Join home");
      expect(phone.element("name-part").hidden).to.equal(true);
      expect(phone.document.activeElement?.id).to.equal("password");
    });

    it("asks nothing for an open network", async () => {
      await opened();
      await phone.click(phone.rows()[1]!);
      expect(phone.element("password-part").hidden).to.equal(true);
      await phone.submit({});
      expect(phone.raised).to.deep.equal([{ type: "credentialsSubmitted", ssid: "café", password: "" }]);
    });

    it("takes a hidden network by hand", async () => {
      await opened();
      await phone.click("other");
      expect(phone.document.activeElement?.id).to.equal("ssid");
      await phone.submit({ ssid: " hid+den=%# ", password: "p&ss w=rd+%€" });
      expect(phone.raised).to.deep.equal([
        { type: "credentialsSubmitted", ssid: " hid+den=%# ", password: "p&ss w=rd+%€" },
      ]);
    });

    it("shows and hides the password", async () => {
      await opened();
      await phone.click(phone.rows()[0]!);
      expect(inputOf("password").type).to.equal("password");
      await phone.click("show");
      expect(inputOf("password").type).to.equal("text");
      expect(phone.element("show").getAttribute("aria-label")).to.equal("Hide password");
      await phone.click("show");
      expect(inputOf("password").type).to.equal("password");
    });

    const refused = [
      ["an empty name", { ssid: "", password: "" }, "ssid"],
      ["a name of 34 bytes", { ssid: "é".repeat(17), password: "" }, "ssid"],
      ["a password of 7 characters", { ssid: "a", password: "1234567" }, "password"],
      ["a password of 64 letters", { ssid: "a", password: "x".repeat(64) }, "password"],
    ] as const;
    for (const [label, values, field] of refused) {
      it(`refuses ${label} at once, beside the field`, async () => {
        await opened();
        await phone.click("other");
        await phone.submit(values);
        expect(phone.view()).to.equal("enter");
        expect(phone.raised).to.deep.equal([]);
        expect(inputOf(field).getAttribute("aria-invalid")).to.equal("true");
        expect(phone.text(`${field}-hint`)).to.match(/\.$/);
        expect(phone.document.activeElement?.id).to.equal(field);
      });
    }

    it("takes 32 and 63 bytes, and a key of 64 hex digits", async () => {
      await opened();
      for (const password of ["x".repeat(63), "0aF".padEnd(64, "9")]) {
        await phone.click("other");
        await phone.submit({ ssid: "n".repeat(32), password });
        expect(phone.raised.pop()).to.deep.equal({
          type: "credentialsSubmitted",
          ssid: "n".repeat(32),
          password,
        });
      }
    });

    it("goes back to the list, and forgets the password", async () => {
      await opened();
      await phone.click(phone.rows()[0]!);
      inputOf("password").value = "half-typed";
      await phone.click("back");
      expect(phone.view()).to.equal("choose");
      expect(phone.document.activeElement?.id).to.equal("list-title");
      await phone.click(phone.rows()[2]!);
      expect(inputOf("password").value).to.equal("");
    });
  });

  describe("joining", () => {
    async function submitted(): Promise<void> {
      await opened();
      await phone.click(phone.rows()[0]!);
      await phone.submit({ password: "password" });
    }

    const joinedHome = (): unknown => phone.send({ type: "online", address: "10.0.0.5", rssi: -50 });

    it("tells the new address and the name, as links", async () => {
      await submitted();
      expect(phone.view()).to.equal("progress");
      expect(phone.text("progress-title")).to.equal("Joining home");
      joinedHome();
      await phone.advance(1500);
      expect(phone.view()).to.equal("done");
      expect(phone.text("done-title")).to.equal("Connected to home");
      expect(phone.element<HTMLAnchorElement>("address").href).to.equal("http://10.0.0.5/");
      expect(phone.text("host-name")).to.equal("led-a1b2c3.local");
      expect(phone.document.activeElement?.id).to.equal("done-title");
      expect(inputOf("password").value).to.equal("");
    });

    for (const reason of ["wrong-password", "not-found", "no-address", "lost"] as const) {
      it(`tells the true reason of a failure: ${reason}`, async () => {
        await submitted();
        phone.send({ type: "joinFailed", ssid: "home", reason });
        await phone.advance(1500);
        expect(phone.view()).to.equal("enter");
        expect(phone.element("alert").hidden).to.equal(false);
        expect(phone.text("alert")).to.equal(`Could not join home${SCRIPT_STRINGS.reasons[reason]}`);
      });
    }

    it("lets a wrong password be corrected and then joins", async () => {
      await submitted();
      phone.send({ type: "joinFailed", ssid: "home", reason: "wrong-password" });
      await phone.advance(1500);
      expect(phone.document.activeElement?.id).to.equal("password");
      expect(inputOf("password").value).to.equal("password");
      await phone.submit({ password: "right-password" });
      expect(phone.element("alert").hidden).to.equal(true);
      joinedHome();
      await phone.advance(1500);
      expect(phone.view()).to.equal("done");
      expect(phone.raised.map(({ type }) => type)).to.deep.equal([
        "credentialsSubmitted",
        "credentialsSubmitted",
        "tokenChosen",
      ]);
    });

    it("survives the phone losing the device while it joins", async () => {
      await submitted();
      phone.link = "down";
      await phone.advance(6000);
      expect(phone.text("progress-text")).to.equal(SCRIPT_STRINGS.away);
      joinedHome();
      phone.link = "up";
      await phone.advance(2500);
      expect(phone.view()).to.equal("done");
    });

    it("says where the device is to be found when the setup network does not come back", async () => {
      await submitted();
      phone.link = "down";
      await phone.advance(30_000);
      expect(phone.text("progress-text"))
        .to.include("joined home")
        .and.to.include("http://led-a1b2c3.local/");
    });

    it("does not submit twice when only the answer was lost", async () => {
      await opened();
      await phone.click(phone.rows()[0]!);
      phone.link = "deaf";
      await phone.submit({ password: "password" });
      phone.link = "up";
      await phone.advance(3000);
      expect(phone.raised.length).to.equal(1);
      joinedHome();
      await phone.advance(1500);
      expect(phone.view()).to.equal("done");
    });

    it("submits again when the request itself was lost", async () => {
      await opened();
      await phone.click(phone.rows()[0]!);
      phone.link = "down";
      await phone.submit({ password: "password" });
      await phone.advance(3500);
      expect(phone.raised.length).to.equal(0);
      phone.link = "up";
      await phone.advance(2500);
      expect(phone.raised.length).to.equal(1);
    });

    it("gives hope after 20 s instead of standing still", async () => {
      await submitted();
      await phone.advance(25_000);
      expect(phone.text("progress-text")).to.equal(SCRIPT_STRINGS.long);
    });
  });

  describe("owning", () => {
    const TOKEN = /^[a-z2-9]{4}-[a-z2-9]{4}-[a-z2-9]{4}$/;

    async function choosing(stored: Readonly<Record<string, string>> = {}): Promise<void> {
      phone.close();
      phone = new PhoneBrowser(stored);
      phone.send({ type: "portalOpened" });
      await opened();
      await phone.click(phone.rows()[0]!);
    }
    async function join(): Promise<void> {
      phone.send({ type: "online", address: "10.0.0.5", rssi: -50 });
      await phone.advance(1500);
      expect(phone.view()).to.equal("done");
    }

    it("suggests a token to who sets up a new device, says what it is for, and shows it at the end", async () => {
      await choosing();
      const token = inputOf("owner").value;
      expect(token).to.match(TOKEN);
      expect(phone.text("owner-hint")).to.equal(SCRIPT_STRINGS.tokenHint);
      await phone.submit({ password: "password" });
      expect(phone.local.token).to.equal("");
      await join();
      expect(phone.local.token).to.equal(token);
      expect(phone.text("made")).to.equal(token);
      expect(phone.element("made-part").hidden || phone.element("made-hint").hidden).to.equal(false);
    });

    it("suggests another one when asked, and takes the owner's own", async () => {
      await choosing();
      const before = inputOf("owner").value;
      await phone.click("suggest");
      expect(inputOf("owner").value).to.match(TOKEN).and.not.equal(before);
      await phone.submit({ password: "password", owner: "my-own-token" });
      await join();
      expect(phone.local.token).to.equal("my-own-token");
    });

    for (const owner of ["seven77", "with a space", "x".repeat(65), "ümläut-token"])
      it(`refuses ${owner.slice(0, 12)} at once, beside the field`, async () => {
        await choosing();
        await phone.submit({ password: "password", owner });
        expect(phone.view()).to.equal("enter");
        expect(phone.text("owner-hint")).to.equal(SCRIPT_STRINGS.tokenWrong);
        expect(phone.document.activeElement?.id).to.equal("owner");
        expect(phone.raised).to.deep.equal([]);
      });

    it("goes without one when the field is emptied", async () => {
      await choosing();
      await phone.submit({ password: "password", owner: "" });
      await join();
      expect(phone.local.token).to.equal("");
      expect(phone.element("made-part").hidden).to.equal(true);
    });

    it("asks for none where there is one, or nobody has plugged the device in", async () => {
      for (const stored of [{ "push.token": "owner-token-1" }, { networks: '[["old","password"]]' }]) {
        await choosing(stored);
        expect(phone.element("owner-part").hidden).to.equal(true);
        await phone.submit({ password: "password" });
        expect(phone.requests.some(({ path }) => path === "/api/token")).to.equal(false);
        await join();
        expect(phone.element("made-part").hidden).to.equal(true);
      }
    });
  });

  describe("when it is opened later", () => {
    it("shows the result to a phone whose sheet was closed meanwhile", async () => {
      phone.send({ type: "online", address: "10.0.0.5", rssi: -50 });
      await phone.open();
      expect(phone.view()).to.equal("done");
      expect(phone.text("done-title")).to.equal("Connected");
    });

    it("goes on with a join that is under way", async () => {
      phone.scanned(HOME);
      const body = JSON.stringify({ ssid: "home", password: "password" });
      phone.send({
        type: "requestReceived",
        connection: 1,
        method: "POST",
        path: "/api/join",
        host: "",
        body,
      });
      await phone.open();
      expect(phone.view()).to.equal("progress");
      phone.send({ type: "joinFailed", ssid: "home", reason: "not-found" });
      await phone.advance(1500);
      expect(phone.view()).to.equal("enter");
      expect(inputOf("ssid").value).to.equal("home");
    });

    it("shows the list and why the saved network could not be joined", async () => {
      phone.send({ type: "joinFailed", ssid: "old", reason: "no-address" });
      await opened();
      expect(phone.view()).to.equal("choose");
      expect(phone.text("alert")).to.include("old").and.to.include("DHCP");
    });

    it("names the device", async () => {
      await opened();
      expect(phone.document.title).to.equal("Lamp");
      expect(phone.text("device")).to.equal("led-a1b2c3 · led 1.2.3");
    });
  });
});

describe("the setup page's text", () => {
  it("is at most 20 KB", () => {
    expect(Buffer.byteLength(setupPage)).to.be.within(4096, 20_000);
  });

  it("is ASCII, so that a server may count characters for bytes", () => {
    expect(setupPage).to.match(/^[\n -~]+$/);
  });

  it("loads nothing from anywhere", () => {
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
    for (const input of phone.document.querySelectorAll("input")) {
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
    it(`has a contrast of 4.5 and more in ${scheme}`, () => {
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
