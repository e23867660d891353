// What is wired to the pins of a virtual device: buttons, sensors. They are there before it boots and after; the firmware of one boot listens.

export type Level = 0 | 1;

export class Pins {
  readonly #levels = new Map<number, Level>();
  readonly #listeners = new Map<number, (level: Level) => void>();

  /** What is wired to the pin drives it to a level from now on; undefined: it leaves it alone, as an open button does. */
  drive(pin: number, level: Level | undefined): void {
    if (level === undefined) this.#levels.delete(pin);
    else this.#levels.set(pin, level);
    this.#listeners.get(pin)?.(this.levelOf(pin));
  }

  /** @param pulledTo where the chip's own resistor pulls it; without one it floats, and is read as low */
  levelOf(pin: number, pulledTo: Level = 0): Level {
    return this.#levels.get(pin) ?? pulledTo;
  }

  /** The firmware's driver hears each change of this pin. */
  listen(pin: number, changed: () => void): void {
    this.#listeners.set(pin, changed);
  }

  forget(pin: number): void {
    this.#listeners.delete(pin);
  }

  /** A chip that starts listens to nothing. */
  reset(): void {
    this.#listeners.clear();
  }
}
