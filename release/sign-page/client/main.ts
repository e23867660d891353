// The page that signs releases without a network, opened from disk: reads the chosen files, shows what will be signed, signs it and offers
// the manifest to save. It makes no request, keeps nothing, and puts texts into the page as text only.

import type { ReleasePayload } from "../../../firmware/core/wire.js";
import { describeInBrowser } from "../../describe-in-browser.js";
import { readExpiry } from "../../expiry.js";
import { compareFacts, imageFacts } from "../../image-facts.js";
import { MAX_KEY_LENGTH, readPrivateKey } from "../../keys.js";
import { MAX_MANIFEST_LENGTH, readFirstManifest, requireSameImage } from "../../second-signature.js";
import { addReleaseSignature, signersOf, signRelease } from "../../signing.js";
import { MAX_UNSIGNED_LENGTH, readUnsignedManifest, type UnsignedManifest } from "../../unsigned-manifest.js";

const find = <Kind extends HTMLElement = HTMLElement>(id: string): Kind =>
  document.getElementById(id) as Kind;
const input = (id: string): HTMLInputElement => find<HTMLInputElement>(id);
const put = (id: string, text: string): void => {
  find(id).textContent = text;
};
const textIn = (id: string): string => input(id).value.trim();
const fileOf = (id: string): File | undefined => input(id).files?.[0];

const IMAGE_HINT = find("image-facts").textContent ?? "";
const FIRST_HINT = find("first-facts").textContent ?? "";
/** What is wished of a new manifest. */
const WISHES = ["unsigned", "type", "hardware", "minimum", "sequence", "min-root", "last-day", "twice"];
/** Address of the manifest that can be saved. */
let savedAs = "";

const refusal = refusalHere();
put("refusal", refusal);
find("form").hidden = refusal !== "";
find("form").addEventListener("submit", (event) => {
  event.preventDefault();
  void attempt(sign);
});
for (const id of ["image", "unsigned", "first"])
  input(id).addEventListener("change", () => void attempt(showChosen));
find("form").addEventListener("input", hideResult);

/** Why this page may not be used where it is; empty if it may. */
function refusalHere(): string {
  // Where it is served, anyone who controls the server can change it; this sentence too, but not in a file that has been compared.
  if (/^https?:$/.test(location.protocol))
    return "This page was opened from a server, which may have changed it to send your key away. Make it with your own copy of Skyslot (npx skyslot release sign-page) and open the file from your disk.";
  if (globalThis.crypto?.subtle === undefined)
    return "This browser does not sign in files that are opened from disk. Use another browser, or npx skyslot release sign.";
  return "";
}

/** Shows why work has failed; one piece of work at a time. */
async function attempt(work: () => Promise<void>): Promise<void> {
  const button = find<HTMLButtonElement>("form").querySelector("button") as HTMLButtonElement;
  button.disabled = true;
  put("problem", "");
  try {
    await work();
  } catch (error) {
    put("problem", sentence((error as Error).message));
  } finally {
    button.disabled = false;
  }
}

async function showChosen(): Promise<void> {
  const image = fileOf("image");
  put("image-facts", IMAGE_HINT);
  put("first-facts", FIRST_HINT);
  for (const id of WISHES) input(id).disabled = fileOf("first") !== undefined;
  for (const id of ["type", "hardware"]) input(id).placeholder = "";
  const first = await readFirst();
  if (first)
    put(
      "first-facts",
      `${first.payload.type} ${nameOf(first.payload.version, first.payload.build)}, signed by ${signersOf(first.jws).join(" and ")}`,
    );
  const unsigned = await readUnsigned();
  if (unsigned) for (const id of ["type", "hardware"] as const) input(id).value = unsigned[id];
  if (!image) return;
  const bytes = await bytesOf(image);
  // Without wishes the type is the image's project name, and the board its chip's name.
  const { type, hardware, version, build, size, sha256 } = await describeInBrowser(bytes, { created: 0 });
  input("type").placeholder = type;
  input("hardware").placeholder = hardware;
  put("image-facts", `${type} ${nameOf(version, build)} for ${hardware}, ${size} bytes, SHA-256 ${sha256}`);
  if (unsigned) compareFacts("unsigned manifest", unsigned, imageFacts(bytes));
  if (first) await requireSameImage(first.payload, bytes);
}

async function sign(): Promise<void> {
  const file = fileOf("image");
  if (!file) throw new Error("choose the firmware image first");
  const image = await bytesOf(file);
  const first = await readFirst();
  const { payload, manifest } = first ? await signSecond(first, image) : await signFirst(image);
  for (const id of ["key-file", "key-text"]) input(id).value = "";
  showResult(payload, manifest, `${file.name.replace(/\.bin$/, "")}.release.jws`);
}

async function signFirst(image: Uint8Array) {
  const payload = await describeInBrowser(image, readOptions(Math.floor(Date.now() / 1000)));
  const unsigned = await readUnsigned();
  if (unsigned) compareFacts("unsigned manifest", unsigned, imageFacts(image));
  return { payload, manifest: await signRelease(payload, await readKey()) };
}

