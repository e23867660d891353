// Settings out of the environment. One that may be secret can lie in a file instead, whose name NAME_FILE tells: that is how
// containers are given secrets.

import { readFileSync } from "node:fs";
import { UsageError } from "./output.js";

/** The value of NAME, or what the file NAME_FILE holds without the end of its last line; `undefined`: neither, or empty. */
export function fromEnvironment(
  name: string,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): string | undefined {
  const value = environment[name] || undefined;
  const file = environment[`${name}_FILE`] || undefined;
  if (file === undefined) return value;
  if (value !== undefined) throw new UsageError(`${name} and ${name}_FILE are both set: one is enough`);
  return readFileSync(file, "utf8").replace(/\r?\n$/, "") || undefined;
}

/** `DATABASE_URL`, with the password of `DATABASE_PASSWORD` in it if there is one. */
export function databaseUrl(
  environment: Readonly<Record<string, string | undefined>> = process.env,
): string | undefined {
  const url = fromEnvironment("DATABASE_URL", environment);
  const password = fromEnvironment("DATABASE_PASSWORD", environment);
  if (url === undefined || password === undefined || !URL.canParse(url)) return url;
  const whole = new URL(url);
  // The setter would leave a percent sign as it is.
  whole.password = encodeURIComponent(password);
  return whole.href;
}
