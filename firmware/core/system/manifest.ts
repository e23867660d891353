// A system manifest: which releases of several devices belong together (SystemPayload in wire.ts). Reads it, and nothing else: verifying its
// signature is an effect, and what to do about it is the orchestrator's.

import { fail, type Result, succeed } from "../errors.js";
import { asJsonObject, type JsonObject } from "../json.js";
import { readGeneralJws, readJws, type SignedText } from "../trust/jws.js";
import { parseVersion, type Version, versionName } from "../update/version.js";
import {
  MAX_SYSTEM_COMPONENT_COUNT,
  MAX_SYSTEM_DESCRIPTION_LENGTH,
  MAX_SYSTEM_LENGTH,
  MAX_SYSTEM_SIGNATURE_COUNT,
  type SystemComponent,
  type SystemPayload,
} from "../wire.js";

/** Protected header's `typ` of a system manifest: a release's manifest, signed by the same key, is not one. */
export const SYSTEM_TYPE = "skyslot-system";

/** The payload, checked field by field. */
export interface System extends SystemPayload {
  readonly parsedVersion: Version;
}

export interface SignedSystem {
  /** At least one. */
  readonly signatures: readonly SignedText[];
  readonly system: System;
}

/** Year 2106: seconds since 1970 that fit 32 bits. */
const MAX_TIME = 0xffffffff;
const MAX_WAIT_SECONDS = 3600;

/** Parses a manifest, which must not be trusted before its signatures are verified. Errors: SYSTEM_MALFORMED, SYSTEM_TOO_LARGE. */
export function parseSystem(jws: string): Result<SignedSystem, "SYSTEM_MALFORMED" | "SYSTEM_TOO_LARGE"> {
  if (jws.length > MAX_SYSTEM_LENGTH)
    return fail(
      "SYSTEM_TOO_LARGE",
      `system manifest is ${jws.length} bytes, at most ${MAX_SYSTEM_LENGTH} are read`,
    );
  const isGeneral = jws.startsWith("{");
  const read = isGeneral
    ? readGeneralJws(jws, SYSTEM_TYPE, MAX_SYSTEM_SIGNATURE_COUNT)
    : readJws(jws, SYSTEM_TYPE);
  if (typeof read === "string") return malformed(read);
  const system = readPayload(read.fields, isGeneral ? 2 : 1);
  if (typeof system === "string") return malformed(system);
  return succeed({ system, signatures: "signed" in read ? [read.signed] : read.signatures });
}

const malformed = (message: string) => fail("SYSTEM_MALFORMED", `system manifest: ${message}`);

/** The system, or a sentence that names the wrong field. @param format that this form of JWS is for */
function readPayload(fields: JsonObject, format: 1 | 2): System | string {
  const given = fields.get("format");
  if (given !== 1 && given !== 2)
    return `format ${String(given).slice(0, 16)} is not known, this firmware reads formats 1 and 2`;
  if (given !== format) return `format ${given} is not of this form: 1 is compact, 2 is general`;
  const name = nameIn(fields, "name");
  const parsedVersion = versionIn(fields, "version");
  const rebootDelaySeconds = wholeIn(fields, "rebootDelaySeconds", 0, MAX_WAIT_SECONDS);
  const healthTimeoutSeconds = wholeIn(fields, "healthTimeoutSeconds", 1, MAX_WAIT_SECONDS);
  const created = wholeIn(fields, "created", 0, MAX_TIME);
  const expires = fields.has("expires") ? wholeIn(fields, "expires", 0, MAX_TIME) : undefined;
  const minimum = fields.has("minCompatibleVersion") ? versionIn(fields, "minCompatibleVersion") : undefined;
  const description = fields.get("description");
  if (name === undefined) return "name is missing or not a name";
  if (!parsedVersion) return "version is not a semantic version without a build";
  if (fields.has("minCompatibleVersion") && !minimum)
    return "minCompatibleVersion is not a semantic version without a build";
  if (rebootDelaySeconds === undefined || healthTimeoutSeconds === undefined)
    return `rebootDelaySeconds or healthTimeoutSeconds is not a number of seconds up to ${MAX_WAIT_SECONDS}`;
  if (created === undefined || (fields.has("expires") && expires === undefined))
    return "created or expires is not a time in seconds";
  if (
    description !== undefined &&
    (typeof description !== "string" || description.length > MAX_SYSTEM_DESCRIPTION_LENGTH)
  )
    return `description is not a text of at most ${MAX_SYSTEM_DESCRIPTION_LENGTH} characters`;
  const components = readComponents(fields);
  if (typeof components === "string") return components;
  return {
    format,
    name,
    version: versionName(parsedVersion),
    parsedVersion,
    ...(minimum ? { minCompatibleVersion: versionName(minimum) } : {}),
    components,
    rebootDelaySeconds,
    healthTimeoutSeconds,
    ...(description === undefined ? {} : { description }),
    created,
    ...(expires === undefined ? {} : { expires }),
  };
}

function readComponents(fields: JsonObject): readonly SystemComponent[] | string {
  const list = fields.get("components");
  if (!Array.isArray(list) || list.length === 0 || list.length > MAX_SYSTEM_COMPONENT_COUNT)
    return `components is not a list of 1 to ${MAX_SYSTEM_COMPONENT_COUNT}`;
  const components: SystemComponent[] = [];
  for (const [index, value] of list.entries()) {
    const component = readComponent(asJsonObject(value));
    if (typeof component === "string") return `component ${index + 1}: ${component}`;
    if (components.some((other) => other.name === component.name))
      return `component ${index + 1}: there is another ${component.name}`;
    components.push(component);
  }
  return components;
}

function readComponent(fields: JsonObject | undefined): SystemComponent | string {
  if (!fields) return "it is not an object";
  const name = nameIn(fields, "name");
  const type = nameIn(fields, "type");
  const hardware = nameIn(fields, "hardware");
  const version = versionIn(fields, "version");
  const build = wholeIn(fields, "build", 0, 999_999_999);
  const sha256 = fields.get("sha256");
  if (name === undefined) return "name is missing or not a name";
  if (type === undefined) return "type is missing or not a name";
  if (hardware === undefined) return "hardware is missing or not a name";
  if (!version) return "version is not a semantic version without a build";
  if (build === undefined) return "build is not a number of 0 to 999999999";
  if (typeof sha256 !== "string" || !/^[0-9a-f]{64}$/.test(sha256)) return "sha256 is 64 hex digits";
  return { name, type, hardware, version: versionName(version), build, sha256 };
}

function nameIn(fields: JsonObject, field: string): string | undefined {
  const value = fields.get(field);
  return typeof value === "string" && /^(?!\.{1,2}$)[\w.-]{1,64}$/.test(value) ? value : undefined;
}

function versionIn(fields: JsonObject, field: string): Version | undefined {
  const value = fields.get(field);
  return typeof value === "string" && /^[\w.-]{1,32}$/.test(value) ? parseVersion(value) : undefined;
}

function wholeIn(fields: JsonObject, field: string, minimum: number, maximum: number): number | undefined {
  const value = fields.get(field);
  return Number.isInteger(value) && (value as number) >= minimum && (value as number) <= maximum
    ? (value as number)
    : undefined;
}
