import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { CommanderError } from "commander";
import { baseUrlOf } from "../../../server/cli/client.js";
import { lastSignIn, saveCredentials } from "../../../server/cli/credentials.js";
import { redirectOutput } from "../../../server/cli/output.js";
import { createProgram } from "../../../server/cli/program.js";

const TOKENS = {
  access_token: "a",
  refresh_token: "r",
  expires_in: 900,
  user: { name: "ada", role: "admin" },
};

describe("a command that names no server", () => {
  const servers: Server[] = [];
  let folder: string;
  let environment: NodeJS.ProcessEnv;
  /** Which server was asked for what. */
  let asked: string[];
  const urls: string[] = [];
  const [one, two] = [() => urls[0] as string, () => urls[1] as string];

  before(async () => {
    for (const name of ["one", "two"]) {
      const server = createServer((request, response) => {
        asked.push(`${name} ${request.url?.split("?")[0]}`);
        response.setHeader("content-type", "application/json").end(JSON.stringify({ ...TOKENS, users: [] }));
      });
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      servers.push(server);
      urls.push(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    }
  });
  after(() => {
    for (const server of servers) server.close();
  });
  beforeEach(async () => {
    asked = [];
    environment = { ...process.env };
    folder = await mkdtemp(join(tmpdir(), "skyslot-default-"));
    process.env.XDG_CONFIG_HOME = folder;
    delete process.env.SKYSLOT_SERVER;
    delete process.env.SKYSLOT_TOKEN;
    await writeFile(join(folder, "password"), "a password");
  });
  afterEach(async () => {
    process.env = environment;
    await rm(folder, { recursive: true, force: true });
  });

  const skyslot = async (...args: string[]): Promise<string> => {
    let out = "";
    const putBack = redirectOutput((text) => {
      out += text;
    });
    try {
      await createProgram().parseAsync(args, { from: "user" });
    } finally {
      putBack();
    }
    return out;
  };
  const login = (url: string) =>
    skyslot("login", "--server", url, "--name", "ada", "--password-file", join(folder, "password"));

  it("goes to that of the last login, until one has signed out there", async () => {
    await login(two());
    await login(one());
    await skyslot("user", "list");
    await skyslot("logout");
    await skyslot("user", "list");
    expect(asked).deep.equal([
      "two /api/auth/login",
      "one /api/auth/login",
      "one /api/users",
      "one /api/auth/logout",
      "two /api/users",
    ]);
  });

  it("stays with it when the session at another one is renewed", async () => {
    await login(two());
    await login(one());
    const file = join(folder, "skyslot", "credentials.json");
    const stored = JSON.parse(await readFile(file, "utf8"));
    stored[two()].accessExpiresAt = 0;
    await writeFile(file, JSON.stringify(stored));
    await skyslot("user", "list", "--server", two());
    expect(asked).include("two /api/auth/refresh");
    expect(await lastSignIn()).equal(one());
  });

  it("goes to SKYSLOT_SERVER before that, and to --server before both", async () => {
    await login(one());
    process.env.SKYSLOT_SERVER = `${two()}/`;
    await skyslot("user", "list");
    await skyslot("user", "list", "--server", one());
    expect(asked.slice(1)).deep.equal(["two /api/users", "one /api/users"]);
    process.env.SKYSLOT_SERVER = "";
    await skyslot("user", "list");
    expect(asked.at(-1)).equal("one /api/users");
  });

  it("is refused if SKYSLOT_SERVER is no URL", async () => {
    process.env.SKYSLOT_SERVER = "example.com";
    const error = await skyslot("user", "list").catch((thrown: Error) => thrown);
    expect((error as Error).message).match(/^SKYSLOT_SERVER is "example.com", it must be a URL such as/);
  });

  it("goes to a session that an older version has stored, and to this machine without any", async () => {
    expect(await lastSignIn()).equal(undefined);
    const old = { name: "ada", accessToken: "a", accessExpiresAt: Date.now() + 600_000, refreshToken: "r" };
    await mkdir(join(folder, "skyslot"));
    await saveCredentials(baseUrlOf(one()), old);
    await skyslot("user", "list");
    await saveCredentials(baseUrlOf(two()), { ...old, signedInAt: 1 });
    await skyslot("user", "list");
    expect(asked).deep.equal(["one /api/users", "two /api/users"]);
  });
});

describe("skyslot --version", () => {
  it("is that of the package, and no option of a group's own --version", async () => {
    const { version } = JSON.parse(await readFile("package.json", "utf8")) as { readonly version: string };
    for (const flag of ["--version", "-V"]) {
      const outs: string[] = [];
      const program = createProgram().configureOutput({ writeOut: (text) => outs.push(text) });
      const error = await program.parseAsync([flag], { from: "user" }).catch((thrown: unknown) => thrown);
      expect(error).instanceOf(CommanderError).with.property("exitCode", 0);
      expect(outs).deep.equal([`${version}\n`]);
    }
  });
});
