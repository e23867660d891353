// Settings from the environment. Those that may be secret can be in a file instead, named by NAME_FILE, as container secrets are.

import { readFileSync } from "node:fs";
import { UsageError } from "./output.js";

/** The value of NAME, or the content of the file NAME_FILE without its final line end; `undefined`: neither, or empty. */
export function fromEnvironment(
  name: string,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): string | undefined {
  const value = environment[name] || undefined;
  const file = environment[`${name}_FILE`] || undefined;
  if (file === undefined) return value;
  if (value !== undefined) throw new UsageError(`${name} and ${name}_FILE are both set: use one of them`);
  return readFileSync(file, "utf8").replace(/\r?\n$/, "") || undefined;
}

/** `DATABASE_URL`, with `DATABASE_PASSWORD` put into it if set. */
export function databaseUrl(
  environment: Readonly<Record<string, string | undefined>> = process.env,
): string | undefined {
  const url = fromEnvironment("DATABASE_URL", environment);
  const password = fromEnvironment("DATABASE_PASSWORD", environment);
  if (url === undefined || password === undefined || !URL.canParse(url)) return url;
  const whole = new URL(url);
  // The setter does not encode percent signs.
  whole.password = encodeURIComponent(password);
  return whole.href;
}
