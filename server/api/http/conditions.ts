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

/**
 * If-Match (§13.1.1) where validators are the numbers of revisions: those that the client has seen, compared strongly.
 * `undefined`: `*`, whichever there is.
 */
export function readRevisions(ifMatch: string): readonly number[] | undefined {
  if (ifMatch.trim() === "*") return undefined;
  const validators = ifMatch.slice(0, MAX_HEADER_LENGTH).split(",");
  return validators.flatMap((text) => {
    const [, revision] = /^"(\d{1,15})"$/.exec(text.trim()) ?? [];
    return revision === undefined ? [] : [Number(revision)];
  });
}

export const revisionTag = (revision: number): string => `"${revision}"`;
