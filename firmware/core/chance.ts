// Randomness of several events in one text: each event brings 32 bits, a nonce takes 128. Draws nothing itself.

/** Hex digits: 128 bits. */
export const CHANCE_DIGITS = 32;

export const NO_CHANCE = "0".repeat(CHANCE_DIGITS);

/** The digits of the last four events, the last first. @param random 0 (included) to 1 (excluded) */
export function gatherChance(chance: string, random: number): string {
  const digits = Math.floor(random * 2 ** 32)
    .toString(16)
    .padStart(8, "0");
  return (digits + chance).slice(0, CHANCE_DIGITS);
}
