// The names of the SDK's modules that the virtual platform provides; everything else a firmware imports is its own file.

const SPECIFIERS: ReadonlySet<string> = new Set([
  "embedded:storage/flash",
  "embedded:storage/key-value",
  "embedded:update",
  "embedded:io/digital",
  "embedded:io/socket/tcp",
  "embedded:io/socket/udp",
  "embedded:io/socket/listener",
  "embedded:network/http/client",
  "embedded:network/http/server",
  "embedded:network/dns/resolver/udp",
  "embedded:network/dnssd",
  "embedded:network/interface/wifi",
  "wifi",
  "net",
  "neopixel",
  "preference",
  "timer",
  "crypt",
  "text/encoder",
  "text/decoder",
  "base64",
  "hex",
  "mc/ffi",
]);

export const isSdkModule = (specifier: string): boolean => SPECIFIERS.has(specifier);
