// `npm run fuzz -- [server|device|roots|statements|manifests] …`: fuzzes the server (the default), a virtual device, or what is signed. The same seed feeds the same inputs.

import { HELP } from "./help.js";

const SIGNED = ["roots", "statements", "manifests"];
const [room = "server", ...more] = process.argv.slice(2);
if (room === "--help" || room === "-h") console.log(HELP);
else if (room === "device") await (await import("./device/main.js")).main(more);
else if (room === "server") await (await import("./server-main.js")).main(more);
else if (SIGNED.includes(room)) await (await import("./trust/main.js")).main(room, more);
else if (room.startsWith("-")) await (await import("./server-main.js")).main([room, ...more]);
else {
  console.error(`there is nothing to fuzz by the name "${room}"\n\n${HELP}`);
  process.exitCode = 2;
}
