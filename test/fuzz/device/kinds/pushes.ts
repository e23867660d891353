// Requests to port 3232: pushes by HTTP, of images that are small and odd, with and without the owner's token and a release.

import { below, chance, pick, type Random } from "../../values.js";
import type { Ground } from "../ground.js";
import { OWNER_TOKEN } from "../house.js";
import type { Input, Kind } from "../kind.js";
import { EDGE_NUMBERS, shown } from "../mutate.js";
import { oddFile, oddManifest } from "../releases.js";
import { begin, visit } from "../visit.js";
import { settled } from "./pages.js";
import { mannerOf, requestText } from "./requests.js";

const PUSH_PORT = 3232;
const ADDRESS = "192.168.1.100";

export const pushes: Kind = {
  name: "pushes",
  what: "pushes to port 3232 by HTTP",
  share: 3,
  start: "home",
  begin: settled,
  make,
};

function make(random: Random, ground: Ground): Input {
  if (chance(random, 0.03)) return crowd(random);
  const file = oddFile(random, ground);
  const isOwner = chance(random, 0.6);
  const release = chance(random, 0.8)
    ? [`X-Skyslot-Release: ${oddManifest(random, ground.key, file, 0.2)}`]
    : [];
  const text = requestText(random, {
    method: "POST",
    path: chance(random, 0.95) ? "/update" : pick(random, ["/", "/update/", "/update?a", "/__proto__", "*"]),
    host: `${ADDRESS}:${PUSH_PORT}`,
    headers: [
      ...(isOwner ? [`Authorization: Bearer ${OWNER_TOKEN}`] : []),
      ...release,
      ...(chance(random, 0.2) ? ["Expect: 100-continue"] : []),
      ...(chance(random, 0.05) ? [`X-Skyslot-Size: ${pick(random, EDGE_NUMBERS)}`] : []),
    ],
    body: Buffer.from(file.bytes).toString("latin1"),
  });
  const manner = mannerOf(random);
  return {
    text: `${shown(text, 1200)}${manner.pieces ? `, in pieces of ${manner.pieces}` : ""}, then ${manner.end}`,
    async feed(house) {
      const address = house.address ?? ADDRESS;
      const { status } = await visit(house, {
        node: house.stranger,
        address,
        port: PUSH_PORT,
        text,
        ...manner,
      });
      return status === 0 ? "no answer" : `${status}`;
    },
  };
}

/** More connections than there is room for, some with a head that is not over. */
function crowd(random: Random): Input {
  const count = 2 + below(random, 8);
  const texts = Array.from({ length: count }, () =>
    pick(random, [
      "",
      "POST /update HTTP/1.1\r\n",
      `POST /update HTTP/1.1\r\nX-Skyslot-Release: ${"a".repeat(1500)}`,
      `POST /update HTTP/1.1\r\nAuthorization: Bearer ${OWNER_TOKEN}\r\nContent-Length: 9000\r\n\r\n`,
    ]),
  );
  return {
    text: `${count} connections at once: ${texts.map((text) => shown(text, 60)).join(", ")}`,
    async feed(house) {
      const address = house.address ?? ADDRESS;
      const going = texts.map((text) =>
        begin(house, { node: house.stranger, address, port: PUSH_PORT, text }),
      );
      await house.until(() => going.every(({ isOver }) => isOver), 400_000);
      return going.every(({ isOver }) => isOver) ? "crowd" : "crowd, some left open";
    },
  };
}
