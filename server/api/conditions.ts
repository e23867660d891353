// Conditional requests (RFC 9110 §13).

const MAX_HEADER_LENGTH = 1024;

/** If-None-Match (§13.1.2): whether the client has what `etag` names already. A list of validators, compared weakly, or `*`. */
export function hasIt(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined || ifNoneMatch.length > MAX_HEADER_LENGTH) return false;
  return ifNoneMatch.split(",").some((text) => {
    const validator = text.trim().replace(/^W\//, "");
    return validator === etag || validator === "*";
  });
}
