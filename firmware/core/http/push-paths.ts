// Where a device takes images. Requests to these paths are heard by the machine of pushed images (local/push.ts), on both ports.

/** Where an image is uploaded that is staged only. */
export const UPLOAD_PATH = "/api/ota/upload";
/** Where bodies are images. */
export const PUSH_PATHS: readonly string[] = Object.freeze(["/update", UPLOAD_PATH]);

/** Whether the body of a request is an image. */
export const isPush = ({ method, path }: { readonly method: string; readonly path: string }): boolean =>
  method === "POST" && PUSH_PATHS.includes(path);
