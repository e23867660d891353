// The query of a request's target, `name=value&name=value`: the value of one name, and nothing else. Escapes are not resolved, because no
// value that is asked for here needs one.

/** @param target with its path, or without @returns `undefined`: the name does not occur; empty: without a value */
export function queryValue(target: string, name: string): string | undefined {
  const mark = target.indexOf("?");
  for (const part of target.slice(mark + 1).split("&")) {
    const [found, value = ""] = part.split("=", 2);
    if (found === name) return value;
  }
  return undefined;
}

/** `force`, `force=1` or `force=true`. */
export function isSwitchedOn(target: string, name: string): boolean {
  const value = queryValue(target, name);
  return value === "" || value === "1" || value === "true";
}
