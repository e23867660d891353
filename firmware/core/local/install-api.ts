// The second step of an upload: the image that is staged is installed, or given up. It is looked at first, whether the other device of a pair
// would still work with it. Answers when the image is armed, not before; authorised as every change (guard.ts).
//
//   POST /api/ota/release   the signed release of the next upload, where it comes without the header
//   POST /api/ota/install   404 nothing is staged; 409 the peer does not fit (unless ?force); 200, and two seconds later a restart
//   POST /api/ota/abandon   what is staged is given up

import type { PageRequest } from "../event.js";
import { json } from "../http/answer.js";
import { parseFlat } from "../http/flat-json.js";
import { isSwitchedOn } from "../http/query.js";
import { parseVersion, versionNumber } from "../update/version.js";
import { MAX_RELEASE_LENGTH } from "../wire.js";
import type { LocalApiState, Step } from "./api-state.js";

/** As update/arm.ts restarts. */
const RESTARTS_IN_MS = 2_000;

const failed = (request: { readonly connection: number }, status: number, message: string, code: string) =>
  json(request, status, { success: false, message, code });

export function giveRelease(state: LocalApiState, request: PageRequest): Step {
  const release = parseFlat(request.body)?.get("release");
  if (typeof release !== "string" || release === "" || release.length > MAX_RELEASE_LENGTH) {
    const message = `Send {"release":"…"}, a signed release of at most ${MAX_RELEASE_LENGTH} characters.`;
    return [state, [failed(request, 400, message, "RELEASE_MALFORMED")]];
  }
  return [
    state,
    [
      json(request, 202, { success: true, message: "Upload its image now." }),
      { type: "raise", event: { type: "releaseGiven", release } },
    ],
  ];
}

export function install(state: LocalApiState, request: PageRequest): Step {
  const { staged } = state;
  if (!staged) return [state, [failed(request, 404, "No firmware uploaded", "NOTHING_STAGED")]];
  if (state.installing !== undefined)
    return [state, [failed(request, 409, "It is being installed already", "BUSY")]];
  const problem = isSwitchedOn(request.path, "force") ? undefined : peerProblem(state);
  if (problem !== undefined) return [state, [failed(request, 409, problem, "PEER_INCOMPATIBLE")]];
  return [
    { ...state, installing: request.connection },
    [
      // its slot is proved first
      { type: "delayResponse", connection: request.connection },
      { type: "raise", event: { type: "commitRequested", imageSha256: staged.imageSha256 } },
    ],
  ];
}

export function installEnded(state: LocalApiState, problem: string | undefined): Step {
  const { installing: connection, staged } = state;
  if (connection === undefined) return [state, []];
  const answer =
    problem === undefined
      ? json({ connection }, 200, {
          success: true,
          message: `Installing ${staged?.version ?? "the uploaded image"}, restarting`,
          restartsInMs: RESTARTS_IN_MS,
        })
      : failed({ connection }, 500, `Not installed: ${problem}`, "INSTALL_FAILED");
  return [{ ...state, installing: undefined }, [answer]];
}

export const abandonStaged = (state: LocalApiState, request: PageRequest): Step => [
  state,
  state.staged
    ? [
        json(request, 200, { success: true, message: `${state.staged.version} is given up` }),
        { type: "raise", event: { type: "abandonRequested", reason: "its owner does not want it" } },
      ]
    : [failed(request, 404, "No firmware uploaded", "NOTHING_STAGED")],
];

/** Why the peer, as it is now, would not work with the staged image; what is not known of either is no reason. */
function peerProblem({ staged, peer }: LocalApiState): string | undefined {
  if (!staged || !peer || peer.version === "") return undefined;
  const { protocolVersion, minCompatible } = staged;
  const name = peer.deviceType;
  if (protocolVersion !== undefined && protocolVersion !== peer.protocol)
    return `The image speaks protocol ${protocolVersion}, the ${name} speaks ${peer.protocol}`;
  const version = parseVersion(staged.version);
  if (version && versionNumber(version) < peer.minCompatible)
    return `The ${name} works with version number ${peer.minCompatible} or newer, the image is ${staged.version}`;
  const minimum = minCompatible === undefined ? undefined : parseVersion(minCompatible);
  return minimum && versionNumber(minimum) > peer.number
    ? `The image works with ${minCompatible} or newer, the ${name} runs ${peer.version}`
    : undefined;
}
