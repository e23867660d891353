// The address of an update server, as the owner, the build or NVS gives it: what is requested is appended to it.

import { fail, type Result, succeed } from "../errors.js";
import { type AddressErrorCode, readAddress } from "../http/address.js";

/** Characters. */
const MAX_LENGTH = 200;

/** The address without a slash at its end; or why it cannot be used, a sentence about "The address". */
export function readServerAddress(text: string): Result<string, AddressErrorCode> {
  const read = readAddress(text, MAX_LENGTH);
  if (!read.ok) return read;
  if (text.includes("?"))
    return fail("ADDRESS_INVALID", "The address has a query (?), which a server has not.");
  let end = text.length;
  while (text[end - 1] === "/") end--;
  return succeed(text.slice(0, end));
}
