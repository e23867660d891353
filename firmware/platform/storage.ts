// Settings in NVS, through `embedded:storage/key-value`: one namespace, strings only (see core/settings/preferences.ts for why).

import KeyValue from "embedded:storage/key-value";

/** NVS namespace of the firmware, at most 15 characters. */
const NAMESPACE = "skyslot";

export class Storage {
  readonly #store = KeyValue.open({ path: NAMESPACE, format: "string" });

  readAll(): Record<string, string> {
    const all: Record<string, string> = {};
    for (const key of this.#store) {
      const value = this.#store.read(key);
      if (typeof value === "string") all[key] = value;
    }
    return all;
  }

  read(key: string): string | undefined {
    const value = this.#store.read(key);
    return typeof value === "string" ? value : undefined;
  }

  write(key: string, value: string): void {
    this.#store.write(key, value);
  }

  forget(key: string): void {
    this.#store.delete(key);
  }

  forgetAll(): void {
    // the keys first: deleting moves the iterator
    for (const key of [...this.#store]) this.#store.delete(key);
  }
}
