// The address of a server or of a file on one: read into host, port and path, as the HTTP client uses it. Every
// address from a person, the build, the server or NVS is checked by the same function, so that none is stored or used that cannot work.
//
//   https://updates.example.com:8080/firmware/7?x=1       host = 1 to 63 letters, digits, - and _ a part, 253 in all,
//           └────────host────────┘ └port┘└──path──┘        or four numbers of an IPv4 address
//
// Not supported: IPv6 addresses, user names, characters that have to be encoded. An internationalised name is given as xn--….

import { fail, type Result, succeed } from "../errors.js";

/** An http or https address that the device can use. */
export interface Address {
  /** By TLS: https. */
  readonly isSecure: boolean;
  /** Lower case. */
  readonly host: string;
  readonly port: number;
  /** Path and query, as they are requested; begins with `/`. */
  readonly path: string;
}

export type AddressErrorCode = "ADDRESS_INVALID";

/** Characters: a link that a file store has signed is longer than 1 000. */
export const MAX_ADDRESS_LENGTH = 2_048;
const MAX_HOST_LENGTH = 253;
const MAX_LABEL_LENGTH = 63;
const PLAIN = "http://";
const SECURE = "https://";

/** Reads an absolute address. The message of a failure is a sentence about "The address". */
export function readAddress(
  text: string,
  maxLength: number = MAX_ADDRESS_LENGTH,
): Result<Address, AddressErrorCode> {
  if (text === "") return wrong("is empty");
  if (text.length > maxLength) return wrong(`has ${text.length} characters; ${maxLength} are allowed`);
  const odd = oddCharacter(text);
  if (odd !== undefined) return wrong(odd);
  const isSecure = beginsWith(text, SECURE);
  if (!isSecure && !beginsWith(text, PLAIN)) return wrong(schemeProblem(text));
  const start = schemeText(isSecure).length;
  const end = endOfAuthority(text, start);
  const path = text.slice(end);
  return readAuthority(isSecure, text.slice(start, end), path.startsWith("/") ? path : `/${path}`);
}

/** Resolves a reference against the address of the document that contains it (RFC 3986, 5.2). A fragment is dropped: it is never requested. */
export function resolveAddress(reference: string, base: Address): Result<Address, AddressErrorCode> {
  if (reference.length > MAX_ADDRESS_LENGTH) return readAddress(reference);
  const hash = reference.indexOf("#");
  const text = hash < 0 ? reference : reference.slice(0, hash);
  if (hasScheme(text)) return readAddress(text);
  if (text.startsWith("//")) return readAddress(`${base.isSecure ? "https" : "http"}:${text}`);
  return readAddress(`${originText(base)}${resolvedPath(text, base.path)}`);
}

/** The address as text; without the port that is meant anyway. */
export const addressText = (address: Address): string => `${originText(address)}${address.path}`;

/** Scheme, host and port of an address; `undefined` if the device cannot use it. */
export function originOf(text: string): string | undefined {
  const read = readAddress(text);
  return read.ok ? originText(read.value) : undefined;
}

const originText = (address: Address): string => `${schemeText(address.isSecure)}${hostText(address)}`;

/** Host and port, as the `Host` header and an origin have them: without the port that is meant anyway. */
export const hostText = ({ isSecure, host, port }: Address): string =>
  port === defaultPort(isSecure) ? host : `${host}:${port}`;

const schemeText = (isSecure: boolean): string => (isSecure ? SECURE : PLAIN);

const defaultPort = (isSecure: boolean): number => (isSecure ? 443 : 80);

const beginsWith = (text: string, scheme: string): boolean =>
  text.slice(0, scheme.length).toLowerCase() === scheme;

// ── parts

function readAuthority(
  isSecure: boolean,
  authority: string,
  path: string,
): Result<Address, AddressErrorCode> {
  if (authority.includes("@")) return wrong("contains a user name (@), which is not supported");
  if (authority.startsWith("[")) return wrong("has an IPv6 address, which is not supported");
  const colon = authority.indexOf(":");
  const host = (colon < 0 ? authority : authority.slice(0, colon)).toLowerCase();
  const problem = hostProblem(host);
  if (problem !== undefined) return wrong(problem);
  const port = colon < 0 ? defaultPort(isSecure) : readPort(authority.slice(colon + 1));
  if (port === undefined) return wrong(`has port "${short(authority.slice(colon + 1))}", not 1 to 65535`);
  return succeed({ isSecure, host, port, path });
}

function readPort(text: string): number | undefined {
  const port = Number(text);
  return areDigits(text) && text.length <= 5 && port >= 1 && port <= 65_535 ? port : undefined;
}

