// The container's files, as far as they can be checked without Docker: they parse, and what they name exists.

import { access, readFile } from "node:fs/promises";
import { expect } from "chai";
import { parse } from "yaml";
import { createProgram } from "../../server/cli/program.js";

interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly secrets: Readonly<Record<string, { readonly file: string }>>;
  readonly volumes: Readonly<Record<string, unknown>>;
  readonly networks: Readonly<Record<string, { readonly internal?: boolean }>>;
}

interface Service {
  readonly build?: { readonly context: string; readonly args: Readonly<Record<string, string>> };
  readonly image?: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly secrets: readonly string[];
  readonly volumes: readonly string[];
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly user?: string;
  readonly networks: readonly string[];
  readonly ports?: readonly string[];
  readonly read_only?: boolean;
  readonly tmpfs: readonly string[];
  readonly cap_drop: readonly string[];
  readonly security_opt: readonly string[];
}

interface Line {
  readonly word: string;
  readonly rest: string;
}

/** Instructions of a Dockerfile, their continued lines joined. */
async function readDockerfile(): Promise<readonly Line[]> {
  const text = (await readFile("Dockerfile", "utf8")).replace(/^#.*\n/gm, "").replace(/\\\n/g, " ");
  return text
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => {
      const [, word = "", rest = ""] = /^([A-Z]+) +(.*)$/.exec(line) ?? [];
      return { word, rest };
    });
}

const exists = (path: string) =>
  access(path).then(
    () => true,
    () => false,
  );

