// Uploads a release and reports the progress, which `fetch` cannot.

import type { FirmwareView } from "../../../api/release-views.js";
import { onServer } from "../base.js";

export interface ReleaseFiles {
  readonly image: File;
  /** The signed manifest; absent: firmware of a legacy type. */
  readonly manifest: string | undefined;
  /** Other parts of the upload, by their names in the API. */
  readonly fields: Readonly<Record<string, string>>;
}

/** @param onProgress share that was sent, 0 to 1 @throws Error with the server's message */
export function sendRelease(
  { image, manifest, fields }: ReleaseFiles,
  onProgress: (share: number) => void,
): Promise<FirmwareView> {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) if (value !== "") form.set(name, value);
  if (manifest !== undefined) form.set("release", manifest);
  form.set("file", image);
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", onServer("/api/ota/admin/upload"));
    request.responseType = "json";
    request.upload.addEventListener("progress", ({ loaded, total }) =>
      onProgress(total > 0 ? loaded / total : 0),
    );
    request.addEventListener("load", () => {
      const answer = request.response as (FirmwareView & { readonly message?: string }) | null;
      if (request.status === 201 && answer) resolve(answer);
      else reject(new Error(answer?.message ?? `the server answers ${request.status}`));
    });
    request.addEventListener("error", () =>
      reject(new Error("the server does not answer: nothing was stored, send it again")),
    );
    request.send(form);
  });
}
