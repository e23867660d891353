// What can happen at the TCP port of a painlessMesh, and what can be asked of it. Only apps that take part in such a mesh have it: their
// machines know these events and effects beside core's own (event.ts, effect.ts).
//
// A neighbour is a TCP connection. Those that the port accepts are numbered from 1 up, those that core opens from -1 down; no number is used
// twice in a boot. Messages are texts, each ended by one zero byte on the wire; anyone who reaches the port can send one.

/** painlessMesh's default. */
export const MESH_PORT = 5555;

/** As the library on an ESP32 (MAX_CONN); a further connection is closed at once. */
export const MAX_NEIGHBOUR_COUNT = 10;

/** A part of 4096 bytes is 5464 characters of base64, and some 400 around them; a longer message closes its connection. */
export const MAX_MESSAGE_BYTES = 6144;

export type MeshTimer =
  | "mesh.neighbours"
  | "mesh.connect"
  | "mesh.request"
  | "mesh.announce"
  | "mesh.broadcast";

export type MeshEvent =
  | { readonly type: "meshConnected"; readonly neighbour: number }
  /** One message, without its zero byte. */
  | { readonly type: "meshReceived"; readonly neighbour: number; readonly text: string }
  /** All that was sent to this neighbour has left: the next message costs no memory besides its own. */
  | { readonly type: "meshSent"; readonly neighbour: number }
  /** By either side, or it could not be opened. */
  | { readonly type: "meshClosed"; readonly neighbour: number }
  | { readonly type: "meshDecoded"; readonly bytes: Uint8Array };

export type MeshEffect =
  /** Accepts neighbours at MESH_PORT from now on. */
  | { readonly type: "openMesh" }
  /** Accepts none any more, and closes all connections. */
  | { readonly type: "closeMesh" }
  | { readonly type: "connectMesh"; readonly neighbour: number; readonly address: string }
  /** One message: the text, or the text, these bytes as base64, and the tail behind them. Answered by `meshSent`. */
  | {
      readonly type: "sendMesh";
      readonly neighbour: number;
      readonly text: string;
      readonly part?: { readonly bytes: Uint8Array; readonly tail: string };
    }
  | { readonly type: "dropMesh"; readonly neighbour: number }
  /** Base64 to bytes; answered by `meshDecoded`. Characters outside the alphabet are skipped. */
  | { readonly type: "decodeMesh"; readonly text: string };

const EVENTS: readonly string[] = Object.freeze([
  "meshConnected",
  "meshReceived",
  "meshSent",
  "meshClosed",
  "meshDecoded",
] satisfies MeshEvent["type"][]);

export const isOfMesh = <Any extends { readonly type: string }>(event: Any): event is Any & MeshEvent =>
  EVENTS.includes(event.type);