describe("the container", () => {
  it("is built in stages from files that exist and are not ignored", async () => {
    const lines = await readDockerfile();
    expect(lines.every(({ word }) => word !== "")).to.equal(true);
    expect(lines.filter(({ word }) => word === "FROM")).to.have.length(2);
    const allowed = (await readFile(".dockerignore", "utf8"))
      .split("\n")
      .filter((line) => line.startsWith("!"));
    const copied = lines
      .filter(({ word, rest }) => word === "COPY" && !rest.startsWith("--from"))
      .flatMap(({ rest }) => rest.split(/ +/).slice(0, -1));
    expect(copied).to.include.members(["server", "firmware", "host-sim", "bin", "package-lock.json"]);
    for (const path of copied) {
      expect(await exists(path), path).to.equal(true);
      expect(allowed, path).to.include(`!${path}`);
    }
    expect(copied).not.to.include("test");
  });

  it("has its packages' install scripts allowed, which npm 12 and later do not run otherwise", async () => {
    const { allowScripts } = JSON.parse(await readFile("package.json", "utf8")) as {
      readonly allowScripts: Readonly<Record<string, boolean>>;
    };
    const { packages } = JSON.parse(await readFile("package-lock.json", "utf8")) as {
      readonly packages: Readonly<Record<string, { readonly hasInstallScript?: boolean }>>;
    };
    const withScripts = Object.keys(packages).filter((path) => packages[path]?.hasInstallScript);
    const names = withScripts.map((path) => path.split("node_modules/").at(-1));
    expect(names).to.include("better-sqlite3");
    expect(Object.keys(allowScripts).filter((name) => allowScripts[name])).to.have.members(names);
    const lines = await readDockerfile();
    const copy = lines.findIndex(({ word, rest }) => word === "COPY" && /(^| )package\.json /.test(rest));
    const install = lines.findIndex(({ rest }) => rest.startsWith("npm ci"));
    expect(copy).to.be.within(0, install - 1);
  });

  it("gets no keys or settings, even from folders that are not ignored", async () => {
    const lines = (await readFile(".dockerignore", "utf8")).split("\n").filter((line) => /^[^#]/.test(line));
    expect(lines[0]).to.equal("*");
    const afterAllowed = lines.slice(lines.findLastIndex((line) => line.startsWith("!")) + 1);
    expect(afterAllowed).to.include.members([
      "**/*.jwk",
      "**/*.key",
      "**/*.pem",
      "**/.env*",
      "**/node_modules",
    ]);
  });

  it("runs as an ordinary user, has a health check, and uses flags that the server knows", async () => {
    const lines = await readDockerfile();
    const at = (word: string) => lines.findIndex((line) => line.word === word);
    expect(lines[at("USER")]?.rest).to.equal("node");
    expect(at("USER")).to.be.below(at("ENTRYPOINT"));
    expect(lines[at("HEALTHCHECK")]?.rest).to.include("/readyz");
    const flags = JSON.parse(lines[at("CMD")]?.rest ?? "") as string[];
    const server = createProgram().commands.find((command) => command.name() === flags[0]);
    for (const flag of flags.filter((each) => each.startsWith("--")))
      expect(
        server?.options.some(({ long }) => long === flag),
        flag,
      ).to.equal(true);
    expect(await exists(JSON.parse(lines[at("ENTRYPOINT")]?.rest ?? "")[1])).to.equal(true);
  });

  it("is composed with a database whose password is in a file outside the repository", async () => {
    const compose = parse(await readFile("compose.yaml", "utf8")) as Compose;
    const { server, database } = compose.services;
    expect(server?.build?.context).to.equal(".");
    expect(server?.depends_on).to.deep.equal({ database: { condition: "service_healthy" } });
    expect(database?.healthcheck?.test.join(" ")).to.include("pg_isready");
    for (const service of [server, database]) {
      for (const volume of service?.volumes ?? [])
        expect(Object.keys(compose.volumes)).to.include(volume.split(":")[0]);
      for (const secret of service?.secrets ?? []) expect(Object.keys(compose.secrets)).to.include(secret);
      for (const [name, value] of Object.entries(service?.environment ?? {}))
        if (name.endsWith("_FILE"))
          expect(
            service?.secrets.map((secret) => `/run/secrets/${secret}`),
            name,
          ).to.include(value);
    }
    expect(server?.environment.DATABASE_URL).to.match(/^postgres:\/\/[^:]*@database\//);
    const ignored = (await readFile(".gitignore", "utf8")).split("\n");
    for (const { file } of Object.values(compose.secrets)) {
      expect(ignored).to.include(`/${file.split("/")[1]}/`);
      expect(await exists(file)).to.equal(false);
    }
  });

  it("is composed of containers that can change nothing but their data, and a database that only the server reaches", async () => {
    const compose = parse(await readFile("compose.yaml", "utf8")) as Compose;
    const { server, database } = compose.services;
    for (const service of [server, database]) {
      expect(service?.read_only).to.equal(true);
      expect(service?.tmpfs).to.include("/tmp");
      expect(service?.cap_drop).to.deep.equal(["ALL"]);
      expect(service?.security_opt).to.deep.equal(["no-new-privileges:true"]);
    }
    expect(database?.user).to.equal("postgres");
    expect(database?.networks).to.deep.equal(["database"]);
    expect(database?.ports).to.equal(undefined);
    expect(server?.networks).to.include("database");
    expect(compose.networks.database?.internal).to.equal(true);
  });

  it("is made from images that can be pinned by digest, in the way that the comment says", async () => {
    const text = await readFile("compose.yaml", "utf8");
    const { server, database } = (parse(text) as Compose).services;
    const given = [
      ["POSTGRES_IMAGE", database?.image],
      ["NODE_IMAGE", server?.build?.args.NODE_IMAGE],
    ] as const;
    for (const [variable, value] of given) {
      const image = new RegExp(`^\\$\\{${variable}:-([a-z]+:[\\w.-]+)\\}$`).exec(value ?? "")?.[1] ?? "";
      expect(image, variable).not.to.equal("");
      expect(text).to.contain(
        `echo "${variable}=$(docker image inspect --format '{{index .RepoDigests 0}}' ${image})" >> .env`,
      );
    }
    const lines = await readDockerfile();
    const argument = lines.filter(({ word }) => word === "ARG").map(({ rest }) => rest);
    expect([`\${${argument[0]?.replace("=", ":-")}}`]).to.deep.equal([server?.build?.args.NODE_IMAGE]);
    for (const { rest } of lines.filter(({ word }) => word === "FROM"))
      expect(rest).to.match(/^\$\{NODE_IMAGE\}( AS \w+)?$/);
  });
});
