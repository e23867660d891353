// The page that a device serves in its owner's network. Placeholder until the next change: it links to the API.

/** HTML of `GET /` once the device has joined. */
export const statusPage = `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Skyslot</title></head><body><a href="/api/version">Version</a> <a href="/api/health">Health</a></body></html>`;
