// The unchanged server, with one release uploaded. Prints its URL and its administrator's token as JSON.
//
//   RELEASE=… IMAGE=image.bin node --import=tsx skyslot.ts DATA_FOLDER [--without=PART|fast-path]
//
// Without RELEASE: the data folder has one already.

import { readFile } from "node:fs/promises";
import { startServer } from "../../server/start.js";
import { PARTS, type PartName } from "./without-parts.js";

const [dataDir = "", flag = ""] = process.argv.slice(2);
const without = flag.replace("--without=", "");
const { RELEASE, IMAGE = "", DATABASE_URL: databaseUrl } = process.env;
const server = await startServer({
  dataDir,
  port: 0,
  databaseUrl,
  settings: { fastPath: without !== "fast-path" },
});
if (without !== "" && without !== "fast-path") PARTS[without as PartName](server, dataDir);
if (RELEASE !== undefined) await upload(RELEASE);
const { url, adminToken } = server;
console.log(JSON.stringify({ url, adminToken }));
// To the parent process: the CPU time used so far.
process.on("message", () => process.send?.(process.cpuUsage()));
process.once("SIGTERM", () => void server.close().then(() => process.exit()));

async function upload(release: string): Promise<void> {
  const form = new FormData();
  form.set("release", release);
  form.set("file", new Blob([new Uint8Array(await readFile(IMAGE))]), "base.bin");
  const answer = await fetch(`${server.url}/api/ota/admin/upload`, {
    method: "POST",
    headers: { authorization: `Bearer ${server.adminToken}` },
    body: form,
  });
  if (answer.status !== 201) throw new Error(await answer.text());
}
