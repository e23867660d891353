// Replaces the SDK's `net` in a build without Wi-Fi (that module links the Wi-Fi library). Only returns the name server.

import FFI from "mc/ffi";

export default Object.freeze({
  get(what: string, _of?: string): string[] | undefined {
    if (what !== "DNS") return undefined;
    const address = new ArrayBuffer(4);
    // made here, not once for the module: a preloaded module cannot hold native functions
    return new FFI().skyslot_name_server(address) === 0 ? [new Uint8Array(address).join(".")] : undefined;
  },
});
