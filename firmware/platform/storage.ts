// Settings in NVS, through `embedded:storage/key-value`: one namespace, strings only (see core/settings/preferences.ts for why). The SDK
// throws where NVS is full, holds a value of another type or cannot be opened; here that is a result, and the firmware goes on without.

import KeyValue from "embedded:storage/key-value";
import { explainEsp } from "../core/esp-error.js";
import type { Problem } from "../core/event.js";
import type { StoredValues } from "../core/stored.js";
import type { Native } from "./native.js";
import { eraseNvs, isEraseBegun } from "./nvs-erase.js";

/** NVS namespace of the firmware, at most 15 characters. */
const NAMESPACE = "skyslot";

/** What was read, and what could not be. */
export interface Found {
  readonly stored: StoredValues;
  readonly problems: readonly Problem[];
}

/** Why something could not be stored, in a sentence's words; undefined: it is. */
type Refusal = string | undefined;

export class Storage {
  #opened: ReturnType<typeof openStore> | undefined;

  /** The values of these keys that are texts within their limits. Nothing else in the namespace is touched. */
  readAll(...limits: readonly Readonly<Record<string, number>>[]): Found {
    const why = this.#refusalToOpen();
    if (why !== undefined)
      return { stored: {}, problems: [{ code: "STORE_FAILED", message: `Nothing can be stored: ${why}.` }] };
    const stored: Record<string, string> = {};
    const skipped: string[] = [];
    for (const table of limits)
      for (const key of Object.keys(table)) this.#readInto(stored, skipped, key, table[key] as number);
    const message = `What is stored under these names is not used: ${skipped.join(", ")}.`;
    return { stored, problems: skipped.length > 0 ? [{ code: "STORED_INVALID", message }] : [] };
  }

  #readInto(stored: Record<string, string>, skipped: string[], key: string, limit: number): void {
    try {
      const value = this.#store().read(key);
      if (typeof value !== "string") return;
      if (value.length <= limit) stored[key] = value;
      else skipped.push(`${key} (${value.length} characters, ${limit} are allowed)`);
    } catch (error) {
      skipped.push(`${key} (${reasonOf(error)})`);
    }
  }

  /** undefined also for what cannot be read. */
  read(key: string): string | undefined {
    try {
      const value = this.#store().read(key);
      return typeof value === "string" ? value : undefined;
    } catch {
      return undefined;
    }
  }

  write(key: string, value: string): Refusal {
    try {
      this.#store().write(key, value);
      return undefined;
    } catch (error) {
      return reasonOf(error);
    }
  }

  forget(key: string): Refusal {
    try {
      this.#store().delete(key);
      return undefined;
    } catch (error) {
      return reasonOf(error);
    }
  }

  /** All of these or, as far as the flash lets, none; undefined: forgotten. */
  save(values: Readonly<Record<string, string | undefined>>): Refusal {
    const before: (readonly [string, string | undefined])[] = [];
    for (const key of Object.keys(values)) {
      before.push([key, this.read(key)]);
      const why = this.#set(key, values[key]);
      if (why === undefined) continue;
      for (const [changed, value] of before.reverse()) this.#set(changed, value);
      return why;
    }
    return undefined;
  }

  #set(key: string, value: string | undefined): Refusal {
    return value === undefined ? this.forget(key) : this.write(key, value);
  }

  /** Factory reset: erases all of NVS, other namespaces included. */
  forgetAll(native: Native): Refusal {
    this.#opened?.close();
    this.#opened = undefined;
    try {
      eraseNvs(native);
      return undefined;
    } catch (error) {
      return reasonOf(error);
    }
  }

  /** Finishes what a power cut has interrupted. Before anything is read. */
  finishForgetting(native: Native): void {
    if (isEraseBegun()) this.forgetAll(native);
  }

  #refusalToOpen(): Refusal {
    try {
      this.#store();
      return undefined;
    } catch (error) {
      return reasonOf(error);
    }
  }

  /** Opening creates the namespace, for which there may be no space now, but later. */
  #store(): ReturnType<typeof openStore> {
    this.#opened ??= openStore();
    return this.#opened;
  }
}

const openStore = () => KeyValue.open({ path: NAMESPACE, format: "string" });

const reasonOf = (error: unknown): string =>
  explainEsp(error instanceof Error ? error.message : String(error));
