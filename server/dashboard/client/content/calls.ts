// Requests of the pages about panels.

import type { AssignmentView, ImageView, ShownView } from "../../../api/content-views.js";
import { onServer } from "../base.js";
import { type Loaded, useData, withParams } from "../data.js";
import type { DevicesAnswer, LabelsAnswer } from "../devices/row.js";
import { ask } from "../session.js";

const ROOT = "/api/content-admin";
/** Longer lists are cut off. */
const LIST_LENGTH = 500;

export const useImages = (): Loaded<{ readonly images: readonly ImageView[]; readonly total: number }> =>
  useData(`${ROOT}/images?limit=${LIST_LENGTH}`);
export const useAssignments = (): Loaded<{
  readonly assignments: readonly AssignmentView[];
  readonly total: number;
}> => useData(`${ROOT}/assignments?limit=${LIST_LENGTH}`);

export const assign = (body: object) => ask<AssignmentView>("POST", `${ROOT}/assignments`, body);
export const unassign = (id: number) => ask("DELETE", `${ROOT}/assignments/${id}`);
export const deleteImage = (id: number) => ask("DELETE", `${ROOT}/images/${id}`);
export const findShown = (device: string) =>
  ask<ShownView>("GET", `${ROOT}/devices/${encodeURIComponent(device)}`);

export async function loadPbm(id: number): Promise<Uint8Array> {
  const response = await fetch(onServer(`${ROOT}/images/${id}`));
  if (!response.ok) throw new Error(`The picture cannot be loaded: the server answers ${response.status}.`);
  return new Uint8Array(await response.arrayBuffer());
}

export function uploadPicture(name: string, pbm: Uint8Array<ArrayBuffer>): Promise<ImageView> {
  const form = new FormData();
  form.set("name", name);
  form.set("file", new Blob([pbm]), "picture.pbm");
  return ask("POST", `${ROOT}/images`, form);
}

/** Whether any device is meant. */
export async function isKnown(kind: "device" | "group" | "type", name: string): Promise<boolean> {
  const filter = kind === "device" ? { search: name } : { [kind]: name };
  const { devices } = await ask<DevicesAnswer>(
    "GET",
    withParams("/api/devices", { ...filter, limit: kind === "device" ? LIST_LENGTH : 1 }),
  );
  return kind === "device" ? devices.some(({ device_id }) => device_id === name) : devices.length > 0;
}

/** Suggested names of targets; for a large fleet not all devices. */
export function useTargetNames(): Readonly<Record<"device" | "group" | "type", readonly string[]>> {
  const listed = useData<DevicesAnswer>(`/api/devices?limit=${LIST_LENGTH}`);
  const labels = useData<LabelsAnswer>("/api/devices/labels");
  const devices = listed.data?.devices ?? [];
  return {
    device: devices.map(({ device_id }) => device_id).sort(),
    group: labels.data?.groups.map(({ name }) => name) ?? [],
    type: [...new Set(devices.map(({ device_type }) => device_type))].sort(),
  };
}
