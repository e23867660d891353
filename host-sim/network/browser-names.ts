/**
 * A browser on this computer knows a virtual device by a loopback address, and the device knows itself by its own: what they say of
 * hosts and origins is translated in the heads of a request and of its answer. A device answers requests for another host as a captive
 * portal does, and takes no settings from another origin; a browser shows no answer that is meant for another origin. Bodies are not touched.
 */

/** Translates bytes as they come; what it needs to see whole is held back until then, or until the end. */
export type Rewrite = (bytes: Uint8Array, isEnd: boolean) => Uint8Array;

/** Longest head that is looked through, bytes. */
const MAX_HEAD_BYTES = 16 * 1024;
/** An origin of this computer, with or without a port. */
const LOOPBACK_ORIGIN = /^((?:origin|referer): *)(http:\/\/(?:localhost|127(?:\.\d+){3})(?::\d+)?)/gim;
const HOST = /^(host: *)([^:\r\n]*).*$/im;

/**
 * For one connection with one request, as the device's servers take it.
 * @param address the device's own
 */
export function translator(address: string): { readonly toDevice: Rewrite; readonly toBrowser: Rewrite } {
  let browserHost = address;
  let browserOrigin = `http://${address}`;
  const toDevice = inHead((head) =>
    head
      .replace(HOST, (_, name: string, host: string) => {
        browserHost = host;
        return `${name}${address}`;
      })
      .replace(LOOPBACK_ORIGIN, (_, name: string, origin: string) => {
        if (name.toLowerCase().startsWith("origin")) browserOrigin = origin;
        return `${name}http://${address}`;
      }),
  );
  const toBrowser = inHead((head) =>
    head
      .replace(/^(access-control-allow-origin: *).*$/im, (_, name: string) => `${name}${browserOrigin}`)
      .replace(/^content-security-policy: .*$/im, (policy) =>
        policy.replaceAll(`http://${address}`, `http://${browserHost}`),
      ),
  );
  return { toDevice, toBrowser };
}

/** Rewrites the head of a message, and lets everything behind it pass. */
function inHead(rewrite: (head: string) => string): Rewrite {
  let held: Buffer | undefined = Buffer.alloc(0);
  return (bytes, isEnd) => {
    if (held === undefined) return bytes;
    held = Buffer.concat([held, bytes]);
    const end = held.indexOf("\r\n\r\n");
    if (end < 0 && held.length < MAX_HEAD_BYTES && !isEnd) return new Uint8Array();
    const head = held.subarray(0, Math.max(end, 0));
    const whole = Buffer.concat([
      Buffer.from(rewrite(head.toString("latin1")), "latin1"),
      held.subarray(head.length),
    ]);
    held = undefined;
    return whole;
  };
}
