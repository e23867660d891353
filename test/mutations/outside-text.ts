// What anyone may send to a device: JSON, the framing of requests, invitations by espota, names that are made of a type.

import type { Mutation } from "./mutation.js";

const JSON_READER = "firmware/core/json.ts";
const FRAMING = "firmware/core/http/framing.ts";
const ESPOTA = "firmware/core/local/espota.ts";

export const MUTATIONS: readonly Mutation[] = [
  {
    what: "JSON may be nested as deep as it likes",
    file: JSON_READER,
    original: "if (this.#open.length === this.#maxDepth) return false;",
    mutated: "",
  },
  {
    what: "JSON may be nested one deeper than allowed",
    file: JSON_READER,
    original: "this.#open.length === this.#maxDepth",
    mutated: "this.#open.length > this.#maxDepth",
  },
  {
    what: "JSON may have any number of values",
    file: JSON_READER,
    original: "if (--this.#valuesLeft < 0) return undefined;",
    mutated: "",
  },
  {
    what: "a quote behind two backslashes does not end a text",
    file: JSON_READER,
    original: "if ((quote - first) % 2 === 0) return quote;",
    mutated: "if (quote === first) return quote;",
  },
  {
    what: "a bracket closes what a brace has opened",
    file: JSON_READER,
    original: 'if (next !== closing(open)) return "wrong";',
    mutated: 'if (next !== "]" && next !== "}") return "wrong";',
  },
  {
    what: "HTTP/1.1 without a Host is answered",
    file: FRAMING,
    original: "if (host === undefined && !isOld)",
    mutated: "if (false)",
  },
  {
    what: "HTTP/1.0 needs a Host",
    file: FRAMING,
    original: "if (host === undefined && !isOld)",
    mutated: "if (host === undefined)",
  },
  {
    what: "a length may be anything",
    file: FRAMING,
    original: "if (length !== undefined && !/^\\d{1,10}$/.test(length))",
    mutated: "if (false)",
  },
  {
    what: "a length and chunks are accepted together",
    file: FRAMING,
    original: "if (length !== undefined && coding !== undefined)",
    mutated: "if (false)",
  },
  {
    what: "espota of the ESP8266 core is refused",
    file: ESPOTA,
    original: "return isOld && !textsEqual(digest, answer)",
    mutated: "return false",
  },
  {
    what: "espota of arduino-esp32 2.x is refused",
    file: ESPOTA,
    original: "nonce.slice(0, READ_NONCE_DIGITS)",
    mutated: "nonce",
  },
  {
    what: "any answer to a challenge of espota is accepted",
    file: ESPOTA,
    original: "if (!textsEqual(digest, answer)) {",
    mutated: "if (false) {",
  },
  {
    what: "the MAC's part of a long name is cut off",
    file: "firmware/core/identity.ts",
    original: "deviceId.slice(-TAIL_LENGTH)",
    mutated: "deviceId.slice(17, 24)",
  },
  {
    what: "a request without a Host may come from any page",
    file: "firmware/core/http/own-host.ts",
    original: 'host === "" || hostOf(origin)',
    mutated: "hostOf(origin)",
  },
];
