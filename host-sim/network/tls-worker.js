// TLS 1.2 of Node's OpenSSL between bytes, in a thread of its own: Node's TLS needs turns of an event loop, and a virtual device is in the middle of
// one. Answers each request when the connection has nothing more to do with what has arrived. Plain JavaScript, as a thread has no loader for TypeScript.

import { Buffer } from "node:buffer";
import { Duplex } from "node:stream";
import { connect, createSecureContext, TLSSocket } from "node:tls";
import { workerData } from "node:worker_threads";

/** A connection is at rest when this number of turns has brought nothing. */
const QUIET_TURNS = 3;

const { port, signal } = workerData;
/** @type {Map<number, Session>} */
const sessions = new Map();

/** The network's side of a connection. */
class Wire extends Duplex {
  /** @type {Buffer[]} */
  sent = [];
  constructor() {
    super({ allowHalfOpen: true });
  }
  _read() {}
  /** @param {Buffer} bytes @param {string} _encoding @param {() => void} done */
  _write(bytes, _encoding, done) {
    this.sent.push(bytes);
    done();
  }
}

class Session {
  wire = new Wire();
  /** @type {Buffer[]} */
  plain = [];
  /** @type {Buffer[]} */
  chain = [];
  isConnected = false;
  hasEnded = false;
  failure = "";
  /** Whatever happens to it, counted. */
  changeCount = 0;

  /** @param {any} options */
  constructor(options) {
    const { isServer, host, ...others } = options;
    const context = createSecureContext({ minVersion: "TLSv1.2", maxVersion: "TLSv1.2", ...others });
    const isName = host && !/^[\d.]+$/.test(host);
    this.socket = isServer
      ? new TLSSocket(this.wire, { isServer: true, secureContext: context })
      : connect({
          socket: this.wire,
          secureContext: context,
          rejectUnauthorized: false,
          ...(isName ? { servername: host } : {}),
        });
    if (isServer) this.socket.setMaxSendFragment(4096);
    const noted = (/** @type {() => void} */ note) => () => {
      this.changeCount++;
      note();
    };
    this.socket.on(
      isServer ? "secure" : "secureConnect",
      noted(() => this.connected(isServer)),
    );
    this.socket.on(
      "end",
      noted(() => (this.hasEnded = true)),
    );
    this.socket.on("data", (bytes) => {
      this.changeCount++;
      this.plain.push(bytes);
    });
    this.socket.on("error", (error) => {
      this.changeCount++;
      this.failure ||= String(error.message);
    });
  }

  /** @param {boolean} isServer */
  connected(isServer) {
    this.isConnected = true;
    if (isServer) return;
    let one = this.socket.getPeerCertificate(true);
    while (one?.raw && !this.chain.some((known) => known.equals(one.raw))) {
      this.chain.push(one.raw);
      one = one.issuerCertificate;
    }
  }

  async rest() {
    let seen = -1;
    for (let quiet = 0; quiet < QUIET_TURNS; quiet++) {
      await new Promise((resolve) => setImmediate(resolve));
      const now = this.changeCount + this.wire.sent.length;
      if (now !== seen) quiet = 0;
      seen = now;
    }
  }

  take() {
    const { isConnected, hasEnded, failure, chain } = this;
    const taken = { out: Buffer.concat(this.wire.sent), plain: Buffer.concat(this.plain) };
    this.wire.sent = [];
    this.plain = [];
    return { ...taken, isConnected, hasEnded, failure, chain };
  }
}

/** @param {{ number: number, what: string, bytes: Uint8Array, options: object }} request */
async function answer({ number, what, bytes, options }) {
  if (what === "open") sessions.set(number, new Session(options));
  const session = sessions.get(number);
  if (!session) return { failure: "closed" };
  if (what === "receive") session.wire.push(Buffer.from(bytes));
  if (what === "write") session.socket.write(Buffer.from(bytes));
  if (what === "end") session.socket.end();
  if (what === "close") {
    sessions.delete(number);
    session.socket.destroy();
    return {};
  }
  await session.rest();
  return session.take();
}

port.on("message", async (/** @type {any} */ request) => {
  const found = await answer(request).catch((error) => ({ failure: String(error.message) }));
  port.postMessage(found);
  Atomics.add(signal, 0, 1);
  Atomics.notify(signal, 0);
});
