// Port 3232: who may push an image, and an accepted push.

import { makeReleaseKeys } from "../../../release/keys.js";
import { ask, type RawAnswer, sendRaw } from "../device-door.js";
import { expect, type Journey, kilobytes, type SignedImage, secondsToTake } from "../journey.js";

export async function refusesAPushWithoutItsToken(journey: Journey): Promise<string> {
  const image = journey.parts.images.a;
  const without = await beginPush(journey, image.length, []);
  expect(without.status === 401, `without a token: ${described(without)}`);
  const wrong = await beginPush(journey, image.length, [`Authorization: Bearer ${journey.parts.token}-not`]);
  expect(wrong.status === 403, `with a wrong token: ${described(wrong)}`);
  return "401 without a token, 403 with a wrong one";
}

export async function refusesAPushThatIsSignedByAnotherKey(journey: Journey): Promise<string> {
  const { privateKey } = await makeReleaseKeys();
  const signed = await journey.sign(journey.parts.images.a, privateKey);
  const answer = await push(journey, signed);
  expect(answer.status === 422, `it was answered ${answer.status}: ${answer.text}`);
  return `422, ${answer.text}`;
}

export async function takesAPushAndValidatesIt(journey: Journey): Promise<string> {
  const { images, front } = journey.parts;
  const signed = await journey.sign(images.b ?? images.a);
  const checkCount = front.checks.length;
  const startedAt = Date.now();
  const { status, text } = await push(journey, signed);
  const seconds = (Date.now() - startedAt) / 1000;
  expect(status === 200, `it was answered ${status}: ${text}`);
  const { slot } = await journey.validated(signed, checkCount);
  const speed = kilobytes(signed.image.length / seconds);
  return `${signed.version}, ${kilobytes(signed.image.length)} at ${speed} a second, validated in ${slot}`;
}

/** The largest image that fits its slot, bytes: from its refusal of one that never fits. */
export async function slotBytesOf(journey: Journey): Promise<number> {
  const answer = await beginPush(journey, 4_000_000_000, [`Authorization: Bearer ${journey.parts.token}`]);
  const slotBytes = Number(/slot is (\d+)/.exec(answer.text)?.[1]);
  expect(answer.status === 413 && slotBytes > 0, `the size of its slot was asked for: ${described(answer)}`);
  return slotBytes;
}

function push(journey: Journey, { image, release }: SignedImage) {
  journey.parts.say(`pushing ${kilobytes(image.length)}`);
  return ask(journey.push, "/update", {
    method: "POST",
    headers: {
      authorization: `Bearer ${journey.parts.token}`,
      "x-skyslot-release": release,
      // a refusal comes before the body
      expect: "100-continue",
    },
    body: image,
    limitMs: journey.limitMs(secondsToTake(image.length)),
  });
}

/** A push of which only the head is sent. */
function beginPush(journey: Journey, sizeBytes: number, headers: readonly string[]): Promise<RawAnswer> {
  const { host } = journey.push;
  const lines = [
    "POST /update HTTP/1.1",
    `Host: ${host}`,
    `Content-Length: ${sizeBytes}`,
    ...headers,
    "",
    "",
  ];
  return sendRaw(journey.push, Buffer.from(lines.join("\r\n")), journey.limitMs(20));
}

const described = ({ status, end, text }: RawAnswer): string =>
  status > 0
    ? `it was answered ${status}: ${text}`
    : end === "closed"
      ? "it was closed"
      : "it was not answered";
