import { execFileSync } from "node:child_process";
import { expect } from "chai";
import { shellWord, signCommand } from "../../../server/dashboard/client/releases/commands.js";

const command = (file: string, type = "", hardware = "") => signCommand({ file, type, hardware });

describe("the command that a page shows for signing", () => {
  it("names the image, and what differs from the default", () => {
    expect(command("base-1.1.0.bin")).equal("npx skyslot release sign base-1.1.0.bin --key release.jwk");
    expect(command("a.bin", "led", "board-2")).equal(
      "npx skyslot release sign a.bin --type led --hardware board-2 --key release.jwk",
    );
  });

  it("takes nothing in a name for a command, an option or several words", () => {
    const names = [
      "it's.bin",
      "a b.bin",
      "$(touch x).bin",
      "`touch x`.bin",
      "a;b&c|d>e.bin",
      "~.bin",
      "*.bin",
      "!!.bin",
      "\\.bin",
      "line\nbreak.bin",
      "ü.bin",
      "",
    ];
    const words = names.map(shellWord).join(" ");
    const read = execFileSync("sh", [
      "-c",
      `for word in ${words}; do printf '%s\\0' "$word"; done`,
    ]).toString();
    expect(read.split("\0").slice(0, -1)).deep.equal(names);
    expect(command("--out=x.bin")).contain("sign './--out=x.bin' --key");
    expect(command("-x.bin")).contain("sign ./-x.bin --key");
  });
});
