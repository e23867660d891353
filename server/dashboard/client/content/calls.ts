// Requests of the pages about panels.

import type { AssignmentView, ImageView, ShownView } from "../../../api/content-views.js";
import { ask } from "../session.js";

export type { AssignmentView, ImageView, ShownView };

const ROOT = "/api/content-admin";
const LIST_LENGTH = 500;

export interface Listed<Item> {
  readonly items: readonly Item[];
  /** Total number; a long list is cut off. */
  readonly total: number;
}

export async function listImages(limit = LIST_LENGTH): Promise<Listed<ImageView>> {
  const answer = await ask<{ images: ImageView[]; total: number }>("GET", `${ROOT}/images?limit=${limit}`);
  return { items: answer.images, total: answer.total };
}

export async function listAssignments(): Promise<Listed<AssignmentView>> {
  const answer = await ask<{ assignments: AssignmentView[]; total: number }>(
    "GET",
    `${ROOT}/assignments?limit=${LIST_LENGTH}`,
  );
  return { items: answer.assignments, total: answer.total };
}

export const assign = (body: object) => ask<AssignmentView>("POST", `${ROOT}/assignments`, body);
export const unassign = (id: number) => ask("DELETE", `${ROOT}/assignments/${id}`);
export const deleteImage = (id: number) => ask("DELETE", `${ROOT}/images/${id}`);
export const findShown = (device: string) =>
  ask<ShownView>("GET", `${ROOT}/devices/${encodeURIComponent(device)}`);

export async function loadPbm(id: number): Promise<Uint8Array> {
  const response = await fetch(`${ROOT}/images/${id}`);
  if (!response.ok) throw new Error(`The picture cannot be loaded: the server answers ${response.status}.`);
  return new Uint8Array(await response.arrayBuffer());
}

/** @throws Error with the server's message */
export async function uploadPicture(name: string, pbm: Uint8Array<ArrayBuffer>): Promise<ImageView> {
  const form = new FormData();
  form.set("name", name);
  form.set("file", new Blob([pbm]), "picture.pbm");
  const response = await fetch(`${ROOT}/images`, { method: "POST", body: form }).catch(() => {
    throw new Error("The server does not answer.");
  });
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(answer.message ?? `The server answers ${response.status}.`);
  return answer as ImageView;
}

/** Suggested names of targets; for a large fleet not all devices. */
export interface Names {
  readonly device: readonly string[];
  readonly group: readonly string[];
  readonly type: readonly string[];
}

export async function listNames(): Promise<Names> {
  const [{ devices }, { groups }] = await Promise.all([
    ask<{ devices: { device_id: string; device_type: string }[] }>(
      "GET",
      `/api/devices?limit=${LIST_LENGTH}`,
    ),
    ask<{ groups: { name: string }[] }>("GET", "/api/devices/labels"),
  ]);
  return {
    device: devices.map(({ device_id }) => device_id).sort(),
    group: groups.map(({ name }) => name),
    type: [...new Set(devices.map(({ device_type }) => device_type))].sort(),
  };
}
