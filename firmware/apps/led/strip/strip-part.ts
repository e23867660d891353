// The strip as a part of the device: plays what its settings say, is dark during an update, and identifies the device. A strip that cannot
// be driven is a line in the log.

import type { Section } from "../../../core/section.js";
import { storedValues } from "../../../core/settings/app-settings.js";
import { isPassing, type Status } from "../../../core/status.js";
import type { AppPart } from "../../../platform/app-host.js";
import { readLedSettings } from "../core/settings.js";
import { createLedStrip, type LedStrip } from "./led-strip.js";

export class StripPart implements AppPart {
  readonly #section: Section;
  #strip: LedStrip | undefined;
  #isDark = false;

  /** @param text the stored settings */
  constructor(section: Section, text: string | undefined) {
    this.#section = section;
    this.#play(text);
  }

  showStatus(status: Status): void {
    const wasDark = this.#isDark;
    if (status.name === "identify") this.#strip?.identify();
    if (!isPassing(status)) this.#isDark = status.name === "updating";
    if (this.#isDark !== wasDark) this.#strip?.darken(this.#isDark);
  }

  onStore(key: string, value: string): void {
    if (key === this.#section.name) this.#play(value);
  }

  #play(text: string | undefined): void {
    const { values, problems } = storedValues(this.#section, text);
    problems.forEach(warn);
    this.#strip?.close();
    this.#strip = undefined;
    try {
      this.#strip = createLedStrip(readLedSettings(values));
      if (this.#isDark) this.#strip.darken(true);
    } catch (error) {
      warn(error);
    }
  }
}

export function warn(problem: unknown): void {
  trace(`warn: LED strip: ${problem}\n`);
}
