// `skyslot release folder`, and a client that knows the folder only by its manifest, at a web server that knows nothing.

import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { readRelease, verifyReleaseSignature } from "../../../release/signing.js";
import { readSystem } from "../../../release/system.js";
import { redirectOutput } from "../../../server/cli/output.js";
import { createProgram } from "../../../server/cli/program.js";
import { makeRelease, releaseKeys, START_MS } from "../test-server.js";

const URL = "https://example.com/firmware";
/** Of releases that makeRelease signs. */
const STAMP = "20261121_120000";

describe("skyslot release folder", () => {
  let place: string;
  let folder: string;
  let key: string;
  const epochBefore = process.env.SOURCE_DATE_EPOCH;
  beforeEach(async () => {
    place = await mkdtemp(join(tmpdir(), "skyslot-folder-test-"));
    folder = join(place, "releases");
    key = join(place, "release.jwk");
    await writeFile(key, JSON.stringify((await releaseKeys()).privateKey));
    process.env.SOURCE_DATE_EPOCH = `${START_MS / 1000}`;
  });
  afterEach(async () => {
    if (epochBefore === undefined) delete process.env.SOURCE_DATE_EPOCH;
    else process.env.SOURCE_DATE_EPOCH = epochBefore;
    await rm(place, { recursive: true, force: true });
  });

  async function skyslot(...args: string[]): Promise<string> {
    let out = "";
    const restore = redirectOutput((text) => {
      out += text;
    });
    try {
      await createProgram().parseAsync(args, { from: "user" });
    } finally {
      restore();
    }
    return out;
  }
  async function image(type: string, version: string, isSigned = true, bundle = "x"): Promise<string> {
    const made = await makeRelease(version, { type, image: { project: type, bundle: bundle.repeat(9000) } });
    const file = join(place, `${type}-${version}.bin`);
    await writeFile(file, made.image);
    await rm(file.replace(/bin$/, "release.jws"), { force: true });
    if (isSigned) await writeFile(file.replace(/bin$/, "release.jws"), made.release);
    return file;
  }
  const write = (images: readonly string[], ...more: string[]) =>
    skyslot(
      "release",
      "folder",
      folder,
      ...images,
      "--name",
      "doorbell",
      "--url",
      URL,
      "--key",
      key,
      ...more,
    );
  const pair = async (version: string, ...more: string[]) =>
    write([await image("receiver", version), await image("transmitter", version)], ...more);
  const failure = (work: Promise<string>) =>
    work.then(
      () => "",
      (error: Error) => error.message,
    );
  const manifest = async (file = "manifest.json") => JSON.parse(await readFile(join(folder, file), "utf8"));
  /** Every file by its path, with its hash. */
  async function contents(): Promise<Record<string, string>> {
    const found: Record<string, string> = {};
    for (const path of (await readdir(folder, { recursive: true })).sort())
      if ((await stat(join(folder, path))).isFile())
        found[path] = createHash("sha256")
          .update(await readFile(join(folder, path)))
          .digest("hex");
    return found;
  }

  it("has each image by device, version and time, the latest one, their manifests, and that of the system", async () => {
    expect(await pair("1.2.3", "--description", "Rings twice")).to.match(/releases: doorbell 1\.2\.3\n/);
    const stems = (name: string) => [`${name}_latest`, `${name}_v1.2.3_${STAMP}`];
    const ends = ["bin", "digests", "release.jws"];
    expect(Object.keys(await contents())).to.have.members([
      "manifest.json",
      "manifest_v1.2.3.json",
      ...["receiver", "transmitter"].flatMap((name) =>
        stems(name).flatMap((stem) => ends.map((end) => `${name}/${stem}.${end}`)),
      ),
    ]);
    const told = await manifest();
    expect(told).to.deep.include({
      system: "doorbell",
      system_version: "1.2.3",
      description: "Rings twice",
      min_compatible_version: "0.0.0",
      release_date: new Date(START_MS).toISOString(),
      rollback: null,
      update_instructions: {
        order: ["receiver", "transmitter"],
        reboot_delay_seconds: 5,
        health_check_timeout_seconds: 30,
      },
    });
    expect(told.devices.receiver).to.include({
      firmware_url: `${URL}/receiver/receiver_v1.2.3_${STAMP}.bin`,
      version_number: 10203,
      device_type: "receiver",
    });
    expect(await manifest("manifest_v1.2.3.json")).to.deep.equal(told);
  });

  it("is all that a device needs, at a web server that knows ranges", async () => {
    const server = createServer((request, response) => {
      const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "") ?? [];
      const range = first === undefined ? {} : { start: Number(first), end: Number(last) };
      response.statusCode = first === undefined ? 200 : 206;
      createReadStream(join(folder, request.url ?? ""), range)
        .on("error", () => response.writeHead(404).end())
        .pipe(response);
    }).listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    try {
      await mkdir(folder);
      const files = [await image("receiver", "1.0.0"), await image("transmitter", "1.0.0")];
      await skyslot(
        "release",
        "folder",
        folder,
        ...files,
        "--name",
        "doorbell",
        "--url",
        `${url}/`,
        "--key",
        key,
      );
      const { publicKey } = await releaseKeys();
      // biome-ignore lint/suspicious/noExplicitAny: what the manifest should have
      const told = (await (await fetch(`${url}/manifest.json`)).json()) as Record<string, any>;
      const signed = readSystem(told.manifest);
      await verifyReleaseSignature(signed, [publicKey]);
      for (const component of signed.system.components) {
        const device = told.devices[component.name];
        const read = readRelease((await (await fetch(device.release_url)).text()).trim());
        await verifyReleaseSignature(read, [publicKey]);
        expect(read.release.sha256).to.equal(component.sha256);
        const digests = Buffer.from(await (await fetch(device.digests_url)).arrayBuffer());
        expect(createHash("sha256").update(digests).digest()).to.deep.equal(
          Buffer.from(read.release.digests),
        );
        const headers = { range: "bytes=0-16383" };
        const chunk = Buffer.from(await (await fetch(device.firmware_url, { headers })).arrayBuffer());
        expect(createHash("sha256").update(chunk).digest()).to.deep.equal(digests.subarray(0, 32));
        const whole = Buffer.from(await (await fetch(device.firmware_url)).arrayBuffer());
        expect(createHash("md5").update(whole).digest("hex")).to.equal(device.md5_checksum);
      }
    } finally {
      server.close();
    }
  });

  it("keeps older versions, and names the one before for the roll back", async () => {
    await pair("1.0.0");
    await pair("1.10.0");
    await pair("1.11.0");
    const { rollback, system_version } = await manifest();
    expect(system_version).to.equal("1.11.0");
    expect(rollback).to.deep.equal({
      previous_version: "1.10.0",
      urls: {
        receiver: `${URL}/receiver/receiver_v1.10.0_${STAMP}.bin`,
        transmitter: `${URL}/transmitter/transmitter_v1.10.0_${STAMP}.bin`,
      },
      receiver_url: `${URL}/receiver/receiver_v1.10.0_${STAMP}.bin`,
      transmitter_url: `${URL}/transmitter/transmitter_v1.10.0_${STAMP}.bin`,
    });
    const latest = await readFile(join(folder, "receiver/receiver_latest.bin"));
    expect(latest).to.deep.equal(await readFile(join(place, "receiver-1.11.0.bin")));
    expect(await readdir(join(folder, "receiver"))).to.include(`receiver_v1.0.0_${STAMP}.bin`);
  });

  it("signs images that have no manifest, and is the same to the byte when it is written again", async () => {
    const files = [await image("receiver", "1.0.0", false), await image("transmitter", "1.0.0", false)];
    await write(files);
    const first = await contents();
    await write(files);
    expect(await contents()).to.deep.equal(first);
    process.env.SOURCE_DATE_EPOCH = `${START_MS / 1000 + 3600}`;
    await write(files);
    expect(await contents(), "what is signed keeps its time").to.deep.equal(first);
  });

  it("replaces no version by another one, and no latest by an older one, unless it is forced to", async () => {
    const oldest = [await image("receiver", "1.0.0"), await image("transmitter", "1.0.0")];
    await write(oldest);
    await pair("1.1.0");
    const before = await contents();
    const other = [
      await image("receiver", "1.1.0", true, "other"),
      await image("transmitter", "1.1.0", true, "other"),
    ];
    expect(await failure(write(other))).to.match(/receiver_v1\.1\.0_.*is there with another content: raise/);
    process.env.SOURCE_DATE_EPOCH = `${START_MS / 1000 + 60}`;
    const unsigned = [await image("receiver", "1.1.0", false, "third"), await image("transmitter", "1.1.0")];
    expect(await failure(write(unsigned))).to.contain("is another receiver 1.1.0");
    expect(await failure(write(oldest))).to.contain("is 1.1.0, newer than 1.0.0");
    expect(await contents()).to.deep.equal(before);
    await write(oldest, "--force");
    expect((await manifest()).system_version).to.equal("1.0.0");
  });

  it("refuses an image that is not that of its manifest, URLs that are none, and to release nothing", async () => {
    const [receiver, transmitter] = [await image("receiver", "1.0.0"), await image("transmitter", "1.0.0")];
    const bytes = await readFile(receiver);
    bytes[5000] = (bytes[5000] ?? 0) ^ 1;
    await writeFile(receiver, bytes);
    expect(await failure(write([receiver, transmitter]))).to.match(/do not match the manifest/);
    expect(await failure(write([]))).to.contain("there is nothing to release");
    expect(await failure(write([transmitter], "--url", "example.com"))).to.contain("is not a URL");
    process.env.SOURCE_DATE_EPOCH = "yesterday";
    expect(await failure(write([transmitter]))).to.contain('SOURCE_DATE_EPOCH is "yesterday"');
    expect(await readdir(place)).not.to.include("releases");
  });

  it("builds apps for virtual devices, the same to the byte from the same sources", async () => {
    const build = () => write([], "--app", "base", "led", "--app-version", "2.0.0");
    await build();
    const first = await contents();
    expect(Object.keys(first)).to.include(`led/led_v2.0.0_${STAMP}.bin`);
    await build();
    expect(await contents()).to.deep.equal(first);
    expect(await failure(write([], "--app", "base"))).to.contain("--app-version");
  });
});
