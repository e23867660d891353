// What kind of answer a client would rather have (RFC 9110, 12.5.1).

/**
 * Whether the client asks for HTML by name, as browsers do when they open a page, and for nothing that it would rather have as JSON. A
 * wildcard alone is a program's.
 */
export function prefersHtml(accept = ""): boolean {
  const weights = new Map(accept.split(",").map(readRange));
  const html = weights.get("text/html") ?? 0;
  return html > 0 && html >= (weights.get("application/json") ?? 0);
}

function readRange(range: string): [type: string, weight: number] {
  const [type = "", ...parameters] = range.split(";").map((part) => part.trim().toLowerCase());
  const weight = parameters.find((parameter) => parameter.startsWith("q="))?.slice(2) ?? "1";
  return [type, Number(weight) || 0];
}
