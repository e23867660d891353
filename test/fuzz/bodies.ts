// Bodies of the fuzzer's requests: nearly right ones, by the schemas or by a recipe, and such as match no content type; forms, whole or cut off.

import { type TSchema, Type } from "@sinclair/typebox";
import type { Surroundings } from "./furniture.js";
import type { Form, Recipe } from "./recipes.js";
import { below, chance, HOSTILE_TEXTS, hostileValue, pick, type Random, sample } from "./values.js";

export interface Content {
  readonly type?: string | undefined;
  readonly bytes: Buffer;
}

const JSON_TYPE = "application/json";

export function bodyOf(
  { body, url }: { readonly body: TSchema | undefined; readonly url: string },
  around: Surroundings,
  random: Random,
  recipe: Recipe | undefined,
): Content | undefined {
  if (recipe?.form) return formOf(recipe.form, random);
  if (recipe?.body) {
    const value = structuredClone(recipe.body);
    if (chance(random, 0.3)) damage(value, around, random);
    return { type: JSON_TYPE, bytes: Buffer.from(JSON.stringify(value) ?? "") };
  }
  if (/upload/.test(url) ? chance(random, 0.9) : chance(random, 0.02)) return multipart(around, random);
  if (!body && chance(random, 0.7)) return undefined;
  const kind = random();
  if (kind < 0.1) return oddBody(random);
  const value = body ? sample(body, random) : hostileValue(random);
  if (body && kind < 0.75) damage(value, around, random);
  const text = JSON.stringify(value) ?? "";
  const type = chance(random, 0.95)
    ? JSON_TYPE
    : pick(random, [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/json; charset=utf-16",
        "a",
        "",
      ]);
  return { type, bytes: Buffer.from(text) };
}

/** Breaks one or two parts of a value. */
function damage(value: unknown, around: Surroundings, random: Random): void {
  if (typeof value !== "object" || value === null) return;
  const fields = value as Record<string, unknown>;
  const names = Object.keys(fields);
  const name = names.length > 0 && chance(random, 0.9) ? pick(random, names) : pick(random, HOSTILE_TEXTS);
  // Own keys only: inherited ones belong to every object of this process.
  const inner = Object.hasOwn(fields, name) ? fields[name] : undefined;
  if (typeof inner === "object" && inner !== null && chance(random, 0.6))
    return damage(inner, around, random);
  if (chance(random, 0.15)) delete fields[name];
  else if (chance(random, 0.1)) fields[name] = pick(random, [around.release, around.sha256]);
  // Not by assignment, which would change the prototype instead of adding a field.
  else
    Object.defineProperty(fields, name, {
      value: hostileValue(random),
      enumerable: true,
      configurable: true,
    });
}

/** Bodies that do not match their content type. */
function oddBody(random: Random): Content {
  const depth = pick(random, [50, 1000, 20_000]);
  return {
    type: JSON_TYPE,
    bytes: pick(random, [
      () => Buffer.alloc(0),
      () => Buffer.from("["),
      () => Buffer.from("[".repeat(depth) + "]".repeat(depth)),
      () => Buffer.from(`${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`),
      () => Buffer.from([0xff, 0xfe, 0x00, 0x22]),
      () => Buffer.from([0x22, 0xc3, 0x28, 0x22]),
      () => Buffer.from('\ufeff{"a":1}'),
      () => Buffer.from('{"__proto__":{"isAdmin":true},"constructor":{"prototype":{}}}'),
      () => Buffer.from('{"a":1e99999,"a":2}'),
      () => Buffer.from(`"${"a".repeat(70_000)}"`),
      () => Buffer.from(`{"device_id":"${"\\u0000".repeat(64)}"}`),
      () => Buffer.alloc(64 * 1024 + 1, 0x20),
      () => Buffer.from("null"),
      () => Buffer.from("7"),
    ])(),
  };
}

/** A form of a recipe; sometimes a byte of its file is another one. */
function formOf({ fields, file }: Form, random: Random): Content {
  const boundary = "nearly-right";
  const bytes = Buffer.from(file);
  if (bytes.length > 0 && chance(random, 0.1)) bytes[below(random, bytes.length)] = below(random, 256);
  const part = (name: string, value: string | Buffer, more = "") =>
    Buffer.concat([
      Buffer.from(`--${boundary}\r\ncontent-disposition: form-data; name="${name}"${more}\r\n\r\n`),
      Buffer.from(value as string),
      Buffer.from("\r\n"),
    ]);
  const parts = [
    ...Object.entries(fields).map(([name, value]) => part(name, value)),
    part("file", bytes, '; filename="a.bin"'),
  ];
  return {
    type: `multipart/form-data; boundary=${boundary}`,
    bytes: Buffer.concat([...parts, Buffer.from(`--${boundary}--\r\n`)]),
  };
}

/** An upload, nearly right. */
function multipart({ image, release }: Surroundings, random: Random): Content {
  const boundary = pick(random, ["x", "----b", "b".repeat(70), "a b"]);
  const field = (name: string, value: string | Buffer, file = "") =>
    Buffer.concat([
      Buffer.from(`--${boundary}\r\ncontent-disposition: form-data; name="${name}"${file}\r\n\r\n`),
      Buffer.from(value as string),
      Buffer.from("\r\n"),
    ]);
  const bytes = Buffer.from(image);
  if (chance(random, 0.4)) bytes[below(random, bytes.length)] = below(random, 256);
  const parts = [
    field("release", chance(random, 0.7) ? release : pick(random, HOSTILE_TEXTS)),
    field(
      pick(random, ["file", "file", "file", "other"]),
      chance(random, 0.8) ? bytes : bytes.subarray(0, below(random, bytes.length)),
      `; filename="${chance(random, 0.7) ? "a.bin" : pick(random, HOSTILE_TEXTS)}"`,
    ),
  ];
  while (chance(random, 0.5)) {
    const name = pick(random, [
      "device_type",
      "version",
      "is_stable",
      "build_number",
      "release_notes",
      "chip",
      "min_current_version",
      "node_type",
      ...HOSTILE_TEXTS,
    ]);
    parts.push(
      field(name, chance(random, 0.5) ? String(sample(Type.String(), random)) : pick(random, HOSTILE_TEXTS)),
    );
  }
  if (chance(random, 0.1)) for (let n = 0; n < 30; n++) parts.push(field(`f${n}`, "x"));
  if (chance(random, 0.3)) parts.reverse();
  const whole = Buffer.concat([...parts, Buffer.from(chance(random, 0.9) ? `--${boundary}--\r\n` : "")]);
  const cut = chance(random, 0.15) ? whole.subarray(0, below(random, whole.length)) : whole;
  if (cut.length > 0 && chance(random, 0.1))
    cut[below(random, Math.min(300, cut.length))] = below(random, 256);
  const type = chance(random, 0.93)
    ? `multipart/form-data; boundary=${boundary}`
    : pick(random, [
        "multipart/form-data",
        "multipart/form-data; boundary=",
        `multipart/mixed; boundary=${boundary}`,
      ]);
  return { type, bytes: cut };
}
