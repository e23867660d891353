import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { databaseUrl, fromEnvironment } from "../../../server/cli/environment.js";

describe("the environment of the server", () => {
  let folder: string;
  let file: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "skyslot-environment-"));
    file = join(folder, "secret");
    await writeFile(file, "p%/@s: s\n");
  });
  after(() => rm(folder, { recursive: true }));

  it("provides a value, or the content of a file, but not both", () => {
    expect(fromEnvironment("A", { A: "b" })).to.equal("b");
    expect(fromEnvironment("A", { A: "" })).to.equal(undefined);
    expect(fromEnvironment("A", { A_FILE: file })).to.equal("p%/@s: s");
    expect(() => fromEnvironment("A", { A: "b", A_FILE: file })).to.throw("A and A_FILE are both set");
  });

  it("inserts a password into the database's URL", () => {
    const whole = databaseUrl({
      DATABASE_URL: "postgres://skyslot@database/x",
      DATABASE_PASSWORD_FILE: file,
    });
    expect(decodeURIComponent(new URL(whole ?? "").password)).to.equal("p%/@s: s");
    expect(databaseUrl({ DATABASE_URL: "postgres://a:b@c/d" })).to.equal("postgres://a:b@c/d");
    expect(databaseUrl({ DATABASE_PASSWORD_FILE: file })).to.equal(undefined);
  });
});
