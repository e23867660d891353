// A server over TLS, as OpenSSL and curl see it: with the certificate of a private authority, and with what it has to refuse.

import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, connect as connectTcp, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, type TLSSocket } from "node:tls";
import { promisify } from "node:util";
import { expect } from "chai";
import { makeCertificates, readServerNames } from "../../../server/runtime/certificates/private-ca.js";
import { MAX_RECORD_BYTES } from "../../../server/runtime/tls.js";
import { type RunningServer, startServer } from "../../../server/start.js";

const run = promisify(execFile);

describe("a server over TLS", () => {
  let folder: string;
  let server: RunningServer;
  let port: number;
  let ca: string;
  let stranger: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "skyslot-tls-"));
    const make = async (name: string) =>
      makeCertificates({
        folder: join(folder, name),
        names: readServerNames(["updates.test"], ["127.0.0.1"]),
        now: Date.now(),
      });
    const made = await make("own");
    ca = made.ca.pem;
    stranger = (await make("other")).ca.pem;
    server = await startServer({ dataDir: join(folder, "data"), port: 0, tls: made.server });
    port = Number(new URL(server.url).port);
  });
  after(async () => {
    await server.close();
    await rm(folder, { recursive: true });
  });

  const curl = async (...args: readonly string[]): Promise<string> => {
    const all = ["-sS", "--max-time", "20", ...args];
    return run("curl", all).then(
      ({ stdout }) => stdout,
      ({ code, stderr }: { code: number; stderr: string }) => `curl failed with ${code}: ${stderr}`,
    );
  };
  /** What s_client reports of a handshake. */
  const handshake = async (...args: readonly string[]): Promise<string> => {
    const all = ["s_client", "-connect", `127.0.0.1:${port}`, "-CAfile", ca, ...args];
    const child = run("openssl", all);
    child.child.stdin?.end();
    return child.then(
      ({ stdout }) => stdout,
      ({ stdout, stderr }: { stdout: string; stderr: string }) => `refused: ${stdout}${stderr}`,
    );
  };

  it("is accepted by curl with the authority's certificate, by address and by name", async () => {
    const health = '{"status":"ok"}';
    expect(await curl("--cacert", ca, `${server.url}/healthz`)).to.equal(health);
    const named = ["--connect-to", `updates.test:443:127.0.0.1:${port}`, "https://updates.test/healthz"];
    expect(await curl("--cacert", ca, ...named)).to.equal(health);
  });

  it("is refused by curl without it, with another one, and by another name", async () => {
    expect(await curl(`${server.url}/healthz`)).to.match(
      /failed with 60: .*self-signed|unable to get local issuer/,
    );
    expect(await curl("--cacert", stranger, `${server.url}/healthz`)).to.match(/failed with 60: /);
    const wrong = ["--connect-to", `other.test:443:127.0.0.1:${port}`, "https://other.test/healthz"];
    expect(await curl("--cacert", ca, ...wrong)).to.match(
      /failed with 60: .*no alternative certificate subject name/,
    );
  });

  it("speaks TLS 1.3 and 1.2, and sends a chain that OpenSSL verifies", async () => {
    for (const [version, suite] of [
      ["-tls1_3", "TLS_AES_128_GCM_SHA256"],
      ["-tls1_2", "ECDHE-ECDSA-AES128-GCM-SHA256"],
    ] as const) {
      const text = await handshake(version, "-verify_return_error", "-verify_hostname", "updates.test");
      expect(text, version).to.contain("Verify return code: 0 (ok)").and.to.contain(`Cipher is ${suite}`);
    }
  });

  it("speaks nothing older", async () => {
    // Level 0: otherwise it is OpenSSL that refuses to ask.
    for (const version of ["-tls1", "-tls1_1"])
      expect(await handshake(version, "-cipher", "ALL:@SECLEVEL=0"), version).to.match(
        /^refused: [\s\S]*alert protocol version/,
      );
  });

  it("refuses suites without keys of their own, and those without authenticated encryption", async () => {
    for (const suite of [
      "kRSA",
      "ECDHE-ECDSA-AES128-SHA256",
      "ECDHE-ECDSA-AES256-SHA",
      "ECDHE-ECDSA-AES128-CCM8",
      "aNULL",
      "eNULL",
    ])
      expect(await handshake("-tls1_2", "-cipher", `${suite}:@SECLEVEL=0`), suite).to.match(
        /^refused: [\s\S]*handshake failure/,
      );
  });

  it("does not compress, and does not renegotiate", async () => {
    expect(await handshake("-tls1_2")).to.contain("Compression: NONE");
    const socket = await open();
    const again = new Promise<string>((resolve) => {
      socket.on("error", (error) => resolve(error.message));
      socket.renegotiate({ rejectUnauthorized: false }, (error) => resolve(error?.message ?? "done"));
    });
    expect(await again).to.contain("no renegotiation");
    socket.destroy();
  });

  it("sends records that a device has memory for", async () => {
    const sizes: number[] = [];
    // In between, only to see the headers of the records.
    const tap = createServer((client) => {
      const upstream = connectTcp(port, "127.0.0.1");
      client.pipe(upstream);
      let rest = Buffer.alloc(0);
      upstream.on("data", (bytes) => {
        rest = Buffer.concat([rest, bytes]);
        while (rest.length >= 5 && rest.length >= 5 + rest.readUInt16BE(3)) {
          if (rest[0] === 23) sizes.push(rest.readUInt16BE(3));
          rest = rest.subarray(5 + rest.readUInt16BE(3));
        }
        client.write(bytes);
      });
      for (const socket of [client, upstream]) {
        socket.on("error", () => {});
        socket.on("close", () => (socket === client ? upstream : client).destroy());
      }
    });
    await new Promise<void>((resolve) => tap.listen(0, "127.0.0.1", resolve));
    const url = `https://127.0.0.1:${(tap.address() as AddressInfo).port}/api/docs/json`;
    const body = await curl("--cacert", ca, "--tls-max", "1.2", url);
    tap.close();
    expect(body.length).to.be.greaterThan(4 * MAX_RECORD_BYTES);
    // 8 bytes of nonce and 16 of tag.
    expect(Math.max(...sizes)).to.equal(MAX_RECORD_BYTES + 24);
  });

  it("reads its certificate again when it is asked to, and keeps the old one when the new one is broken", async () => {
    const fingerprint = async () => {
      const socket = await open();
      const { fingerprint256 } = socket.getPeerCertificate();
      socket.destroy();
      return fingerprint256;
    };
    const before = await fingerprint();
    const names = readServerNames(["updates.test"], ["127.0.0.1"]);
    const made = await makeCertificates({ folder: join(folder, "own"), names, now: Date.now() });
    expect(await fingerprint()).to.equal(before);
    await server.reloadCertificate();
    const after = await fingerprint();
    expect(after).not.to.equal(before);
    await writeFile(made.server.cert, "no certificate");
    expect(
      await server.reloadCertificate().then(
        () => "taken",
        (error: Error) => error.message,
      ),
    ).to.match(/are no pair/);
    expect(await fingerprint()).to.equal(after);
  });

  const open = async (): Promise<TLSSocket> => {
    const socket = connect({ port, host: "127.0.0.1", ca: await readFile(ca), maxVersion: "TLSv1.2" });
    await new Promise<void>((resolve, reject) => {
      socket.once("secureConnect", resolve);
      socket.once("error", reject);
    });
    return socket;
  };
});

