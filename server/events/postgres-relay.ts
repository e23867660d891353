// Carries live messages between servers through the database that they share (LISTEN and NOTIFY). What is stored in a short while
// travels together, after its transactions are kept: a NOTIFY inside them would make them wait for each other when they commit.
//
//   payload:  ORIGIN " " n "/" count " " text      text: a piece of a JSON array of messages, in ASCII; ≤ 8000 bytes in all

import { randomUUID } from "node:crypto";
import pg from "pg";
import type { LiveMessage, Relay, Watcher } from "./live.js";

const CHANNEL = "skyslot_live";
const COLLECT_MS = 25;
/** PostgreSQL takes payloads of less than 8000 bytes; the head is below 100. */
const PIECE_LENGTH = 7800;
/** Messages that wait for a database that is away; the others read again when it is back. */
const MAX_WAITING_COUNT = 10_000;
/** Longest text that is put together from pieces. */
const MAX_TEXT_LENGTH = 64 * 1024 * 1024;
const RECONNECT_MS = 1000;

/** @param onTrouble called when a connection was lost or failed; it is retried */
export function openPostgresRelay(url: string, onTrouble: (error: Error) => void): Relay {
  return new PostgresRelay(url, onTrouble);
}

class PostgresRelay implements Relay {
  readonly #url: string;
  readonly #onTrouble: (error: Error) => void;
  readonly #origin = randomUUID();
  readonly #parts = new Map<string, string>();
  #watcher: Required<Watcher> | undefined;
  #client: pg.Client | undefined;
  #waiting: LiveMessage[] = [];
  #timer: NodeJS.Timeout | undefined;
  #sending: Promise<void> = Promise.resolve();
  #isClosed = false;

  constructor(url: string, onTrouble: (error: Error) => void) {
    this.#url = url;
    this.#onTrouble = onTrouble;
  }

  receive(watcher: Required<Watcher>): void {
    this.#watcher = watcher;
    void this.#connect(false);
  }

  send(messages: readonly LiveMessage[]): void {
    if (this.#isClosed || messages.length === 0) return;
    if (this.#waiting.length < MAX_WAITING_COUNT) this.#waiting.push(...messages);
    this.#sendSoon();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    await this.#flush();
    await this.#client?.end().catch(() => {});
  }

  async #connect(isAgain: boolean): Promise<void> {
    const client = new pg.Client({
      connectionString: this.#url,
      keepAlive: true,
      application_name: "skyslot live",
    });
    let hasEnded = false;
    const end = () => {
      if (!hasEnded) this.#reconnect();
      hasEnded = true;
    };
    client.on("notification", ({ payload }) => this.#take(payload ?? ""));
    // Without a listener the process would end.
    client.on("error", this.#onTrouble);
    client.once("end", end);
    try {
      await client.connect();
      await client.query(`listen ${CHANNEL}`);
    } catch (error) {
      if (!this.#isClosed) this.#onTrouble(error as Error);
      await client.end().catch(() => {});
      return end();
    }
    this.#client = client;
    if (this.#isClosed) await client.end().catch(() => {});
    if (isAgain) this.#watcher?.gap();
    this.#sendSoon();
  }

  #reconnect(): void {
    this.#client = undefined;
    this.#parts.clear();
    if (!this.#isClosed) setTimeout(() => this.#isClosed || void this.#connect(true), RECONNECT_MS).unref();
  }

  #sendSoon(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#sending = this.#sending.then(() => this.#flush());
    }, COLLECT_MS);
    this.#timer.unref();
  }

  async #flush(): Promise<void> {
    const client = this.#client;
    if (!client || this.#waiting.length === 0) return;
    const text = toAscii(JSON.stringify(this.#waiting.splice(0)));
    const count = Math.ceil(text.length / PIECE_LENGTH);
    try {
      for (let n = 1; n <= count; n++) {
        const piece = text.slice((n - 1) * PIECE_LENGTH, n * PIECE_LENGTH);
        await client.query("select pg_notify($1, $2)", [CHANNEL, `${this.#origin} ${n}/${count} ${piece}`]);
      }
    } catch (error) {
      this.#onTrouble(error as Error);
    }
  }

  /** Pieces of one origin arrive in the order in which they were sent. */
  #take(payload: string): void {
    const [, origin = "", n, count, piece = ""] = /^(\S+) (\d+)\/(\d+) (.*)$/s.exec(payload) ?? [];
    if (!origin || origin === this.#origin) return;
    const text = (n === "1" ? "" : (this.#parts.get(origin) ?? "")) + piece;
    if (n !== count && text.length < MAX_TEXT_LENGTH) {
      this.#parts.set(origin, text);
      return;
    }
    this.#parts.delete(origin);
    const messages = parse(text);
    if (!messages) this.#watcher?.gap();
    else for (const message of messages) this.#watcher?.message(message);
  }
}

/** JSON may escape every character, so that bytes are characters. */
const toAscii = (json: string): string =>
  json.replace(/[\u007f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);

/** `undefined`: its beginning was missed. */
function parse(text: string): readonly LiveMessage[] | undefined {
  try {
    return JSON.parse(text) as readonly LiveMessage[];
  } catch {
    return undefined;
  }
}
