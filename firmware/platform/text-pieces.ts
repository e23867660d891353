// A text as UTF-8, one small piece at a time: the setup page as one buffer would take a fifth of the device's heap.

const PIECE_CHARACTERS = 1024;

export class TextPieces {
  #text: string;
  #position = 0;
  #rest: ArrayBuffer | undefined;

  constructor(text: string) {
    this.#text = text;
  }

  /** At most `count` bytes; nothing at the end. */
  take(count: number): ArrayBuffer | undefined {
    const piece = this.#rest ?? this.#next();
    this.#rest = piece && piece.byteLength > count ? piece.slice(count) : undefined;
    return this.#rest ? piece?.slice(0, count) : piece;
  }

  #next(): ArrayBuffer | undefined {
    if (this.#position >= this.#text.length) return undefined;
    let end = this.#position + PIECE_CHARACTERS;
    const last = this.#text.charCodeAt(end - 1);
    if (last >= 0xd800 && last < 0xdc00) end++; // never between the halves of a pair
    const piece = ArrayBuffer.fromString(this.#text.slice(this.#position, end));
    this.#position = end;
    return piece;
  }
}

/** Bytes of a text as UTF-8. */
export function utf8Bytes(text: string): number {
  const pieces = new TextPieces(text);
  let sizeBytes = 0;
  for (let piece = pieces.take(Infinity); piece; piece = pieces.take(Infinity)) sizeBytes += piece.byteLength;
  return sizeBytes;
}
