// Every kind of input, in the order of the printed table.

import type { Kind } from "../kind.js";
import { air } from "./air.js";
import { answers } from "./answers.js";
import { bodies } from "./bodies.js";
import { invitations, multicast, names, queries } from "./datagrams.js";
import { espota } from "./espota.js";
import { forged, frames, relayed } from "./frames.js";
import { headers } from "./headers.js";
import { meshGateway, meshNode } from "./mesh.js";
import { pages } from "./pages.js";
import { portal } from "./portal.js";
import { pushes } from "./pushes.js";
import { stored } from "./stored.js";
import { tables } from "./tables.js";
import { uploads } from "./uploads.js";

export const KINDS: readonly Kind[] = Object.freeze([
  answers,
  headers,
  bodies,
  pages,
  portal,
  pushes,
  invitations,
  espota,
  queries,
  names,
  multicast,
  stored,
  air,
  tables,
  frames,
  relayed,
  forged,
  meshNode,
  meshGateway,
  uploads,
]);
