// What anyone in its network can send to the device: heads that are too large, and more connections than it has room for. It may answer
// anything, or close; it must not restart.

import { type Address, type RawAnswer, reset, sendRaw } from "../device-door.js";
import { expect, type Journey } from "../journey.js";
import { pause } from "../waiting.js";

const HEAD_KILOBYTES: readonly number[] = [10, 30, 60];
const CONNECTION_COUNT = 24;
/** How long the connections that send nothing stay open. */
const SILENCE_MS = 5_000;
const RESET_COUNT = 300;

export const refusesLargeHeadsOnPort80AndStaysUp = (journey: Journey): Promise<string> =>
  refusesLargeHeads(journey, journey.page, "GET /");

export const refusesLargeHeadsOnPort3232AndStaysUp = (journey: Journey): Promise<string> =>
  refusesLargeHeads(journey, journey.push, "POST /update");

export async function staysUpWith24ConnectionsAtOnce(journey: Journey): Promise<string> {
  const asking = Buffer.from("GET /api/version HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n");
  const silent = (address: Address) => sendRaw(address, new Uint8Array(), SILENCE_MS);
  // on port 80 half of them ask, a quarter are silent, and another quarter are silent on port 3232
  const open = (index: number) => {
    if (index % 2 === 0) return sendRaw(journey.page, asking, journey.limitMs(20));
    return silent(index % 4 === 1 ? journey.page : journey.push);
  };
  const answers = await staysUp(journey, () =>
    Promise.all(Array.from({ length: CONNECTION_COUNT }, (_, index) => open(index))),
  );
  const answeredCount = answers.filter(({ status }) => status === 200).length;
  return `${answeredCount} of ${CONNECTION_COUNT / 2} requests were answered; the others sent nothing`;
}

/** A connection that is reset before the device has taken it, or while it answers. */
export async function staysUpWhen300ConnectionsAreReset(journey: Journey): Promise<string> {
  const asking = Buffer.from("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
  const pieces = [new Uint8Array(), asking, asking.subarray(0, 4)];
  await staysUp(journey, async () => {
    for (let index = 0; index < RESET_COUNT; index++) {
      const address = index % 4 === 3 ? journey.push : journey.page;
      await reset(address, pieces[index % pieces.length] ?? asking, journey.limitMs(10));
    }
  });
  return `${RESET_COUNT} connections, a quarter of them to port 3232`;
}

async function refusesLargeHeads(journey: Journey, address: Address, verb: string): Promise<string> {
  const answers: string[] = [];
  for (const size of HEAD_KILOBYTES) {
    for (const [what, head] of largeHeads(verb, address.host, size * 1024)) {
      journey.parts.say(`${size} KB of ${what}`);
      const answer = await staysUp(journey, () => sendRaw(address, head, journey.limitMs(30)));
      expect(isRefusal(answer), `${size} KB of ${what}: ${answer.status || "neither answered nor closed"}`);
      answers.push(`${answer.status || "closed"}`);
    }
  }
  return `${HEAD_KILOBYTES.join(", ")} KB as one header, a path, many headers, and without an end: ${answers.join(", ")}`;
}

const isRefusal = ({ status, end }: RawAnswer) => status >= 400 || (status === 0 && end === "closed");

function largeHeads(verb: string, host: string, sizeBytes: number): readonly [string, Uint8Array][] {
  const head = (path: string, ...headers: readonly string[]) =>
    Buffer.from([`${verb}${path} HTTP/1.1`, `Host: ${host}`, ...headers, "", ""].join("\r\n"));
  const long = "x".repeat(sizeBytes);
  const many = Array.from({ length: Math.ceil(sizeBytes / 8) }, (_, index) => `a${index % 1000}: b`);
  return [
    ["one header", head("", `X-Long: ${long}`)],
    ["a path", head(`?${long}`)],
    ["many headers", head("", ...many)],
    ["a line without an end", Buffer.from(long)],
  ];
}

/** @throws Error when the device restarts meanwhile, or does not recover */
async function staysUp<Value>(journey: Journey, act: () => Promise<Value>): Promise<Value> {
  const { serial } = journey.parts;
  const before = await journey.answers();
  const restartCount = serial?.restartCount;
  const value = await act();
  await pause(500);
  const after = await journey.answers(90);
  expect(
    after.uptimeSeconds >= before.uptimeSeconds && serial?.restartCount === restartCount,
    `it restarted: up for ${before.uptimeSeconds} s before, ${after.uptimeSeconds} s after`,
  );
  return value;
}
