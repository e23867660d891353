// What lies in a device's flash when it starts. The kind: something stored that cannot be used (an address, a value of another type, too
// long, a store without room) makes an adapter throw at each boot, so that the device restarts for ever, in safe mode too.

import { expect } from "chai";
import { HOME, OWNER_TOKEN } from "../../host-sim/desk/desk.js";
import type { Nvs } from "../../host-sim/hardware/nvs/nvs.js";
import { initNvs } from "../../host-sim/hardware/nvs/nvs-init.js";
import { Phone } from "../../host-sim/network/phone.js";
import { imageOf, type Rig, type RigOptions, setUpRig } from "./rig.js";

const TWENTY_MINUTES_MS = 1_200_000;
const BEFORE_THE_UPDATE_MS = 6_000;
const NAMESPACE = "skyslot";

describe("what a device finds in its flash", () => {
  let rig: Rig;
  afterEach(() => rig.close());

  const restarts = () => rig.events.filter(({ type }) => type === "restarted").length;
  const succeeded = () => rig.reports.some(({ status }) => status === "success");
  const lines = (text: string) => rig.trace.filter((line) => line.includes(text)).length;
  const run = (ms = TWENTY_MINUTES_MS) => rig.desk.world.runFor(ms);

  /** A device that was set up before, and whose NVS holds more. */
  async function start(fill: (nvs: Nvs) => void, options: Partial<RigOptions> = {}): Promise<void> {
    rig = await setUpRig({ manual: true, ...options });
    const { flash, partitions } = rig.desk.device;
    const { nvs } = initNvs(flash, partitions);
    if (!nvs) throw new Error("NVS cannot be mounted");
    const settings = {
      layout: "1",
      networks: JSON.stringify([[HOME.ssid, HOME.password]]),
      "push.token": OWNER_TOKEN,
    };
    for (const [key, value] of Object.entries(settings))
      expect(nvs.set(NAMESPACE, key, "str", value)).equal("ESP_OK");
    fill(nvs);
    rig.desk.device.powerOn();
  }
  const store = (key: string, value: string) => (nvs: Nvs) =>
    expect(nvs.set(NAMESPACE, key, "str", value)).equal("ESP_OK");

  /** Asked by a phone in its network. */
  async function health() {
    const { world, network } = rig.desk;
    const address = rig.trace.join("\n").match(/address (\d+\.\d+\.\d+\.\d+)/)![1]!;
    const phone = new Phone({ world, network, name: "phone", mac: "02:00:00:00:00:77" });
    let answer: { readonly text: string } | undefined;
    const ask = async () => {
      await phone.join(HOME.ssid, HOME.password);
      answer = await phone.get("/api/health", address);
    };
    void ask();
    await world.runUntil(() => answer !== undefined, { limitMs: 60_000 });
    return JSON.parse(answer!.text);
  }
  const problems = async (): Promise<string[]> =>
    (await health()).problems.map(({ code }: { code: string }) => code);

  describe("an update server that cannot be asked", () => {
    for (const server of [
      "ftp://updates.example.com",
      "updates.example.com",
      "http://",
      "http://updates.example.com:99999",
      "http://[::1]:8080",
      "http://user:password@updates.example.com",
      "http://0.0.0.0",
      "",
    ])
      it(`in its settings, ${JSON.stringify(server)}, is replaced by the build's, and told`, async () => {
        await start(store("server", server));
        await run();
        expect(succeeded(), "updated by the build's server").equal(true);
        expect(restarts(), "for the update").equal(1);
        expect(lines("The stored update server cannot be used"), "once a boot").equal(2);
        expect(await problems()).deep.equal(["SERVER_INVALID"]);
      });

    for (const server of ["ftp://updates.example.com", "", "http://a..b", "http://a b"])
      it(`in its build, ${JSON.stringify(server)}, leaves it without updates, but with its pages`, async () => {
        await start(() => {}, { image: await imageOf("base", "1.0.0", "esp32", { server }) });
        await run();
        expect(restarts()).equal(0);
        expect(lines("This build's update server cannot be asked")).equal(1);
        expect(await problems()).deep.equal(["BUILD_INVALID"]);
      });
  });

  for (const url of ["", "firmware/7", "ftp://cdn.example.com/7", "http://:80/", "http://1.2.3/7", "//"])
    it(`an offer to be downloaded from ${JSON.stringify(url)} is reported as malformed, and checks go on`, async () => {
      const lie: RigOptions["lie"] = async (request, honest) => {
        const answer = await honest();
        if (request.path !== "/api/ota/check" || !answer.body) return answer;
        const body = JSON.parse(new TextDecoder().decode(answer.body));
        if (!body.update_available) return answer;
        return { ...answer, body: new TextEncoder().encode(JSON.stringify({ ...body, download_url: url })) };
      };
      await start(() => {}, { lie });
      await run();
      expect(restarts()).equal(0);
      expect(rig.checks.length).above(5);
      expect(rig.reports[0]).include({ status: "failed", error_code: "RESPONSE_MALFORMED" });
    });

  describe("a value that cannot be read", () => {
    const bytes = new Uint8Array(40).fill(7);
    const FOREIGN: Readonly<Record<string, (nvs: Nvs) => void>> = {
      "a u32 of a newer version": (nvs) => nvs.set(NAMESPACE, "mode", "u32", 5),
      "numbers of every size": (nvs) => {
        for (const type of ["u8", "i8", "u16", "i16", "u32", "i32"] as const)
          nvs.set(NAMESPACE, type, type, 1);
        for (const type of ["u64", "i64"] as const) nvs.set(NAMESPACE, type, type, 1n);
      },
      "a blob": (nvs) => nvs.set(NAMESPACE, "thing", "blob", bytes),
      "twelve texts of 1 300 characters": (nvs) => {
        for (let i = 0; i < 12; i++) nvs.set(NAMESPACE, `text${i}`, "str", "x".repeat(1_300));
      },
      "two hundred keys": (nvs) => {
        for (let i = 0; i < 200; i++) nvs.set(NAMESPACE, `key${i}`, "u8", i & 255);
      },
    };
    for (const [what, fill] of Object.entries(FOREIGN))
      it(`under a name of another version, ${what}, is left alone`, async () => {
        await start(fill);
        await run();
        expect(succeeded()).equal(true);
        expect(restarts(), "for the update").equal(1);
        expect(await problems()).deep.equal([]);
      });

    const OWN: Readonly<Record<string, readonly [string, (nvs: Nvs) => void]>> = {
      "a number": ["server (mismatch)", (nvs) => nvs.set(NAMESPACE, "server", "u32", 1)],
      "a blob": ["boots (mismatch)", (nvs) => nvs.set(NAMESPACE, "boots", "blob", bytes)],
      "a number of 64 bits": [
        "check.seconds (mismatch)",
        (nvs) => nvs.set(NAMESPACE, "check.seconds", "u64", 1n),
      ],
      "3 999 characters": [
        "device.name (3999 characters, 40 are allowed)",
        store("device.name", "x".repeat(3_999)),
      ],
      "a record of 3 999 nested arrays": [
        "install (3999 characters, 1500 are allowed)",
        store("install", "[".repeat(3_999)),
      ],
    };
    for (const [what, [told, fill]] of Object.entries(OWN))
      it(`under a name of its own, ${what}, counts as absent, and is told once`, async () => {
        await start(fill);
        await run(BEFORE_THE_UPDATE_MS);
        expect(lines(`What is stored under these names is not used: ${told}.`)).equal(1);
        await run();
        expect(succeeded()).equal(true);
        expect(restarts(), "for the update").equal(1);
      });

    it("in all of them at once leaves a device as it came from the factory", async () => {
      await start((nvs) => {
        for (const { key } of [...nvs.list(NAMESPACE)]) nvs.set(NAMESPACE, key, "u8", 1);
      });
      await run(60_000);
      expect(restarts()).equal(0);
      expect(lines("setup network") + lines("portal")).above(0);
    });

    it("in a device's name for the network is replaced by the usual one", async () => {
      await start(store("device.id", "a b/../c"));
      await run(BEFORE_THE_UPDATE_MS);
      expect(restarts()).equal(0);
      expect(lines("The stored device id cannot be used")).equal(1);
      expect(rig.checks.at(-1))
        .property("device_id")
        .match(/^base-[0-9a-f]{6}$/);
    });
  });

  describe("a store that another namespace has filled", () => {
    /** Fills it with numbers of one entry each, until this number of entries is free. */
    const fill = (nvs: Nvs, freeCount: number) => {
      let error = "ESP_OK";
      for (let i = 0; error === "ESP_OK" && roomOf(nvs) > freeCount; i++)
        error = nvs.set("other", `key${i}`, "u8", i & 255);
    };
    /** Entries that a running firmware can still write; one page always stays empty. */
    const roomOf = (nvs: Nvs) => nvs.stats()!.available;

    for (const freeCount of [0, 1, 2, 3, 6, 9, 12, 20])
      it(`up to ${freeCount} entries leaves Wi-Fi, pages and checks, and an update that ends in time`, async () => {
        await start((nvs) => fill(nvs, freeCount));
        await run();
        expect(restarts(), "for the update").within(0, 1);
        expect(rig.checks.length).above(5);
        const failed = rig.reports.find(({ status }) => status === "failed");
        expect(succeeded() || failed?.error_code === "FLASH_FAILED", JSON.stringify(rig.reports)).equal(true);
        if (failed) expect(failed.error_message).include("ESP_ERR_NVS_NOT_ENOUGH_SPACE");
        expect(await problems()).include("STORE_FAILED");
      });

    it("of long pieces, so that only short values fit, is no different", async () => {
      await start((nvs) => {
        for (let i = 0; nvs.set("other", `text${i}`, "str", "x".repeat(1_700)) === "ESP_OK"; i++);
        for (let i = 0; nvs.set("other", `more${i}`, "str", "x".repeat(150)) === "ESP_OK"; i++);
      });
      await run();
      expect(restarts()).within(0, 1);
      expect(rig.checks.length).above(5);
    });

    it("before the device was ever set up lets a person join it to a network, until the next restart", async () => {
      rig = await setUpRig();
      const { flash, partitions } = rig.desk.device;
      fill(initNvs(flash, partitions).nvs!, 0);
      rig.desk.device.powerOn();
      await run();
      expect(restarts()).equal(0);
      expect(rig.checks.length).above(5);
      expect(rig.reports.find(({ status }) => status === "failed")).include({ error_code: "FLASH_FAILED" });
      expect(await problems()).deep.equal(["STORE_FAILED"]);
    });

    it("does not let an app that crashes restart the device for ever: it ends in safe mode", async () => {
      await start((nvs) => fill(nvs, 0), {
        image: await imageOf("crashes-in-app.ts", "1.0.0", "esp32", { type: "base" }),
      });
      await run();
      expect(restarts()).within(1, 2);
      expect(lines("safe mode: the last boot was not healthy, which cannot be counted")).equal(1);
      expect(rig.checks.length).above(5);
    });
  });
});
