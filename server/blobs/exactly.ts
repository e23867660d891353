// A stream of a known length: an answer whose length was announced must not end early without anybody noticing, because its reader
// would take the next answer on the connection for the rest.

import { Readable } from "node:stream";

/** What a source sends, if it is that long. @throws Error in the stream, with the numbers, if the blob is shorter or longer */
export async function* exactly(
  source: AsyncIterable<Uint8Array>,
  sizeBytes: number,
  name: string,
): AsyncGenerator<Uint8Array> {
  let sentBytes = 0;
  for await (const chunk of source) {
    sentBytes += chunk.length;
    if (sentBytes > sizeBytes) break;
    yield chunk;
  }
  if (sentBytes !== sizeBytes)
    throw new Error(`blob ${name} sent ${sentBytes} bytes where ${sizeBytes} were asked for`);
}

/**
 * Resolves when the first piece is there: what fails at once fails before an answer begins. What it resolves to has to be read, or
 * destroyed.
 */
export async function begin(source: AsyncIterable<Uint8Array>): Promise<Readable> {
  const pieces = source[Symbol.asyncIterator]();
  const first = await pieces.next();
  const rest = { [Symbol.asyncIterator]: () => pieces };
  const whole = async function* (): AsyncGenerator<Uint8Array> {
    if (!first.done) yield first.value;
    yield* rest;
  };
  // Also if nobody has begun to read.
  return Readable.from(whole(), { objectMode: false }).once("close", () => void pieces.return?.());
}