describe("a server with HTTPS beside plain HTTP", () => {
  let folder: string;
  let server: RunningServer;
  let ca: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "skyslot-tls-"));
    const names = readServerNames([], ["127.0.0.1"]);
    const made = await makeCertificates({ folder: join(folder, "tls"), names, now: Date.now() });
    ca = made.ca.pem;
    server = await startServer({ dataDir: join(folder, "data"), port: 0, tls: made.server, tlsPort: 0 });
  });
  afterEach(async () => {
    await server.close();
    await rm(folder, { recursive: true });
  });
  const curl = async (...args: readonly string[]) =>
    (await run("curl", ["-sS", "--max-time", "20", "--cacert", ca, ...args])).stdout;

  it("answers on both ports, and tells no browser to use TLS for the other one", async () => {
    expect(server.url).to.match(/^http:/);
    for (const url of [server.url, `${server.tlsUrl}`]) {
      expect(await curl(`${url}/healthz`)).to.equal('{"status":"ok"}');
      expect(await curl("-I", `${url}/login`)).not.to.match(/strict-transport-security/i);
    }
    expect(
      await curl(
        "-X",
        "POST",
        "--data",
        "{",
        "-H",
        "content-type: application/json",
        `${server.tlsUrl}/api/ota/check`,
      ),
    ).to.contain('"error"');
  });

  it("ends both, with connections that are kept alive, and answers what is no request", async () => {
    const port = Number(new URL(`${server.tlsUrl}`).port);
    const socket = connect({ port, host: "127.0.0.1", ca: await readFile(ca) });
    const over = new Promise<string>((resolve) => {
      let text = "";
      socket.on("data", (bytes) => {
        text += bytes;
      });
      socket.on("close", () => resolve(text));
    });
    socket.on("error", () => {});
    await new Promise<void>((resolve) => socket.once("secureConnect", resolve));
    const garbage = connect({ port, host: "127.0.0.1", ca: await readFile(ca) });
    const answer = new Promise<string>((resolve) => garbage.once("data", (bytes) => resolve(`${bytes}`)));
    garbage.write("no request at all\r\n\r\n");
    expect(await answer).to.match(/^HTTP\/1\.1 400 Bad Request/);
    await server.close();
    await over;
    const refused = await new Promise<string>((resolve) => {
      const again = connectTcp(port, "127.0.0.1");
      again.once("error", (error: NodeJS.ErrnoException) => resolve(`${error.code}`));
      again.once("connect", () => resolve("connected"));
    });
    expect(refused).to.equal("ECONNREFUSED");
  });
});
