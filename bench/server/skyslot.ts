// The server as it is, with one release uploaded. Prints its URL and its administrator's token as JSON.
//
//   RELEASE=… IMAGE=image.bin node --import=tsx skyslot.ts DATA_FOLDER

import { readFile } from "node:fs/promises";
import { startServer } from "../../server/start.js";

const [dataDir = ""] = process.argv.slice(2);
const { RELEASE = "", IMAGE = "", DATABASE_URL: databaseUrl } = process.env;
const server = await startServer({ dataDir, port: 0, databaseUrl });
const form = new FormData();
form.set("release", RELEASE);
form.set("file", new Blob([new Uint8Array(await readFile(IMAGE))]), "base.bin");
const answer = await fetch(`${server.url}/api/ota/admin/upload`, {
  method: "POST",
  headers: { authorization: `Bearer ${server.adminToken}` },
  body: form,
});
if (answer.status !== 201) throw new Error(await answer.text());
const { url, adminToken } = server;
console.log(JSON.stringify({ url, adminToken }));
