// Masks what must not be read over a shoulder or end up in a bug report: passwords, tokens and keys among stored settings. What
// hides in a text of another form under a harmless name is not found.

import type { NvsType } from "../hardware/nvs/nvs.js";

/** Names under which people store secrets; ESP-IDF's own are `sta.pswd`, `ap.passwd`, `sta.pmk`. */
const SECRET_NAME = /pass|pswd|pwd|psk|pmk|token|secret|credential|private|apikey|api[._-]key|\bkey\b/i;
/** The firmware's list of networks: pairs of SSID and password. */
const NETWORKS_KEY = "networks";

/** The value of a setting as it may be shown. */
export function coverSecrets(key: string, type: NvsType, value: string): string {
  if (SECRET_NAME.test(key)) return covered(value);
  if (type !== "str") return value;
  if (key === NETWORKS_KEY) return coverNetworks(value);
  const parsed = parse(value);
  return typeof parsed === "object" && parsed !== null ? JSON.stringify(coverMembers(parsed)) : value;
}

const covered = (value: string): string => (value === "" ? "" : "••••••");

function coverNetworks(value: string): string {
  const list = parse(value);
  const isPair = (item: unknown) => Array.isArray(item) && item.length === 2 && typeof item[1] === "string";
  if (!Array.isArray(list) || !list.every(isPair)) return covered(value);
  return JSON.stringify(list.map(([ssid, password]: [unknown, string]) => [ssid, covered(password)]));
}

/** Members whose name indicates a secret, at any depth. */
function coverMembers(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(coverMembers);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [
      name,
      SECRET_NAME.test(name) && member !== null ? covered(String(member)) : coverMembers(member),
    ]),
  );
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