/** Why a host cannot be looked up: the rest of a sentence. */
function hostProblem(host: string): string | undefined {
  if (host === "") return "has no host";
  if (host.length > MAX_HOST_LENGTH)
    return `has a host of ${host.length} characters; ${MAX_HOST_LENGTH} are allowed`;
  const labels = host.split(".");
  for (const label of labels) {
    if (label === "") return `has a host with an empty part: "${short(host)}"`;
    if (label.length > MAX_LABEL_LENGTH)
      return `has a host with a part of ${label.length} characters; ${MAX_LABEL_LENGTH} are allowed`;
    if (!isLabel(label))
      return `has a host with other characters than letters, digits, - and _: "${short(host)}"`;
  }
  return isNumber(labels[labels.length - 1]) && !isUsableIpv4(labels)
    ? `has "${short(host)}" as its host, which is no IPv4 address of a server`
    : undefined;
}

/** Also hexadecimal: resolvers disagree on what 0x7f means. */
const isNumber = (label = ""): boolean =>
  areDigits(label) || (label.startsWith("0x") && [...label.slice(2)].every(isHexDigit));

/** Not this network (0.x) and not a group (224.x and above): nothing connects to those. */
function isUsableIpv4(labels: readonly string[]): boolean {
  const first = Number(labels[0]);
  return labels.length === 4 && labels.every(isOctet) && first > 0 && first < 224;
}

const isOctet = (label: string): boolean =>
  areDigits(label) && Number(label) <= 255 && `${Number(label)}` === label;

// ── characters

/** The first character that may not be in an address, in words. */
function oddCharacter(text: string): string | undefined {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x20) return `contains a space at position ${at + 1}`;
    if (code < 0x20 || code === 0x7f) return `contains a control character at position ${at + 1}`;
    if (code > 0x7f) return `contains a character at position ${at + 1} that has to be encoded`;
    if (code === 0x23) return "contains a fragment (#), which is not supported";
  }
  return undefined;
}

function schemeProblem(text: string): string {
  const colon = text.indexOf(":");
  // host:port without a scheme looks like one
  const neither = `does not begin with ${PLAIN} or ${SECURE}`;
  if (!hasScheme(text) || areDigits(text.charAt(colon + 1))) return neither;
  const scheme = text.slice(0, colon).toLowerCase();
  return scheme === "http" || scheme === "https"
    ? neither
    : `begins with ${short(scheme)}: but this firmware supports ${PLAIN} and ${SECURE} only`;
}

/** `name:` in front of anything else. */
function hasScheme(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x3a) return at > 0;
    if (!isLetterOrDigit(code) && code !== 0x2b && code !== 0x2d && code !== 0x2e) return false;
  }
  return false;
}

function endOfAuthority(text: string, start: number): number {
  let at = start;
  while (at < text.length && text[at] !== "/" && text[at] !== "?") at++;
  return at;
}

function isLabel(label: string): boolean {
  for (let at = 0; at < label.length; at++) {
    const code = label.charCodeAt(at);
    if (!isLetterOrDigit(code) && code !== 0x2d && code !== 0x5f) return false;
  }
  return true;
}

const isLetterOrDigit = (code: number): boolean =>
  (code >= 0x30 && code <= 0x39) || (code >= 0x41 && code <= 0x5a) || (code >= 0x61 && code <= 0x7a);

const isHexDigit = (digit: string): boolean =>
  (digit >= "0" && digit <= "9") || (digit >= "a" && digit <= "f");

function areDigits(text: string): boolean {
  for (const digit of text) if (digit < "0" || digit > "9") return false;
  return text !== "";
}

// ── relative references

function resolvedPath(reference: string, basePath: string): string {
  const [path = ""] = basePath.split("?");
  if (reference === "") return basePath;
  if (reference.startsWith("?")) return `${path}${reference}`;
  const query = reference.indexOf("?");
  const relative = query < 0 ? reference : reference.slice(0, query);
  const folder = path.slice(0, path.lastIndexOf("/") + 1);
  const whole = relative.startsWith("/") ? relative : `${folder}${relative}`;
  return `${withoutDots(whole)}${query < 0 ? "" : reference.slice(query)}`;
}

/** Removes the segments `.` and `..`. */
function withoutDots(path: string): string {
  const kept: string[] = [];
  const segments = path.slice(1).split("/");
  for (const segment of segments) {
    if (segment === "..") kept.pop();
    else if (segment !== ".") kept.push(segment);
  }
  const last = segments[segments.length - 1];
  if (last === "." || last === "..") kept.push("");
  return `/${kept.join("/")}`;
}

const wrong = (what: string): ReturnType<typeof fail<AddressErrorCode>> =>
  fail("ADDRESS_INVALID", `The address ${what}.`);

/** A value inside a message, shortened: it must not fill the log. */
const short = (text: string): string => (text.length > 40 ? `${text.slice(0, 40)}…` : text);
