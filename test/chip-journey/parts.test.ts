import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { readAppDescription, verifyImageFile } from "../../host-sim/hardware/image/app-image.js";
import { buildFirmwareImage } from "../../host-sim/hardware/image/firmware-image.js";
import {
  newerThan,
  padded,
  paddedToAtLeast,
  relabelled,
  versionOf,
} from "../../scripts/chip-journey/images.js";
import { MemoryLog, worstOf } from "../../scripts/chip-journey/memory-log.js";
import { SerialLine } from "../../scripts/chip-journey/serial-line.js";
import { pause, until } from "../../scripts/chip-journey/waiting.js";

describe("images of a journey", () => {
  const image = buildFirmwareImage({
    chip: "esp32c3",
    version: "1.2.3",
    project: "base",
    bundle: "trace(1)",
  });

  it("boot with another version", () => {
    const copy = relabelled(image, "1.2.4");
    expect(verifyImageFile(copy, "esp32c3").ok).to.equal(true);
    expect(readAppDescription(copy)).to.include({ version: "1.2.4", project: "base" });
    expect(copy.length).to.equal(image.length);
  });

  it("are used unchanged if they are newer already", () => {
    expect(newerThan("1.2.2", image)).to.equal(image);
    expect(versionOf(newerThan("1.2.3", image))).to.equal("1.2.4");
    expect(versionOf(newerThan("3.0.9+7", image))).to.equal("3.0.10");
  });

  it("boot with exactly the requested size, in chunks that differ", () => {
    const large = padded(image, 0x40000);
    expect(large.length).to.equal(0x40000);
    expect(verifyImageFile(large, "esp32c3").ok).to.equal(true);
    const chunk = (index: number) => Buffer.from(large.subarray(index * 16_384, (index + 1) * 16_384));
    expect(chunk(4).equals(chunk(5))).to.equal(false);
    expect(versionOf(large)).to.equal("1.2.3");
    expect(() => padded(image, image.length)).to.throw(/cannot be padded/);
  });

  it("boot with at least the requested size where they are larger already", () => {
    expect(paddedToAtLeast(image, 0x40000).length).to.equal(0x40000);
    const large = paddedToAtLeast(image, 16);
    expect(large.length).to.be.within(image.length + 1, image.length + 64);
    expect(verifyImageFile(large, "esp32c3").ok).to.equal(true);
    expect(versionOf(large)).to.equal("1.2.3");
  });
});

describe("the memory log", () => {
  const KEY =
    "instruments key: Timers,System bytes free,CPU,Chunk used,Chunk available,Slot used,Slot available";

  it("keeps the worst of what an instrumented build prints", () => {
    const log = new MemoryLog();
    for (const line of [
      KEY,
      "instruments: 3,202000,9,29600,46112,32700,34816",
      "instruments: 3,187000,9,46000,46112,31000,34816",
    ])
      log.record(line);
    expect(log.take()).to.deep.equal({ lowestHeap: 187_000, slotPeak: 32_700, chunkPeak: 46_000 });
    expect(log.take()).to.deep.equal({});
  });

  it("ignores values with unknown names", () => {
    const log = new MemoryLog();
    log.record("instruments: 3,202000,9,29600,46112,32700,34816");
    log.record(KEY);
    log.record("instruments: 3,2020");
    expect(log.take()).to.deep.equal({});
  });

  it("also takes the free heap that a device reports", () => {
    const log = new MemoryLog();
    for (const heap of [5_000, 4_000, undefined, 0, 6_000]) log.noteHeap(heap);
    expect(log.take()).to.deep.equal({ lowestHeap: 4_000 });
  });

  it("finds the worst of several parts", () => {
    const worst = worstOf([
      { lowestHeap: 9, chunkPeak: 1 },
      {},
      { lowestHeap: 7, slotPeak: 3, chunkPeak: 2 },
    ]);
    expect(worst).to.deep.equal({ lowestHeap: 7, slotPeak: 3, chunkPeak: 2 });
  });
});

