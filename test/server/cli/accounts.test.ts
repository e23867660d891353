import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";

const SKYSLOT = fileURLToPath(new URL("../../../bin/skyslot.js", import.meta.url));
const PASSWORD = "correct horse battery";

describe("the command line's accounts", function () {
  this.timeout(120_000);
  let folder: string;
  let server: ChildProcess;
  let url: string;
  let setupUrl: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "skyslot-accounts-"));
    server = spawn(process.execPath, [SKYSLOT, "server", "--port", "0", "--no-open-reads"], { cwd: folder });
    [url, setupUrl] = await new Promise<[string, string]>((resolve, reject) => {
      let said = "";
      server.stdout?.on("data", (text) => {
        said += text;
        const found = /listens on (http:\S+);.*(http:\S+\/setup#\S+)/s.exec(said);
        if (found?.[1] && found[2]) resolve([found[1], found[2]]);
      });
      server.on("exit", () => reject(new Error(said)));
    });
  });
  after(async () => {
    server?.kill("SIGTERM");
    await rm(folder, { recursive: true, force: true });
  });

  interface Options {
    readonly input?: string;
    /** The user whose settings apply. The local administrator has none, but the data folder. */
    readonly as?: string;
  }
  const credentials = (as: string) => join(folder, as, "skyslot", "credentials.json");
  const skyslot = (args: readonly string[], { input = "", as = "nobody" }: Options = {}) =>
    new Promise<{ readonly status: number; readonly out: string; readonly err: string }>((resolve) => {
      const data = as === "root" ? "data" : "elsewhere";
      const child = spawn(process.execPath, [SKYSLOT, ...args, "--server", url, "--data", data], {
        cwd: folder,
        env: { ...process.env, XDG_CONFIG_HOME: join(folder, as) },
      });
      let [out, err] = ["", ""];
      child.stdout.on("data", (text) => {
        out += text;
      });
      child.stderr.on("data", (text) => {
        err += text;
      });
      child.on("close", (status) => resolve({ status: status ?? -1, out, err }));
      child.stdin.end(input);
    });
  const json = async (args: readonly string[], options?: Options) => {
    const { status, out, err } = await skyslot([...args, "--json"], options);
    expect(status, err).to.equal(0);
    return JSON.parse(out);
  };

  it("signs in with the first administrator, keeps the session for its user only, and ends it", async () => {
    expect(setupUrl).to.match(/^http:\/\/127\.0\.0\.1:\d+\/setup#skl_[\w-]{43}$/);
    const made = await fetch(`${url}/api/setup`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ token: setupUrl.split("#")[1], name: "ada", password: PASSWORD }),
    });
    expect(made.status).to.equal(200);

    const refused = await skyslot(["login", "--name", "ada"], { input: "wrong horse battery\n", as: "ada" });
    expect(refused.err).to.contain("401 LOGIN_FAILED");
    const answer = await json(["login", "--name", "ada"], { input: `${PASSWORD}\n`, as: "ada" });
    expect(answer).to.include({ server: url, name: "ada", role: "admin", file: credentials("ada") });
    expect((await stat(credentials("ada"))).mode & 0o777).to.equal(0o600);
    expect((await stat(join(folder, "ada", "skyslot"))).mode & 0o777).to.equal(0o700);
    expect(await readFile(credentials("ada"), "utf8")).not.to.contain(PASSWORD);
    expect(await json(["whoami"], { as: "ada" })).to.include({ name: "ada", kind: "user", role: "admin" });
    expect((await skyslot(["whoami"], { as: "ada" })).out).to.match(/^ada, admin, may: read, releases:write/);
    expect((await skyslot(["whoami"])).err).to.contain("401 UNAUTHORIZED");

    expect(await json(["logout"], { as: "ada" })).to.deep.equal({ server: url, signed_in: false });
    expect((await skyslot(["whoami"], { as: "ada" })).status).to.equal(1);
    expect((await skyslot(["logout"], { as: "ada" })).out).to.equal(`not signed in at ${url}\n`);
  });

  it("renews a session whose access has expired, and says what to do when it has ended", async () => {
    await json(["login", "--name", "ada"], { input: PASSWORD, as: "ada" });
    const kept = JSON.parse(await readFile(credentials("ada"), "utf8"));
    const expire = (changes: object) =>
      writeFile(
        credentials("ada"),
        JSON.stringify({ [url]: { ...kept[url], accessExpiresAt: 0, ...changes } }),
      );
    await expire({ accessToken: "old" });
    expect(await json(["whoami"], { as: "ada" })).to.include({ name: "ada" });
    const renewed = JSON.parse(await readFile(credentials("ada"), "utf8"))[url];
    expect(renewed.refreshToken).not.to.equal(kept[url].refreshToken);
    await expire({ refreshToken: `skr_x.${kept[url].refreshToken.split(".")[1]}` });
    const ended = await skyslot(["whoami"], { as: "ada" });
    expect(ended.err).to.equal(
      `skyslot: the session of ada has ended: run \`skyslot login --server ${url}\`\n`,
    );
    await json(["login", "--name", "ada"], { input: PASSWORD, as: "ada" });
  });

  it("adds, lists and changes users", async () => {
    await writeFile(join(folder, "password"), "password123456\n");
    const weak = await skyslot(["user", "add", "bob", "--password-file", "password"], { as: "ada" });
    expect(weak.err).to.match(
      / PASSWORD_WEAK: the password is easy to guess: it is little more than a common/,
    );
    await writeFile(join(folder, "password"), "a good sentence\nsecond line\n");
    const bob = await json(["user", "add", "bob", "--role", "operator", "--password-file", "password"], {
      as: "ada",
    });
    expect(bob).to.include({ name: "bob", role: "operator", has_password: true });
    const eve = await skyslot(["user", "add", "eve"], { as: "root" });
    expect(eve.out).to.match(
      /^eve: viewer\nValid once, until [\d :-]+ (UTC|[+-]\d\d:\d\d): http:\/\/127\.0\.0\.1:\d+\/setup#skl_\S+\n$/,
    );
    expect((await skyslot(["user", "list"], { as: "ada" })).out)
      .to.match(/^NAME +ROLE +STATE +LAST LOGIN/)
      .and.to.match(/^bob +operator +active +never$/m)
      .and.to.match(/^eve +viewer +no password +never$/m);
    expect(await json(["user", "role", "bob", "viewer"], { as: "ada" })).to.include({ role: "viewer" });
    expect((await skyslot(["user", "disable", "bob"], { as: "ada" })).out).to.equal(
      "bob: viewer, disabled\n",
    );
    expect(await json(["user", "enable", "bob"], { as: "ada" })).to.include({ is_active: true });
    expect((await json(["user", "link", "eve"], { as: "ada" })).link).to.match(/^http:\S+\/setup#skl_/);
    await json(["user", "password", "bob"], { as: "ada", input: "another sentence\n" });
    await json(["login", "--name", "bob"], { as: "bob", input: "another sentence" });
    await json(["user", "password"], { as: "bob", input: "another sentence\nthe third sentence\n" });
    expect((await skyslot(["user", "list"], { as: "bob" })).err).to.contain("403 FORBIDDEN");
    expect((await skyslot(["user", "disable", "ada"], { as: "ada" })).err).to.contain("409 LAST_ADMIN");
  });

  it("makes, lists and revokes tokens", async () => {
    const made = await skyslot(
      ["token", "create", "ci", "--scope", "read", "releases:write", "--type", "led"],
      { as: "ada" },
    );
    expect(made.out).to.match(/^ska_[\w-]{43}\n$/);
    expect(made.err).to.match(/^token 1 of ada, valid until \d{4}-\d\d-\d\d; it is not shown again\n$/);
    await writeFile(join(folder, "ci.token"), made.out);
    expect(await json(["whoami", "--token-file", "ci.token"])).to.deep.include({
      name: "ada (token ci)",
      scopes: ["read", "releases:write"],
      device_types: ["led"],
    });
    expect((await skyslot(["token", "list"], { as: "ada" })).out).to.match(
      /^1 +ci +ada +led +\S+ +\S+ +read,releases:write$/m,
    );
    expect((await skyslot(["token", "revoke", "1"], { as: "ada" })).out).to.equal(
      "token 1 (ci) is revoked\n",
    );
    expect((await skyslot(["whoami", "--token-file", "ci.token"])).err).to.contain("401");
    const local = await json(["token", "create", "x", "--scope", "read", "--never", "--user", "ada"], {
      as: "root",
    });
    expect(local).to.include({ user: "ada", expires_at: null });
    const wrong = await skyslot(["token", "create", "x", "--scope", "everything"], { as: "ada" });
    expect([wrong.status, wrong.err.includes("Allowed choices are read")]).to.deep.equal([2, true]);
  });

  it("sets which devices may register, approves them and creates their enrolment tokens", async () => {
    const set = await skyslot(["registration", "set", "*", "--registration", "approval"], { as: "root" });
    expect(set.out).to.match(/^\* +approval +first-use$/m);
    const check = {
      device_id: "base-1",
      device_type: "base",
      current_version: "1.0.0",
      current_build: 0,
    };
    await fetch(`${url}/api/ota/check`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(check),
    });
    expect((await skyslot(["registration", "devices", "pending"], { as: "root" })).out).to.match(
      /^base-1 +base +no +pending +nobody$/m,
    );
    const approved = await skyslot(["registration", "approve", "base-1", "base-2"], { as: "root" });
    expect(approved.out)
      .to.match(/^base-1 +base +no +approved +\S.*$/m)
      .and.to.match(/^base-2 +no +DEVICE_UNKNOWN *$/m);
    expect(approved.status).to.equal(1);
    const given = await skyslot(["registration", "give-token", "gw-1", "--type", "gateway"], { as: "root" });
    expect(given.out).to.match(/^skd_[\w-]{43}\n$/);
    expect(await json(["registration", "devices", "approved"], { as: "root" })).to.have.property("total", 2);
    const open = await skyslot(["registration", "set", "led", "--registration", "open"], { as: "root" });
    expect(open.status).to.equal(0);
    await fetch(`${url}/api/ota/check`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ ...check, device_id: "led-1", device_type: "led" }),
    });
    expect((await skyslot(["registration", "list"], { as: "root" })).out).to.contain(
      "led: anyone can register as a device of this type; nobody vouched for 1 device of it",
    );
    const bulk = ["registration", "approve", "--unvouched", "--yes"];
    expect((await skyslot(bulk, { as: "root" })).out).to.match(/^approve: 1 device$/m);
    expect((await skyslot(["device", "list", "--unvouched"], { as: "root" })).out).not.to.contain("led-1");
    expect((await skyslot(["device", "show", "led-1"], { as: "root" })).out).to.match(
      /vouched for +by .*, who approved it$/m,
    );
    const made = await skyslot(["enrolment", "create", "batch 7", "--type", "base", "--count", "9"], {
      as: "root",
    });
    expect(made.out).to.match(/^ske_[\w-]{43}\n$/);
    expect((await skyslot(["enrolment", "list"], { as: "root" })).out).to.match(
      /^1 +batch 7 +base +0 of 9 +never$/m,
    );
    expect(await json(["enrolment", "revoke", "1"], { as: "root" })).to.include({ id: 1, name: "batch 7" });
  });
});
