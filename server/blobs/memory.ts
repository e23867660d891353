// What is known of blobs, by their name. A blob never changes, so what was once read of it need not be read again.

export class Memory<Value> {
  readonly #maxCount: number;
  readonly #values = new Map<string, Value>();

  constructor(maxCount: number) {
    this.#maxCount = maxCount;
  }

  get(sha256: string): Value | undefined {
    return this.#values.get(sha256);
  }

  set(sha256: string, value: Value): Value {
    this.#values.delete(sha256);
    this.#values.set(sha256, value);
    const [oldest] = this.#values.keys();
    if (this.#values.size > this.#maxCount && oldest !== undefined) this.#values.delete(oldest);
    return value;
  }

  delete(sha256: string): void {
    this.#values.delete(sha256);
  }
}
