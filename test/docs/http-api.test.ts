import { execFileSync } from "node:child_process";
import { expect } from "chai";
import { describeRelease } from "../../release/describe.js";
import { readRelease, signRelease } from "../../release/signing.js";
import { describeSystem, signSystem } from "../../release/system.js";
import { firstRoot } from "../release/root-holders.js";
import { arduinoImage } from "../server/dialects/legacy-server.js";
import { makeRelease, releaseKeys } from "../server/test-server.js";
import { readDocument, runDocument, type Stage } from "./document.js";
import { readBlocks } from "./markdown.js";

const DOCUMENT = "docs/http-api.md";

describe(DOCUMENT, () => {
  before(function () {
    try {
      execFileSync("jq", ["--version"], { stdio: "ignore" });
    } catch {
      console.warn("      skipped: no jq (Debian package of the same name)");
      this.skip();
    }
  });

  const opened = runDocument(DOCUMENT, { arrange });

  it("has a command for every call of the API, and none for another", async () => {
    const answer = await fetch(`${opened().stage.server.url}/api/docs/json`);
    const { paths } = (await answer.json()) as { paths: Record<string, object> };
    const calls = Object.entries(paths).flatMap(([path, operations]) =>
      Object.keys(operations).map((method) => ({ name: `${method.toUpperCase()} ${path}`, path })),
    );
    const patternOf = (path: string) => new RegExp(`^${path.replaceAll(/\{\w+\}/g, "[^/]+")}$`);
    const isFor = (line: string) => (call: { readonly name: string; readonly path: string }) =>
      call.name.startsWith(`${line.split(" ")[0]} `) && patternOf(call.path).test(line.split(" ")[1] ?? "");
    // A path that is written out, such as /api/devices/labels, is not that of a device called "labels".
    const found = commandsIn(readDocument(DOCUMENT)).map((line) => {
      const matching = calls.filter(isFor(line));
      return { line, call: matching.find(({ path }) => !path.includes("{")) ?? matching[0] };
    });
    expect(found.filter(({ call }) => !call).map(({ line }) => line)).to.deep.equal([]);
    const described = new Set(found.map(({ call }) => call?.name));
    expect(calls.map(({ name }) => name).filter((name) => !described.has(name))).to.deep.equal([]);
    expect(calls).to.have.length.greaterThan(100);
  });
});

/** `METHOD path` of every curl in the document's blocks. */
function commandsIn(markdown: string): readonly string[] {
  const commands = readBlocks(markdown)
    .flatMap(({ text }) => text.split("\n"))
    .flatMap((line) => line.split(/(?=\bcurl )/).filter((part) => part.startsWith("curl ")));
  return commands.map((command) => {
    const method = /-X (\w+)/.exec(command)?.[1] ?? implied(command);
    const url = /"(\$(?:SERVER|HAWKBIT)[^"]*)"/.exec(command)?.[1] ?? "";
    const path = url
      .replace("$SERVER", "")
      .replace("$HAWKBIT", "/gateway/controller/v1/gateway-1")
      .replace(/\?.*/, "");
    return `${method} ${path}`;
  });
}

function implied(command: string): string {
  if (/ -fsSI /.test(command)) return "HEAD";
  return / (--json|-F) /.test(command) ? "POST" : "GET";
}

async function releasePoint() {
  const { x = "", y = "" } = (await releaseKeys()).publicKey;
  return { x, y };
}

async function arrange(stage: Stage): Promise<Readonly<Record<string, string>>> {
  const { image, release } = await makeRelease("1.1.0");
  const other = describeRelease(image, { hardware: "devkit", created: Math.floor(Date.now() / 1000) });
  await stage.put("base-1.1.0-esp32.bin", image);
  await stage.put("base-1.1.0-esp32.release.jws", release);
  await stage.put(
    "base-1.1.0-devkit.release.jws",
    await signRelease(other, (await releaseKeys()).privateKey),
  );
  const system = describeSystem([{ release: readRelease(release).release }], {
    name: "doorbell",
    created: 1,
  });
  await stage.put("doorbell-1.1.0.system.jws", await signSystem(system, (await releaseKeys()).privateKey));
  await stage.put("root-1.json", (await firstRoot({ release: [await releasePoint()] })).text);
  await stage.put("scales-1.0.0.bin", arduinoImage("old scales"));
  await stage.put("scales-2.0.0.bin", arduinoImage("new scales"));
  await stage.put("pir-1.2.0.bin", arduinoImage("a node"));
  await stage.put("gateway-1.1.0.swu", "squashfs".repeat(100));
  await stage.put("sun.pbm", Buffer.concat([Buffer.from("P4\n8 2\n"), Buffer.from([0x3c, 0xc3])]));
  return { LINK: `${stage.server.setupUrl}`.split("#")[1] ?? "" };
}
