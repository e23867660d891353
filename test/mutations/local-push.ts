// Who may push an image in the device's own network: firmware/core/local/push.ts.

import type { Mutation } from "./mutation.js";

const file = "firmware/core/local/push.ts";

export const MUTATIONS: readonly Mutation[] = [
  {
    what: "an unsigned image is accepted although the owner has not allowed it",
    file,
    original: "release === undefined && !state.acceptUnsigned",
    mutated: "false",
  },
  {
    what: "the token is never compared",
    file,
    original: "given.length > MAX_TOKEN_CHARACTERS || !textsEqual(given, state.token)",
    mutated: "given.length > MAX_TOKEN_CHARACTERS",
  },
  {
    what: "the beginning of the token is enough",
    file,
    original: "!textsEqual(given, state.token)",
    mutated: "!state.token.startsWith(given)",
  },
  {
    what: "a device without a token accepts pushes",
    file,
    original: 'if (state.token === "") return',
    mutated: "if (false) return",
  },
  {
    what: "a request without credentials is compared with the token",
    file,
    original: "if (given === undefined) {",
    mutated: "if (false) {",
  },
  {
    what: "an image of exactly the slot's size is refused",
    file,
    original: "sizeBytes > state.slotBytes",
    mutated: "sizeBytes >= state.slotBytes",
  },
  {
    what: "an image that is larger than the slot is accepted",
    file,
    original: "sizeBytes > state.slotBytes",
    mutated: "false",
  },
  {
    what: "an empty body is accepted",
    file,
    original: "if (sizeBytes === 0)",
    mutated: "if (false)",
  },
  {
    what: "any page's preflight request is allowed",
    file,
    original: "if (allowedOrigin(head) === undefined)\n    return",
    mutated: "if (false) return",
  },
  {
    what: "espota is open though unsigned images are not allowed",
    file,
    original: 'state.token !== "" && state.acceptUnsigned',
    mutated: 'state.token !== "" || state.acceptUnsigned',
  },
  {
    what: "unsigned images are allowed unless they are switched off",
    file,
    original: 'stored[UNSIGNED_KEY] === "1"',
    mutated: 'stored[UNSIGNED_KEY] !== "0"',
  },
  {
    what: "a push to another path is accepted",
    file,
    original: "if (!PUSH_PATHS.includes(head.path)) return",
    mutated: "if (false) return",
  },
  {
    what: "the release of a push is dropped, and its image accepted unsigned",
    file,
    original: "...(release === undefined ? {} : { release }),",
    mutated: "",
  },
];
