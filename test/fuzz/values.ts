// Values for the fuzzer: valid ones by a schema, and invalid ones.

import type { TSchema } from "@sinclair/typebox";

/** Numbers in [0, 1), the same for the same seed. */
export type Random = () => number;

export const pick = <Item>(random: Random, items: readonly Item[]): Item =>
  items[Math.floor(random() * items.length)] as Item;
export const chance = (random: Random, probability: number): boolean => random() < probability;
export const below = (random: Random, limit: number): number => Math.floor(random() * limit);

/** Texts that patterns of the API may accept; also what exists on the server under test. */
const PLAUSIBLE = Object.freeze([
  "base-1",
  "base",
  "old",
  "esp32",
  "1.0.0",
  "1.1.0",
  "1.2.0",
  "FLASH_WRITE",
  "ROLLED_BACK",
  "update.*",
  "a".repeat(64),
  "127.0.0.1",
  "00:11:22:33:44:55",
  "7",
  "2026-11-21T12:00:00Z",
  "Europe/Berlin",
  "08:00",
  "kitchen",
]);

export const HOSTILE_TEXTS = Object.freeze([
  "",
  " ",
  "\u0000",
  "a\u0000b",
  "\ud800",
  "\udfff\ud800",
  "💡".repeat(40),
  "ü",
  "\u202e",
  "../../../../etc/passwd",
  "..%2f..%2f",
  "%00",
  "%",
  "%zz",
  "%ff%fe",
  "'; drop table devices; --",
  '" or 1=1',
  "{{7*7}}",
  "<script>alert(1)</script>",
  "__proto__",
  "constructor",
  "toString",
  "NaN",
  "Infinity",
  "-0",
  "1e309",
  "9007199254740993",
  "-1",
  "0x10",
  "true",
  "null",
  "[]",
  "{}",
  "a".repeat(65),
  "a".repeat(129),
  "a".repeat(5000),
  "\r\nx: y",
  "\n",
  "1.0.0-".repeat(7),
  "999999999999999999999.0.0",
  "*",
]);

const HOSTILE_NUMBERS = Object.freeze([
  0,
  -0,
  -1,
  0.5,
  1e308,
  -1e308,
  5e-324,
  2 ** 31,
  2 ** 32,
  2 ** 32 - 1,
  2 ** 53,
  -(2 ** 53),
  2 ** 63,
  2 ** 64,
]);

/** Any JSON value. */
export function hostileValue(random: Random, depth = 0): unknown {
  switch (below(random, depth > 3 ? 4 : 7)) {
    case 0:
      return pick(random, HOSTILE_TEXTS);
    case 1:
      return pick(random, HOSTILE_NUMBERS);
    case 2:
      return pick(random, [null, true, false]);
    case 3:
      return pick(random, PLAUSIBLE);
    case 4:
      return Array.from({ length: below(random, 5) }, () => hostileValue(random, depth + 1));
    case 5:
      return Array.from({ length: 600 }, () => 1);
    default:
      return Object.fromEntries(
        Array.from({ length: below(random, 4) }, () => [
          pick(random, [...HOSTILE_TEXTS, "device_id", "id", "limit"]),
          hostileValue(random, depth + 1),
        ]),
      );
  }
}

/** A value that a schema accepts, if one is easily found. */
export function sample(schema: TSchema, random: Random): unknown {
  if ("const" in schema) return schema.const;
  if (Array.isArray(schema.anyOf)) return sample(pick(random, schema.anyOf as TSchema[]), random);
  if (Array.isArray(schema.enum)) return pick(random, schema.enum as unknown[]);
  switch (schema.type) {
    case "object":
      return objectOf(schema, random);
    case "array": {
      const length = Math.max(Number(schema.minItems ?? 0), 1 + below(random, 3));
      return Array.from({ length }, () => sample((schema.items ?? {}) as TSchema, random));
    }
    case "string":
      return textOf(schema, random);
    case "integer":
      return numberOf(schema, random, Math.floor);
    case "number":
      return numberOf(schema, random, (value) => value);
    case "boolean":
      return chance(random, 0.5);
    case "null":
      return null;
    default:
      return hostileValue(random);
  }
}

function objectOf(schema: TSchema, random: Random): Record<string, unknown> {
  const required = (schema.required ?? []) as readonly string[];
  const entries = Object.entries((schema.properties ?? {}) as Record<string, TSchema>).filter(
    ([name]) => required.includes(name) || chance(random, 0.4),
  );
  return Object.fromEntries(entries.map(([name, inner]) => [name, sample(inner, random)]));
}

function textOf(schema: TSchema, random: Random): string {
  const pattern = schema.pattern === undefined ? undefined : new RegExp(String(schema.pattern));
  if (pattern === undefined) return pick(random, [...PLAUSIBLE, "some text"]);
  const fitting = PLAUSIBLE.filter((text) => pattern.test(text));
  // Many names of devices, but not more than a server may hold.
  if (pattern.test("base-1") && chance(random, 0.5)) return `base-${below(random, 300)}`;
  return fitting.length > 0 ? pick(random, fitting) : pick(random, HOSTILE_TEXTS);
}

function numberOf(schema: TSchema, random: Random, round: (value: number) => number): number {
  const least = Number(schema.minimum ?? 0);
  const most = Math.max(least, Math.min(Number(schema.maximum ?? 100), least + 2 ** 32));
  // Ids and counts are mostly small.
  const span = chance(random, 0.7) ? Math.min(5, most - least) : most - least;
  return round(least + random() * span);
}
