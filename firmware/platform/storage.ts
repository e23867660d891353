// Settings in NVS, through `embedded:storage/key-value`: one namespace, strings only (see core/preferences.ts for why).

import KeyValue from "embedded:storage/key-value";

/** NVS namespace of the firmware, at most 15 characters. */
const NAMESPACE = "skyslot";

export type Storage = ReturnType<typeof createStorage>;

export function createStorage() {
  const store = KeyValue.open({ path: NAMESPACE, format: "string" });
  return {
    readAll(): Record<string, string> {
      const all: Record<string, string> = {};
      for (const key of store) {
        const value = store.read(key);
        if (typeof value === "string") all[key] = value;
      }
      return all;
    },
    read(key: string): string | undefined {
      const value = store.read(key);
      return typeof value === "string" ? value : undefined;
    },
    write: (key: string, value: string) => store.write(key, value),
    forget: (key: string) => store.delete(key),
    forgetAll() {
      // the keys first: deleting moves what the iterator stands on
      for (const key of [...store]) store.delete(key);
    },
  };
}
