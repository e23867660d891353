// Bytes that come in pieces and are taken in other pieces. Keeps the pieces as they are; the caller that pushes one does not change
// it afterwards.

export class ByteQueue {
  #pieces: Uint8Array[] = [];
  /** Bytes of the first piece that are taken already. */
  #headOffset = 0;
  #byteCount = 0;

  /** Bytes that can be taken now. */
  get byteCount(): number {
    return this.#byteCount;
  }

  push(piece: Uint8Array): void {
    this.#pieces.push(piece);
    this.#byteCount += piece.length;
  }

  /** Puts a piece back in front of all others, whole. */
  unshift(piece: Uint8Array): void {
    const head = this.#pieces[0];
    if (head !== undefined) this.#pieces[0] = head.subarray(this.#headOffset);
    this.#headOffset = 0;
    this.#pieces.unshift(piece);
    this.#byteCount += piece.length;
  }

  /**
   * The first `count` bytes, or all if there are fewer.
   * @param onPieceEmptied called with the length of each piece whose last byte is taken
   */
  take(count: number, onPieceEmptied?: (pieceBytes: number) => void): Uint8Array {
    const bytes = new Uint8Array(Math.min(count, this.#byteCount));
    let filled = 0;
    while (filled < bytes.length) {
      const head = this.#pieces[0] as Uint8Array;
      const part = head.subarray(this.#headOffset, this.#headOffset + bytes.length - filled);
      bytes.set(part, filled);
      filled += part.length;
      this.#headOffset += part.length;
      if (this.#headOffset === head.length) {
        this.#pieces.shift();
        this.#headOffset = 0;
        onPieceEmptied?.(head.length);
      }
    }
    this.#byteCount -= filled;
    return bytes;
  }

  clear(): void {
    this.#pieces = [];
    this.#headOffset = 0;
    this.#byteCount = 0;
  }
}
