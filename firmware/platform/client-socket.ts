// The TCP socket under the SDK's HTTP client. The client reads the head of a response byte by byte into strings without a limit, and throws
// at malformed input where nothing catches it: a server, or a proxy, could restart the device with either. Here such a response ends the
// connection, and the request fails like any other.

import TCP from "embedded:io/socket/tcp";

/** Of an answer's head, and of the line before each piece of a body. */
const MAX_LINES_BYTES = 4096;

type Callback = (this: TCP, count: number) => void;

interface Options {
  address: string;
  port: number;
  onReadable: Callback;
  onWritable: Callback;
  onError: (this: TCP) => void;
}

export class ClientSocket extends TCP {
  /** Bytes that were read one by one since a body was read last. */
  #linesBytes = 0;

  constructor(options: Options) {
    super(guarded(options));
  }

  override read(byteLength?: number): ArrayBuffer | number | undefined;
  override read(buffer: ByteBuffer): number | undefined;
  /** Without a target: one byte, as a number. That is how the client reads lines, and only lines. */
  override read(target?: number | ByteBuffer): ArrayBuffer | number | undefined {
    if (target !== undefined) {
      this.#linesBytes = 0;
      return super.read(target as number);
    }
    if (this.#linesBytes++ === MAX_LINES_BYTES) throw new Error(`more than ${MAX_LINES_BYTES} bytes of head`);
    return super.read();
  }
}

/** What the client throws out of its callbacks is the end of the connection. The client makes its options for one socket only. */
function guarded(options: Options): Options {
  const { onError } = options;
  const guard = (callback: Callback): Callback =>
    function (count) {
      try {
        callback.call(this, count);
      } catch {
        onError.call(this);
      }
    };
  options.onReadable = guard(options.onReadable);
  options.onWritable = guard(options.onWritable);
  return options;
}
