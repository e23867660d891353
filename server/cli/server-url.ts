// The URL of an update server, as people type it.

import { UsageError } from "./output.js";

/** For an option, or a variable of the environment. @returns the text as it is @throws UsageError unless it is a URL with http or https */
export function serverUrl(text: string, name = "--server"): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url && /^https?:$/.test(url.protocol)) return text;
  throw new UsageError(
    `${name} is "${text}", it must be a URL such as http://127.0.0.1:8080 or https://updates.example.com`,
  );
}

/** As a parser of commander's, which passes the value before as well. */
export const readServerOption = (text: string): string => serverUrl(text);
