// What the headers of an HTTP answer say of its body. Read strictly: what is not as it should be counts as not said.

type Headers = Readonly<Record<string, string>>;

/** Bytes that the body has; `undefined`: not told, or no number. */
export function announcedBytes(headers: Headers): number | undefined {
  const told = headers["content-length"] ?? "";
  return /^\d{1,10}$/.test(told) ? Number(told) : undefined;
}
