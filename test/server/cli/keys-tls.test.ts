// `skyslot keys tls`, as a user calls it.

import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { redirectOutput } from "../../../server/cli/output.js";
import { createProgram } from "../../../server/cli/program.js";

describe("skyslot keys tls", () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "skyslot-tls-"));
  });
  after(() => rm(folder, { recursive: true }));

  const skyslot = async (...args: string[]): Promise<string> => {
    let out = "";
    const restore = redirectOutput((text) => {
      out += text;
    });
    try {
      await createProgram().parseAsync(["keys", "tls", "--out", join(folder, "tls"), ...args], {
        from: "user",
      });
      return out;
    } catch (error) {
      return `${(error as Error).name}: ${(error as Error).message}`;
    } finally {
      restore();
    }
  };

  it("makes an authority and a certificate, and then another certificate by the same authority", async () => {
    const made = JSON.parse(await skyslot("--host", "skyslot.local", "--ip", "192.168.1.10", "--json"));
    expect(made).to.include({ ca_is_new: true, cert: join(folder, "tls", "server.crt") });
    expect(made.names).to.deep.equal(["skyslot.local", "192.168.1.10"]);
    expect(made.ca_sha256).to.match(/^[0-9a-f]{64}$/);
    const before = await readFile(made.cert, "utf8");
    const lines = (await skyslot("--host", "skyslot.local")).split("\n");
    expect(lines[0]).to.match(/^authority .*ca\.crt \(as before\), valid until 20\d\d-\d\d-\d\d$/);
    expect(lines[1]).to.contain(made.ca_sha256);
    expect(lines.join("\n")).to.contain(`--tls-cert ${made.cert} --tls-key ${made.key}`);
    expect(await readFile(made.cert, "utf8")).not.to.equal(before);
  });

  it("asks for a name", async () => {
    expect(await skyslot()).to.contain("--host NAME or --ip ADDRESS");
    expect(await skyslot("--host", "bad name")).to.contain('"bad name" is not a host name');
  });
});
