// The two steps of an installation on port 80: a release, an image as a body or as a form, and the word that installs or drops it; with and
// without the owner's token. Whatever is staged is no image that starts, or has no release: nothing of it may ever be armed.

import { below, chance, pick, type Random } from "../../values.js";
import type { Ground } from "../ground.js";
import { OWNER_TOKEN } from "../house.js";
import type { Input, Kind } from "../kind.js";
import { damageJson, EDGE_NUMBERS, mutateText, printJson, shown } from "../mutate.js";
import { oddFile, oddManifest } from "../releases.js";
import { visit } from "../visit.js";
import { settled } from "./pages.js";
import { mannerOf, requestText, type Wanted } from "./requests.js";

const ADDRESS = "192.168.1.100";
const BOUNDARY = "----fuzz";

export const uploads: Kind = {
  name: "uploads",
  what: "images that are uploaded first and installed by a second request",
  share: 3,
  start: "home",
  begin: settled,
  make,
};

function make(random: Random, ground: Ground): Input {
  const file = oddFile(random, ground);
  const release = oddManifest(random, ground.key, file, 0.1);
  const isOwner = chance(random, 0.8);
  const request = (path: string, body: string, type: string): string =>
    requestText(random, {
      method: "POST",
      path,
      host: ADDRESS,
      headers: [
        ...(isOwner ? [`Authorization: Bearer ${OWNER_TOKEN}`] : []),
        `Content-Type: ${type}`,
        ...(path === UPLOAD && chance(random, 0.1) ? [`X-Skyslot-Size: ${pick(random, EDGE_NUMBERS)}`] : []),
      ],
      body,
    } satisfies Wanted);
  const told = chance(random, 0.9) ? { release } : damageJson(random, { release }, ["release", "__proto__"]);
  const bytes = Buffer.from(file.bytes).toString("latin1");
  const isForm = chance(random, 0.5);
  const steps = [
    ...(chance(random, 0.8)
      ? [request("/api/ota/release", printJson(random, told), "application/json")]
      : []),
    request(UPLOAD, isForm ? formOf(random, bytes) : bytes, isForm ? FORM : "application/octet-stream"),
    ...(chance(random, 0.7)
      ? [
          request(
            pick(random, ["/api/ota/install", "/api/ota/install?force", "/api/ota/abandon"]),
            "{}",
            "application/json",
          ),
        ]
      : []),
  ];
  const sent = chance(random, 0.15) ? [pick(random, steps)] : steps;
  const manners = sent.map(() => mannerOf(random));
  return {
    text: sent.map((text) => shown(text, 500)).join(" then "),
    async feed(house) {
      const statuses: number[] = [];
      for (const [index, text] of sent.entries()) {
        const address = house.address ?? ADDRESS;
        const { status } = await visit(house, {
          node: house.stranger,
          address,
          port: 80,
          text,
          ...manners[index]!,
        });
        statuses.push(status);
      }
      return statuses.join("+");
    },
  };
}

const UPLOAD = "/api/ota/upload";
const FORM = `multipart/form-data; boundary=${BOUNDARY}`;

function formOf(random: Random, bytes: string): string {
  const name = pick(random, ["file", "firmware", "", "é", 'a"b']);
  const head = `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"; filename="a.bin"\r\nContent-Type: application/octet-stream\r\n\r\n`;
  const form = `${head}${bytes}\r\n--${BOUNDARY}--\r\n`;
  if (chance(random, 0.7)) return form;
  return pick(random, [
    () => `${head}${bytes}`,
    () => `${mutateText(random, head, 3_000)}${bytes}\r\n--${BOUNDARY}--\r\n`,
    () => `--${BOUNDARY}\r\nx: ${"a".repeat(below(random, 3_000))}\r\n\r\n${bytes}`,
    () => `${head}${bytes}\r\n--${BOUNDARY}\r\n\r\nmore\r\n--${BOUNDARY}--\r\n`,
    () => `\r\n\r\n${form}`,
    () => `--${BOUNDARY}`,
    () => "",
  ])();
}
