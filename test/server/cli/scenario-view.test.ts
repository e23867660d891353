// `skyslot sim --scenario FILE --view-port 0`, as a program: its page is there while it runs, and stays until it is interrupted.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";

const MAIN = fileURLToPath(new URL("../../../server/cli/main.ts", import.meta.url));
const SCENARIO = { devices: [{ name: "lamp", app: "base", count: 2 }], steps: [{ wait: 2 }] };

describe("skyslot sim --scenario with a view", function () {
  this.timeout(60_000);
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "skyslot-view-"));
    await writeFile(join(folder, "two.json"), JSON.stringify(SCENARIO));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  it("shows the end until it is interrupted, with the exit status of the scenario", async () => {
    const child = spawn(process.execPath, [
      ...["--import", "tsx", MAIN, "sim", "--scenario", join(folder, "two.json")],
      ...["--view-port", "0", "--speed", "20"],
    ]);
    const ended = once(child, "close");
    let output = "";
    const waiting = new Set<() => void>();
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (text: string) => {
        output += text;
        for (const look of waiting) look();
      });
    const until = (pattern: RegExp) =>
      new Promise<string>((resolve, reject) => {
        const look = () => {
          const found = pattern.exec(output);
          if (!found) return;
          waiting.delete(look);
          resolve(found[1] ?? "");
        };
        waiting.add(look);
        look();
        void ended.then(() => reject(new Error(output)));
      });
    try {
      const url = await until(/live view: (http:\S+)\//);
      await until(/stays open until (Ctrl-C)/);
      const events = await fetch(`${url}/events`);
      let text = "";
      for await (const piece of events.body!) {
        text += Buffer.from(piece).toString();
        if (/event: scene\ndata: .*\n\n/.test(text)) break;
      }
      const scene = JSON.parse(/event: scene\ndata: (.*)\n\n/.exec(text)![1]!);
      expect(scene).include({ end: "good", speed: 20 });
      expect(scene.devices.map(({ name }: { name: string }) => name)).deep.equal(["lamp-1", "lamp-2"]);
      child.kill("SIGINT");
      expect((await ended)[0]).equal(0);
    } finally {
      child.kill("SIGKILL");
    }
  });
});