/** Opens a terminal and prints its name, writes a line, and hangs up, each on command; twice. */
const TERMINALS = `
import os, pty, sys
for turn in range(2):
    near, far = pty.openpty()
    print(os.ttyname(far), flush=True)
    sys.stdin.readline()
    os.write(near, b"turn %d\\r\\n" % turn)
    sys.stdin.readline()
    os.close(far)
    os.close(near)
    sys.stdin.readline()
`;
/** By then a serial line has noticed that its source was opened, or closed. */
const OPENED_MS = 600;

describe("a serial line", () => {
  const folder = mkdtempSync(join(tmpdir(), "skyslot-serial-"));
  let line: SerialLine | undefined;
  let server: Server | undefined;
  let terminals: ChildProcess | undefined;

  afterEach(() => {
    terminals?.kill();
    line?.close();
    server?.close();
  });
  after(() => rmSync(folder, { recursive: true }));

  const listenTo = (name: string) => {
    line = new SerialLine(name, 115_200, () => {});
    return line;
  };

  it("of an emulator is reopened when that comes back", async () => {
    const sockets: Socket[] = [];
    server = createServer((socket) => sockets.push(socket)).listen(0, "127.0.0.1");
    await new Promise((resolve) => server?.once("listening", resolve));
    const serial = listenTo(`127.0.0.1:${(server.address() as { port: number }).port}`);
    const first = await until("a connection", 5_000, () => sockets[0]);
    first.write("rst:0x1 (POWERON)\r\nhalf a li");
    first.write("ne\r\n");
    await serial.waitFor(/^half a line$/, 0, 5_000);
    first.destroy();
    const second = await until("another connection", 5_000, () => sockets[1]);
    second.write("rst:0x3 (RTC_SW_SYS_RST)\n");
    await serial.waitFor(/RTC_SW/, 2, 5_000);
    expect(serial.restartCount).to.equal(2);
    expect(serial.find(/POWERON/, 1), "what came before").to.equal(undefined);
  });

  it("in a file is followed while it grows, and when it is truncated", async () => {
    const path = join(folder, "log");
    const serial = listenTo(path);
    writeFileSync(path, "· boot 1: factory starts\n· device: base");
    await serial.waitFor(/boot 1/, 0, 5_000);
    appendFileSync(path, " 1.0.0\n");
    await serial.waitFor(/^· device: base 1\.0\.0$/, 0, 5_000);
    writeFileSync(path, "· boot 2: ota_0 starts\n");
    await serial.waitFor(/boot 2/, 0, 5_000);
    expect(serial.restartCount).to.equal(2);
  });

  it("at a terminal is set up by stty, and is released when it hangs up", async function () {
    if (process.platform === "win32" || spawnSync("python3", ["--version"]).status !== 0) {
      process.stdout.write("    skipped: it needs pseudo terminals, and python3 to make one\n");
      return this.skip();
    }
    terminals = spawn("python3", ["-c", TERMINALS], { stdio: ["pipe", "pipe", "inherit"] });
    const { stdin, stdout } = terminals;
    const names: string[] = [];
    stdout?.setEncoding("utf8").on("data", (text: string) => names.push(...text.split("\n").filter(Boolean)));
    const goOn = () => stdin?.write("\n");
    const serial = listenTo(await until("a terminal", 5_000, () => names[0]));
    await pause(OPENED_MS);
    goOn();
    await serial.waitFor(/^turn 0$/, 0, 5_000);
    goOn();
    await pause(OPENED_MS);
    goOn();
    expect(await until("another terminal", 5_000, () => names[1]), "the first was not let go").to.equal(
      names[0],
    );
    await pause(OPENED_MS);
    goOn();
    await serial.waitFor(/^turn 1$/, 0, 5_000);
  });
});
