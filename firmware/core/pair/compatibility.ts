// Whether two devices of a pair may exchange data, by what each of them says that it runs: both speak the same protocol, and neither is
// older than the other one demands. Decides nothing else: they hear each other's versions, and can be updated, whatever the answer is.

import type { FirmwareVersion } from "./version-packet.js";

type Speaking = Pick<FirmwareVersion, "firmwareVersion" | "protocolVersion" | "minCompatible">;

/** Why they may not, for a person; `undefined`: they may. */
export function incompatibility(own: Speaking, peer: Speaking): string | undefined {
  if (own.protocolVersion !== peer.protocolVersion)
    return `it speaks protocol ${peer.protocolVersion}, this device ${own.protocolVersion}`;
  if (peer.firmwareVersion < own.minCompatible)
    return `it runs ${peer.firmwareVersion}, this device needs ${own.minCompatible} or newer`;
  if (own.firmwareVersion < peer.minCompatible)
    return `it needs ${peer.minCompatible} or newer, this device runs ${own.firmwareVersion}`;
  return undefined;
}

export const areCompatible = (own: Speaking, peer: Speaking): boolean =>
  incompatibility(own, peer) === undefined;
