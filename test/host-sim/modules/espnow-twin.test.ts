// The kind: skyslot-espnow.c, which keeps frames and results for XS, against its twin in the simulator: both are given the same commands,
// callbacks of the Wi-Fi task among them, and have to ask the same of ESP-NOW and give the same. The C is compiled for the host over stubs
// of ESP-IDF, which also notice a lock that is taken twice or held too long.

import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import type { Machine } from "../../../host-sim/machine/machine.js";
import { espNowFunctions } from "../../../host-sim/modules/espnow.js";
import type { HeardFrame } from "../../../host-sim/network/espnow-air.js";
import { randomStream } from "../../../host-sim/world/random.js";

const C = fileURLToPath(new URL("../../../firmware/platform/radio/skyslot-espnow.c", import.meta.url));
const HERE = fileURLToPath(new URL("native/", import.meta.url));
const EVERYBODY = 255;
const NO_MEMORY = 0x3067;
const ERROR_NAMES: Readonly<Record<number, string>> = { 0: "ESP_OK", [NO_MEMORY]: "ESP_ERR_ESPNOW_NO_MEM" };

const macOf = (device: number): string =>
  device === EVERYBODY ? "ff:ff:ff:ff:ff:ff" : `02:02:02:02:02:${device.toString(16).padStart(2, "0")}`;
const deviceOf = (mac: string): number => Number.parseInt(mac.slice(-2), 16);
const bytesOf = (mac: string): Uint8Array =>
  Uint8Array.from(mac.split(":"), (digits) => Number.parseInt(digits, 16));

/** What the twin does with a script as espnow-driver.c has it. */
function twin(script: readonly string[]): string[] {
  const lines: string[] = [];
  const state = { isJoined: false, now: 0, error: 0, isStarted: false };
  const espNow = {
    onReceived: (_: HeardFrame) => {},
    onSent: (_: string, __: boolean) => {},
    set isPowerSaving(isOn: boolean) {
      lines.push(`asleep ${Number(isOn)}`);
    },
    init() {
      state.isStarted = true;
      return "ESP_OK";
    },
    deinit() {
      state.isStarted = false;
      return "ESP_OK";
    },
    addPeer(mac: string) {
      lines.push(`add ${deviceOf(mac)}`);
      return "ESP_OK";
    },
    deletePeer(mac: string) {
      lines.push(`delete ${deviceOf(mac)}`);
      return "ESP_OK";
    },
    send(mac: string, bytes: Uint8Array) {
      lines.push(`sends ${deviceOf(mac)} ${bytes[0]} ${bytes.length}`);
      return ERROR_NAMES[state.error];
    },
  };
  const radio = {
    espNow,
    isStarted: true,
    get joined() {
      return state.isJoined ? {} : undefined;
    },
    setChannel(channel: number) {
      lines.push(`channel ${channel}`);
      return "ESP_OK";
    },
  };
  const machine = { radio, uptimeMs: () => state.now } as unknown as Machine;
  const native = espNowFunctions(machine, (value) => value as Uint8Array) as Record<
    string,
    (...parameters: unknown[]) => number
  >;
  const record = new Uint8Array(259);
  const run: Readonly<Record<string, (...parameters: number[]) => unknown>> = {
    start: (channel) => lines.push(`= ${native.skyslot_radio_start!(channel)}`),
    tune: (channel) => lines.push(`= ${native.skyslot_radio_tune!(channel)}`),
    joined: (is) => {
      state.isJoined = is === 1;
    },
    wait: (ms) => {
      state.now += ms!;
    },
    send(number, device, length, error) {
      state.error = error!;
      const bytes = new Uint8Array(250).fill(number! & 0xff);
      lines.push(`= ${native.skyslot_radio_send!(number, bytesOf(macOf(device!)), bytes, length)}`);
    },
    heard(device, isBroadcast, rssi, length) {
      // the virtual driver brings no others (host-sim/network/espnow.ts)
      if (!state.isStarted || length! < 1 || length! > 250) return;
      const bytes = Uint8Array.from({ length: length! }, (_, i) => i);
      const to = macOf(isBroadcast === 1 ? EVERYBODY : 1);
      espNow.onReceived({ from: macOf(device!), to, bytes, rssi: rssi! });
    },
    left(device, status) {
      if (state.isStarted) espNow.onSent(macOf(device!), status === 0);
    },
    take() {
      const kind = native.skyslot_radio_take!(record);
      const length = [0, 9 + record[8]!, 5, 4][kind]!;
      lines.push(["took", kind, ...record.subarray(0, length)].join(" "));
    },
  };
  for (const line of script) {
    const [command, ...parameters] = line.split(" ");
    run[command!]!(...parameters.map(Number));
  }
  return lines;
}

