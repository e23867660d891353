// What the owner of the device does when the inputs are over: takes back what they have changed in its settings, with the owner's token, and
// looks at its page.

import type { IpNode } from "../../../host-sim/network/ip-node.js";
import type { Ground } from "./ground.js";
import { Fault, type House } from "./house.js";
import { visit } from "./visit.js";

const ANSWER_LIMIT_MS = 60_000;
/** Until it has joined its network, or was set up again by the person. */
const ARRIVAL_LIMIT_MS = 45 * 60_000;

/** From its address to its open ports. */
const OPENING_MS = 5_000;

/** The device may be joining its network anew, because nothing went through for minutes: the owner tries again. */
const MAX_TRIES = 5;

export async function restoreSettings(house: House, ground: Ground): Promise<void> {
  let status = 0;
  for (let tries = 0; status === 0 && tries < MAX_TRIES; tries++) status = await tryToRestore(house, ground);
  if (status !== 200) throw new Fault(`the owner's settings were answered ${status}`);
}

/** @returns the status of the answer; 0: none */
async function tryToRestore(house: House, ground: Ground): Promise<number> {
  const isHome = (): boolean => house.address !== undefined && house.server.checkCount > 0;
  if (!(await house.until(isHome, ARRIVAL_LIMIT_MS)))
    throw new Fault("the device does not come into its network any more");
  await house.during(OPENING_MS);
  const stored = ground.openNvs().get("skyslot", "push.token", "str").value;
  // with another one nobody is the owner any more: the device has to be reset at its setup network
  if (typeof stored !== "string" || !/^[!-~]{8,64}$/.test(stored)) return 200;
  const body = JSON.stringify({ server: "", checkSeconds: 0, deviceName: "" });
  const head = [
    "POST /api/settings HTTP/1.1",
    `Host: ${house.address}`,
    `Authorization: Bearer ${stored}`,
    "Content-Type: application/json",
    `Content-Length: ${body.length}`,
  ];
  const { status } = await ask(house, house.stranger, `${head.join("\r\n")}\r\n\r\n${body}`);
  return status;
}

export async function visitPage(house: House): Promise<void> {
  for (const path of ["/", "/api/version", "/api/health"]) {
    const { status } = await ask(
      house,
      house.stranger,
      `GET ${path} HTTP/1.1\r\nHost: ${house.address}\r\n\r\n`,
    );
    if (status !== 200) throw new Fault(`GET ${path} was answered ${status}`);
  }
}

async function ask(house: House, node: IpNode, text: string) {
  return visit(house, { node, address: house.address ?? "", port: 80, text, limitMs: ANSWER_LIMIT_MS });
}
