// `skyslot push --list`: the devices in this network that take pushed images, as they announce themselves by multicast DNS.

import { printLine, printRows, show } from "./output.js";
import type { FoundService } from "./service-answers.js";

/** Devices announce it with the port for pushed images, firmware/core/local/presence.ts. */
const SERVICE = "_ota._tcp";
const LISTEN_SECONDS = 3;

interface ListedDevice {
  readonly name: string;
  readonly host: string;
  readonly address: string;
  readonly port: number;
  readonly type: string | null;
  readonly version: string | null;
}

export async function listPushTargets(flags: { readonly json?: boolean }): Promise<void> {
  const { browse } = await import("./service-browser.js");
  const { found, asked } = await browse(SERVICE, LISTEN_SECONDS);
  const devices = found.map(listed);
  await show(flags, { devices, asked }, () => {
    if (devices.length === 0) return printNothing(asked);
    printRows(devices, {
      NAME: "host",
      ADDRESS: ({ address, port }) => (port === 3232 ? address : `${address}:${port}`),
      TYPE: ({ type }) => type ?? "",
      VERSION: ({ version }) => version ?? "",
    });
  });
}

const listed = ({ name, host, address, port, text }: FoundService): ListedDevice => ({
  name,
  host,
  address,
  port,
  type: text.get("type") ?? null,
  version: text.get("version") ?? null,
});

function printNothing(asked: readonly string[]): void {
  if (asked.length === 0) {
    printLine("this computer is in no network: it has no IPv4 address but its own");
    return;
  }
  printLine(`no device has answered within ${LISTEN_SECONDS} s; asked from ${asked.join(", ")}`);
  printLine("- Is the device on, and set up? While its setup network is open it cannot be found by name.");
  printLine(
    "- Is it in the same network? Guest networks, VPNs and routers between the two let no multicast pass.",
  );
  printLine("- Does a firewall on this computer drop UDP port 5353?");
  printLine("- A device with a cable does not announce itself: push to its address.");
}
