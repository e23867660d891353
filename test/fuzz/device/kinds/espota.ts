// Whole conversations of espota with the owner's token: the invitation, the answer to the challenge, and the upload over the connection that
// the device opens, which may bring anything. The files are no images, so that nothing may be armed.

import { createHash } from "node:crypto";
import type { TcpSocket } from "../../../../host-sim/network/tcp-socket.js";
import { below, chance, pick, type Random } from "../../values.js";
import type { Ground } from "../ground.js";
import { type House, OWNER_TOKEN } from "../house.js";
import type { Input, Kind } from "../kind.js";
import { EDGE_NUMBERS, mutateText, piecesOf } from "../mutate.js";
import { oddFile } from "../releases.js";
import { settled } from "./pages.js";

export const espota: Kind = {
  name: "espota",
  what: "pushes by espota",
  share: 2,
  start: "open",
  begin: settled,
  make,
};

const PUSH_PORT = 3232;
/** A push that stalls is given up after two minutes. */
const LIMIT_MS = 300_000;
const OLD_NONCE_DIGITS = 32;

const md5 = (data: string | Uint8Array): string => createHash("md5").update(data).digest("hex");

interface Conversation {
  readonly bytes: Uint8Array;
  readonly size: string;
  readonly md5: string;
  readonly isOld: boolean;
  readonly isDamaged: boolean;
  readonly pieces: readonly number[] | undefined;
  readonly end: "wait" | "close" | "reset";
  /** The upload begins before the device asks, or never. */
  readonly sent: "all" | "part" | "more" | "none";
}

function make(random: Random, ground: Ground): Input {
  let file = oddFile(random, ground);
  while (file.wouldStart) file = oddFile(random, ground);
  const { bytes } = file;
  const conversation: Conversation = {
    bytes,
    size: chance(random, 0.85) ? `${bytes.length}` : pick(random, EDGE_NUMBERS),
    md5: chance(random, 0.9) ? md5(bytes) : "0".repeat(32),
    isOld: chance(random, 0.5),
    isDamaged: chance(random, 0.2),
    pieces: piecesOf(random),
    end: pick(random, ["wait", "wait", "close", "reset"]),
    sent: pick(random, ["all", "all", "part", "more", "none"]),
  };
  return {
    text: `${bytes.length} bytes, said to be ${conversation.size}; sends ${conversation.sent}, then ${conversation.end}`,
    feed: (house) => talk(house, random, conversation),
  };
}

async function talk(house: House, random: Random, conversation: Conversation): Promise<string> {
  const { stranger } = house;
  let said = "";
  let isOver = false;
  const over = (text: string): void => {
    if (said === "" || text !== "") said = text;
    isOver = true;
  };
  const listener = stranger.listen(0, (socket) => upload(house, random, socket, conversation, over));
  const udp = stranger.bindUdp(0, ({ bytes }) => {
    const text = Buffer.from(bytes).toString("latin1");
    if (text.startsWith("AUTH ")) send(answerTo(text, conversation));
    else if (text !== "OK") over(text);
  });
  const send = (text: string): void => {
    const sent = conversation.isDamaged && chance(random, 0.6) ? mutateText(random, text, 400) : text;
    udp?.send(Buffer.from(sent, "latin1"), house.address ?? "192.168.1.100", PUSH_PORT);
  };
  send(`0 ${listener?.port} ${conversation.size} ${conversation.md5}\n`);
  const isSilent = house.world.nowMs + SILENCE_MS;
  await house.until(
    () => isOver || (said === "" && house.world.nowMs > isSilent && !isAsked(listener)),
    LIMIT_MS,
  );
  listener?.close();
  udp?.close();
  return said === "" ? "silence" : said.slice(0, 5).replace(/[^A-Za-z]/g, "") || "count";
}

const SILENCE_MS = 15_000;

/** The device has come for the upload. */
const isAsked = (listener: { readonly connectionCount: number } | undefined): boolean =>
  (listener?.connectionCount ?? 0) > 0;

function answerTo(challenge: string, { isOld }: Conversation): string {
  const nonce = challenge.slice(5).trim();
  const client = md5("image.bin");
  const known = isOld ? nonce.slice(0, OLD_NONCE_DIGITS) : nonce;
  return `200 ${client} ${md5(`${md5(OWNER_TOKEN)}:${known}:${client}`)}\n`;
}

function upload(
  house: House,
  random: Random,
  socket: TcpSocket,
  { bytes, pieces, end, sent }: Conversation,
  over: (text: string) => void,
): void {
  let text = "";
  let offset = 0;
  let count = 0;
  const limit = { all: bytes.length, more: bytes.length, part: below(random, bytes.length + 1), none: 0 }[
    sent
  ];
  const write = (): void => {
    if (socket.state === "closed") return;
    const until = Math.min(limit, offset + (pieces?.[count++ % pieces.length] ?? Infinity));
    if (until > offset) socket.write(bytes.subarray(offset, until));
    offset = until;
    if (offset < limit && count < MAX_PIECES) house.world.schedule(1, write);
    else {
      if (offset < limit) socket.write(bytes.subarray(offset, limit));
      if (sent === "more") socket.write(new Uint8Array(3000));
      if (end !== "wait") house.world.schedule(5, leave);
    }
  };
  const leave = (): void => {
    over(text);
    if (end === "close") socket.close();
    else socket.abort();
  };
  socket.events = {
    received: () => {
      text += Buffer.from(socket.read()).toString("latin1");
    },
    ended: () => {
      text += Buffer.from(socket.read()).toString("latin1");
      over(text.replace(/^\d+/, "") || "closed");
      socket.close();
    },
    failed: () => over(text || "reset"),
  };
  write();
}

/** On the wire; the rest is one. */
const MAX_PIECES = 64;