describe("the virtual functions of skyslot-espnow.c", () => {
  const folder = mkdtempSync(join(tmpdir(), "skyslot-espnow-"));
  const program = join(folder, "driver");
  before(function () {
    try {
      execFileSync("cc", ["--version"], { stdio: "ignore" });
    } catch {
      console.log("      skipped: there is no C compiler");
      return this.skip();
    }
    const options = ["-std=gnu11", "-Wall", "-Werror", "-I", join(HERE, "stubs"), "-o", program];
    execFileSync("cc", [...options, C, join(HERE, "espnow-driver.c")]);
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  const inC = (script: readonly string[]): string[] =>
    execFileSync(program, { input: script.join("\n"), encoding: "utf8" })
      .split("\n")
      .slice(0, -1);

  /** What both do, which is the same. */
  function both(...script: string[]): string[] {
    const lines = inC(script);
    expect(twin(script)).deep.equal(lines);
    return lines;
  }

  const repeated = (count: number, line: (i: number) => string) =>
    Array.from({ length: count }, (_, i) => line(i));
  const started = ["add 255", "asleep 0", "channel 1", "= 0"];

  it("start without sleep on the channel, and stay on that of a network", () => {
    expect(both("start 1", "joined 1", "tune 5", "start 7")).deep.equal([
      ...started,
      "= 0",
      "add 255",
      "asleep 0",
      "= 0",
    ]);
  });

  it("keep 32 frames, tell how many were dropped, and go on", () => {
    const lines = both(
      "start 1",
      ...repeated(40, (i) => `heard ${i} 1 -70 3`),
      ...repeated(34, () => "take"),
      "heard 99 0 -128 250",
      "take",
    );
    expect(lines.slice(4, 6)).deep.equal([
      "took 1 2 2 2 2 2 0 186 1 3 0 1 2",
      "took 1 2 2 2 2 2 1 186 1 3 0 1 2",
    ]);
    expect(lines.slice(36, 38)).deep.equal(["took 3 8 0 0 0", "took 0"]);
    expect(lines[38]).match(/^took 1 2 2 2 2 2 99 128 0 250 0 1 .* 249$/);
  });

  it("leave out frames that are empty, or longer than those of version 1", () => {
    expect(both("start 1", "heard 5 1 -70 0", "heard 5 1 -70 251", "take").at(-1)).equal("took 0");
  });

  it("give results in the order of sending, whatever order they come in", () => {
    const lines = both(
      "start 1",
      "send 257 5 10 0",
      "send 2 6 10 0",
      "left 6 0",
      "take",
      "left 5 1",
      "take",
      "take",
      "take",
    );
    expect(lines.slice(-4)).deep.equal(["took 0", "took 2 1 1 0 0 0", "took 2 2 0 0 0 1", "took 0"]);
  });

  it("take six at once, and none that is empty or too long", () => {
    const lines = both(
      "start 1",
      ...repeated(7, (i) => `send ${i} 255 1 0`),
      "send 8 255 0 0",
      "send 9 255 251 0",
    );
    expect(lines.slice(-3)).deep.equal(["= 12392", "= 12390", "= 12390"]);
  });

  it("tell a frame that was refused as not acknowledged, behind those before it", () => {
    const lines = both(
      "start 1",
      "send 1 255 9 0",
      `send 2 255 9 ${NO_MEMORY}`,
      "take",
      "left 255 0",
      "take",
      "take",
    );
    expect(lines.slice(-3)).deep.equal(["took 0", "took 2 1 0 0 0 1", "took 2 2 0 0 0 0"]);
  });

  it("give up a frame that is never reported after a second", () => {
    const lines = both("start 1", "send 1 5 9 0", "wait 999", "take", "wait 1", "take", "left 5 0", "take");
    expect(lines.slice(-3)).deep.equal(["took 0", "took 2 1 0 0 0 0", "took 0"]);
  });

  it("give up what was under way when they are started anew", () => {
    const lines = both("start 1", "send 1 5 9 0", "start 1", "take", "send 2 5 9 0");
    expect(lines.slice(-4)).deep.equal(["took 2 1 0 0 0 0", "add 5", "sends 5 2 9", "= 0"]);
  });

  it("give the place of the device that was sent to longest ago to the twentieth", () => {
    const sendTo = (device: number) => [`send 1 ${device} 1 0`, `left ${device} 0`, "take"];
    const lines = both(
      "start 1",
      ...Array.from({ length: 19 }, (_, i) => i + 10).flatMap(sendTo),
      ...sendTo(10),
      ...sendTo(50),
    );
    expect(lines.slice(-5)).deep.equal(["delete 11", "add 50", "sends 50 1 1", "= 0", "took 2 1 0 0 0 1"]);
  });

  for (let seed = 1; seed <= 60; seed++)
    it(`do the same with a random script: seed ${seed}`, () => {
      const random = randomStream(seed);
      const below = (limit: number) => Math.floor(random() * limit);
      const device = () => (random() < 0.3 ? EVERYBODY : below(24));
      const length = () => [0, 1, 250, 251, below(251)][below(5)]!;
      const kinds = [
        () =>
          `send ${below(2 ** 31)} ${device()} ${Math.min(length(), 250)} ${random() < 0.1 ? NO_MEMORY : 0}`,
        () => `send ${below(1000)} ${device()} ${1 + below(250)} 0`,
        () => `left ${device()} ${below(2)}`,
        () => `heard ${device()} ${below(2)} ${-below(129)} ${length()}`,
        ...Array(4).fill(() => "take"),
        () => `wait ${[1, 100, 1000][below(3)]}`,
        () => (random() < 0.1 ? `start ${1 + below(13)}` : `tune ${1 + below(13)}`),
        () => `joined ${below(2)}`,
      ] as const;
      const script = repeated(400, () => kinds[below(kinds.length)]!());
      const lines = both("start 1", ...script);
      expect(new Set(lines.map((line) => line.split(" ").slice(0, 2).join(" "))).size).above(10);
    });
});
