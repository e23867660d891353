// A minimal Node server: reads a JSON body and answers JSON, or sends one buffer. Prints its port.
//
//   node --import=tsx bare.ts ANSWER.json IMAGE.bin

import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

const [answerFile = "", imageFile = ""] = process.argv.slice(2);
const answer = JSON.parse(await readFile(answerFile, "utf8")) as object;
const image = await readFile(imageFile);

const server = createServer((request, response) => {
  if (request.method === "GET") {
    response
      .writeHead(200, { "content-type": "application/octet-stream", "content-length": image.length })
      .end(image);
    return;
  }
  let body = "";
  request.setEncoding("utf8");
  request.on("data", (text: string) => {
    body += text;
  });
  request.on("end", () => {
    JSON.parse(body);
    const text = JSON.stringify(answer);
    response
      .writeHead(200, {
        "content-type": "application/json; charset=utf-8",
        "content-length": Buffer.byteLength(text),
      })
      .end(text);
  });
});
// To the parent process: the CPU time used so far.
process.on("message", () => process.send?.(process.cpuUsage()));
server.listen(0, "127.0.0.1", () => console.log((server.address() as AddressInfo).port));
