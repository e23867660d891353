// What XS adds to the language, as far as the firmware uses it. Mirrors xs/includes/xs.d.ts of Moddable SDK 8.2.3, which takes
// this file's place when mcconfig builds: nothing may be declared here that is not there.

/** What the SDK's native code takes as a buffer (xsmcGetBufferReadable): byte-sized views only. */
type ByteBuffer = ArrayBuffer | Uint8Array | Uint8ClampedArray | Int8Array | DataView;

/** Writes to the debugger and the serial console; adds no line feed. */
declare function trace(...log: (string | number | boolean)[]): void;

interface ArrayBufferConstructor {
  /** UTF-8 bytes of the string. */
  fromString(string: string): ArrayBuffer;
}

interface ArrayBuffer {
  concat(...buffers: ArrayBufferLike[]): ArrayBuffer;
}

interface StringConstructor {
  /** The string whose UTF-8 bytes these are; invalid UTF-8 throws. */
  fromArrayBuffer(buffer: ArrayBufferLike): string;
}

interface ObjectConstructor {
  /** With true: freezes everything that can be reached, so that a preloaded table stays in flash. */
  freeze<T>(object: T, deep?: boolean | number): Readonly<T>;
}
