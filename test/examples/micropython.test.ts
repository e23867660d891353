// examples/micropython updates a file that stands for its slot from a real server: on MicroPython's Unix port, and on CPython.

import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { arduinoImage, LegacyServer } from "../server/dialects/legacy-server.js";
import { BrokenLine } from "./broken-line.js";
import { run } from "./run.js";

const MODULE = fileURLToPath(new URL("../../examples/micropython", import.meta.url));
const RESTARTS = 42;

/** What a board's main.py does, with a file as the slot. */
const PROGRAM = `
import os, sys
sys.path.append(${JSON.stringify(MODULE)})
import skyslot_ota

class FileSlot:
    def __init__(self, size):
        self.size = size
        self.file = None
    def begin(self):
        if self.file:
            self.file.close()
        self.file = open("slot.bin", "wb")
    def write(self, piece):
        assert self.file.tell() % skyslot_ota.PIECE_BYTES == 0, "a block is written once"
        self.file.write(piece)
    def activate(self):
        self.file.close()
        with open("slot.bin", "rb") as image:
            if image.read(1) != b"\\xe9":
                raise OSError("not an image")
    def mark_valid(self):
        print("marked valid")
    def restart(self):
        sys.exit(${RESTARTS})

server, version, size = sys.argv[1:]
config = {"server_url": server, "device_id": "scales-1", "device_type": "scales", "current_version": version}
slot = FileSlot(int(size))
skyslot_ota.confirm(config, slot)
try:
    print("updated" if skyslot_ota.check_and_update(config, slot) else "nothing newer")
except (OSError, skyslot_ota.UpdateError) as error:
    print("no update:", error)
`;

for (const interpreter of ["micropython", "python3"])
  describe(`examples/micropython on ${interpreter}`, () => {
    let folder: string;
    let legacy: LegacyServer;
    let line: BrokenLine;
    const image = arduinoImage("a new firmware");
    before(function () {
      const folders = (process.env.PATH ?? "").split(delimiter);
      if (folders.some((each) => existsSync(join(each, interpreter)))) return;
      console.warn(`      skipped: no ${interpreter} (Debian package of the same name)`);
      this.skip();
    });
    beforeEach(async () => {
      folder = await mkdtemp(join(tmpdir(), "skyslot-micropython-"));
      await writeFile(join(folder, "board.py"), PROGRAM);
      legacy = await LegacyServer.open("scales");
      await legacy.server.listen();
      line = await BrokenLine.open(legacy.server.app.server);
      await legacy.upload(image, { version: "1.1.0" });
    });
    afterEach(async () => {
      await line?.close();
      await legacy?.close();
      if (folder !== undefined) await rm(folder, { recursive: true, force: true });
    });

    const start = (version = "1.0.0", slotBytes = 0x180000) =>
      run(interpreter, ["board.py", line.url, version, `${slotBytes}`], folder, {
        PYTHONDONTWRITEBYTECODE: "1",
      });

    it("updates, and is recorded as updated when the new version has confirmed itself", async () => {
      const first = await start();
      expect(first.status, first.output).to.equal(RESTARTS);
      expect((await readFile(join(folder, "slot.bin"))).equals(image)).to.be.true;
      expect(await legacy.server.lastAttempt()).to.include({ status: "installing" });
      const second = await start("1.1.0");
      expect(second.output).to.include("marked valid").and.include("nothing newer");
      expect(await legacy.server.lastAttempt()).to.include({ status: "success" });
    });

    it("continues where a connection broke", async () => {
      line.breakAfter("/api/ota/download", [4000, 5000]);
      const { status, output } = await start();
      expect(status, output).to.equal(RESTARTS);
      expect((await readFile(join(folder, "slot.bin"))).equals(image)).to.be.true;
      expect(line.heads.filter((head) => /\r\nrange: /i.test(head))).to.have.length(2);
    });

    it("refuses damaged bytes and an image that is too large, and stays as it is", async () => {
      expect((await start("1.0.0", 8192)).output).to.include(`image is ${image.length} bytes, slot is 8192`);
      expect(await legacy.server.lastAttempt()).to.include({
        status: "failed",
        error_code: "IMAGE_TOO_LARGE",
      });
      line.damage("/api/ota/download");
      legacy.server.nowMs += 86_400_000;
      expect((await start()).output).to.include("IMAGE_MISMATCH");
      expect(await legacy.server.lastAttempt()).to.include({
        status: "failed",
        error_code: "IMAGE_MISMATCH",
      });
    });

    it("reports that it was rolled back when the old version runs after an update", async () => {
      await start();
      await start();
      const { logs } = (await legacy.server.admin("GET", "/api/ota/admin/logs?status=failed")).json();
      expect(logs[0]).to.include({ error_code: "ROLLED_BACK" });
    });
  });