async function signSecond({ jws, payload }: ReturnType<typeof readFirstManifest>, image: Uint8Array) {
  await requireSameImage(payload, image);
  return { payload, manifest: await addReleaseSignature(jws, await readKey()) };
}

async function readFirst() {
  const file = fileOf("first");
  return file && readFirstManifest(await textOf(file, MAX_MANIFEST_LENGTH));
}

function readOptions(created: number) {
  const [type, hardware, minCurrentVersion] = [textIn("type"), textIn("hardware"), textIn("minimum")];
  const lastDay = textIn("last-day");
  const expires = lastDay === "" ? undefined : readExpiry(lastDay, created);
  const isTwice = input("twice").checked;
  const sequenceText = textIn("sequence");
  const sequence =
    sequenceText === "now" || (sequenceText === "" && isTwice) ? created : numberIn("sequence", "sequence");
  const minRoot = numberIn("min-root", "oldest trust root");
  return {
    created,
    ...(type === "" ? {} : { type }),
    ...(hardware === "" ? {} : { hardware }),
    ...(minCurrentVersion === "" ? {} : { minCurrentVersion }),
    ...(expires === undefined ? {} : { expires }),
    ...(isTwice ? { format: 3 as const } : {}),
    ...(sequence === undefined ? {} : { sequence }),
    ...(minRoot === undefined ? {} : { minRoot }),
  };
}

/** Nothing, or a number of 1 to 4294967295. */
function numberIn(id: string, name: string): number | undefined {
  const text = textIn(id);
  if (text === "") return undefined;
  const value = /^\d{1,10}$/.test(text) ? Number(text) : 0;
  if (value < 1 || value > 0xffffffff)
    throw new Error(`the ${name} "${text}" is not a number of 1 to 4294967295`);
  return value;
}

async function readUnsigned(): Promise<UnsignedManifest | undefined> {
  const file = fileOf("unsigned");
  return file && readUnsignedManifest(await textOf(file, MAX_UNSIGNED_LENGTH), file.name);
}

async function readKey() {
  const [file, text] = [fileOf("key-file"), textIn("key-text")];
  if (file && text !== "") throw new Error("choose a key file or enter the key as text, not both");
  if (!file && text === "") throw new Error("choose the release key");
  return file
    ? readPrivateKey(await textOf(file, MAX_KEY_LENGTH), file.name)
    : readPrivateKey(text, "the text");
}

function showResult(payload: ReleasePayload, manifest: string, name: string): void {
  const { type, version, build, hardware, chip, size, sha256, minCurrentVersion, expires, format } = payload;
  const keyIds = signersOf(manifest);
  const rows: readonly (readonly [string, string | undefined])[] = [
    ["Device type", type],
    ["Version", nameOf(version, build)],
    ["Board", hardware],
    ["Chip", chip],
    ["Size", `${size} bytes`],
    ["SHA-256", sha256],
    ["Oldest version", minCurrentVersion],
    ["Installable until", expires === undefined ? undefined : new Date(expires * 1000).toISOString()],
    ["Sequence", payload.sequence === undefined ? undefined : `${payload.sequence}`],
    ["Oldest trust root", payload.minRoot === undefined ? undefined : `${payload.minRoot}`],
    [keyIds.length > 1 ? "Keys" : "Key", keyIds.join(" and ")],
    [
      "Signatures",
      format === 3 && keyIds.length === 1 ? "1 of 2: a second person has to add theirs" : undefined,
    ],
  ];
  find("signed").replaceChildren(
    ...rows.flatMap(([term, value]) =>
      value === undefined ? [] : [element("dt", term), element("dd", value)],
    ),
  );
  find<HTMLTextAreaElement>("manifest").value = manifest;
  URL.revokeObjectURL(savedAs);
  savedAs = URL.createObjectURL(new Blob([`${manifest}\n`], { type: "application/jose" }));
  Object.assign(find<HTMLAnchorElement>("save"), { href: savedAs, download: name });
  find("result").hidden = false;
  find("result-title").focus();
}

/** What was signed before is not what the form shows now. */
function hideResult(): void {
  find("result").hidden = true;
}

const element = (tag: string, text: string): HTMLElement =>
  Object.assign(document.createElement(tag), { textContent: text });

const nameOf = (version: string, build: number): string =>
  build > 0 ? `${version} build ${build}` : version;

async function bytesOf(file: File, limit = file.size): Promise<Uint8Array> {
  try {
    return new Uint8Array(await file.slice(0, limit).arrayBuffer());
  } catch {
    throw new Error(`${file.name} cannot be read: it was changed after it was chosen, or is not readable`);
  }
}

/** Of a long file more than `limit` characters, which who reads the text refuses. */
const textOf = async (file: File, limit: number): Promise<string> =>
  new TextDecoder().decode(await bytesOf(file, 4 * limit + 4));

/** With a capital, unless it begins with the name of a file. */
function sentence(message: string): string {
  const text = /^[a-z]+[ ,:]/.test(message) ? message.charAt(0).toUpperCase() + message.slice(1) : message;
  return /[.!?)]$/.test(text) ? text : `${text}.`;
}
