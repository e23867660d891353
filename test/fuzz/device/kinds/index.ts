// Every kind of input, in the order of the printed table.

import type { Kind } from "../kind.js";
import { headers } from "./headers.js";

export const KINDS: readonly Kind[] = Object.freeze([headers]);
