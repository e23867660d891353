/**
 * `embedded:io/socket/tcp` over the virtual network, with the behaviour of the SDK's lwIP sockets: callbacks are separate
 * turns, an error comes after the last byte has been read, and a used-up handle throws.
 */

import type { Machine } from "../../machine/machine.js";
import { normalizeAddress } from "../../network/address.js";
import type { TcpSocket } from "../../network/tcp-socket.js";
import type { Callback, Dictionary, Native } from "../native.js";

const WRITABLE = 1;
const READABLE = 2;
const ERROR = 4;
const OUTPUT = 8;
type Format = "number" | "buffer";

/** What the Listener module needs of the class. */
export interface TcpModule {
  readonly TCP: new (dictionary?: unknown) => object;
  /** Gives an accepted connection to an empty TCP object. */
  adopt(tcp: object, socket: TcpSocket): void;
}

export function createTcp(machine: Machine, native: Native): TcpModule {
  const handles = new WeakMap<object, TcpHandle | undefined>();

  function handleOf(object: object): TcpHandle {
    const handle = handles.get(object);
    if (handle === undefined) throw native.invalidHandle(handles.has(object));
    return handle;
  }

  class TCP {
    constructor(...parameters: [unknown?]) {
      handles.set(this, undefined);
      if (parameters.length === 0) handles.set(this, new TcpHandle(machine, native, this));
      else openHandle(this, parameters[0]);
    }

    close(): void {
      if (!handles.has(this)) throw native.invalidHandle(false);
      handles.get(this)?.close();
      handles.set(this, undefined);
    }

    read(...parameters: [unknown?]): unknown {
      return handleOf(this).read(parameters);
    }

    write(...parameters: [unknown?]): unknown {
      return handleOf(this).write(parameters);
    }

    /** The SDK's own would panic without a socket; skyslot-tcp.c replaces it. */
    get remoteAddress(): string | undefined {
      return handleOf(this).remoteAddress;
    }

    get remotePort(): number {
      return handleOf(this).socketOrPanic().remotePort;
    }

    get format(): string {
      return handleOf(this).format;
    }

    set format(value: string) {
      const handle = handleOf(this);
      handle.format = parseFormat(native, value);
    }
  }

  function openHandle(object: TCP, given: unknown): void {
    if (!machine.network.hasInterface) throw native.error("no network");
    const handle = new TcpHandle(machine, native, object);
    if (given === undefined || given === null) throw native.coerced();
    const dictionary = given as Dictionary;
    if (dictionary.format) handle.format = parseFormat(native, dictionary.format);
    handle.onReadable = native.callback(dictionary, "onReadable");
    handle.onWritable = native.callback(dictionary, "onWritable");
    handle.onError = native.callback(dictionary, "onError");
    if ("from" in dictionary) {
      const from = dictionary.from as object;
      const isObject = (typeof from === "object" && from !== null) || typeof from === "function";
      if (!isObject) throw native.invalidHandle(false);
      handle.takeOver(handleOf(from));
      handles.set(from, undefined);
    } else handle.connect(dictionary);
    if ("target" in dictionary) (object as unknown as Dictionary).target = dictionary.target;
    handles.set(object, handle);
  }

  return { TCP, adopt: (tcp, socket) => handleOf(tcp).adopt(socket) };
}

function parseFormat(native: Native, value: unknown): Format {
  const format = native.text(value);
  if (format !== "number" && format !== "buffer") throw native.rangeError("unimplemented");
  return format;
}

/** The native side of a TCP object. */
class TcpHandle {
  format: Format = "buffer";
  onReadable: Callback | undefined;
  onWritable: Callback | undefined;
  onError: Callback | undefined;
  #machine: Machine;
  #native: Native;
  #object: object;
  #socket: TcpSocket | undefined;
  #isReady = false;
  #hasError = false;
  #isClosed = false;
  #triggered = 0;

  constructor(machine: Machine, native: Native, object: object) {
    this.#machine = machine;
    this.#native = native;
    this.#object = object;
  }

  connect(dictionary: Dictionary): void {
    const address = normalizeAddress(this.#native.text(dictionary.address));
    if (address === undefined) throw this.#native.error("invalid address");
    if (dictionary.port === undefined) throw this.#native.error("invalid");
    const port = this.#native.integer(dictionary.port);
    if (port < 0 || port > 65535) throw this.#native.rangeError("invalid port");
    const { network } = this.#machine;
    if (network.isFull) throw this.#native.rangeError("no socket");
    if (!network.canRoute(address)) throw this.#native.error("connect error");
    this.#attach(network.connect(address, port));
  }

  /** A connection that a listener has accepted. */
  adopt(socket: TcpSocket): void {
    this.#isReady = true;
    this.#attach(socket);
    if (socket.failure !== undefined) this.#failed();
    else if (socket.hasEnded) this.#trigger(ERROR);
  }

  /** `new TCP({from})`: the connection moves, the old object cannot be used any more. */
  takeOver(from: TcpHandle): void {
    const socket = from.#socket;
    if (socket === undefined) throw this.#native.error("invalid from");
    let triggered = from.#triggered;
    this.#isReady = from.#isReady;
    from.#socket = undefined;
    from.close();
    this.#attach(socket);
    if (this.onWritable && socket.roomBytes > 0) triggered |= WRITABLE;
    if (this.onReadable && socket.unreadBytes > 0) triggered |= READABLE;
    if (triggered) this.#trigger(triggered);
  }

  close(): void {
    this.#isClosed = true;
    this.#isReady = false;
    this.#triggered = 0;
    this.#socket?.close();
    this.#socket = undefined;
  }

  /** A connection that was reset has no remote side left: asking for it crashes the chip. */
  get remoteAddress(): string | undefined {
    return this.#socket?.remoteAddress;
  }

  socketOrPanic(): TcpSocket {
    return this.#socket ?? this.#machine.restart(4);
  }

  read(parameters: readonly unknown[]): unknown {
    const socket = this.#socket;
    const availableBytes = socket?.unreadBytes ?? this.#leftover.length;
    if (availableBytes === 0) return undefined;
    if (this.format === "number") return this.#take(1)[0];
    const [requested] = parameters;
    const isBuffer = (typeof requested === "object" && requested !== null) || typeof requested === "function";
    const target = isBuffer ? this.#native.bytesOf(requested) : undefined;
    const count =
      target?.length ?? (parameters.length === 0 ? availableBytes : this.#native.integer(requested));
    if (count <= 0 || count > availableBytes) throw this.#native.error("invalid");
    const bytes = this.#take(count);
    if (target === undefined) return this.#native.arrayBuffer(bytes);
    target.set(bytes);
    return count;
  }

  write(parameters: readonly unknown[]): unknown {
    if (!this.#isReady) throw this.#native.error("not ready");
    const socket = this.#socket;
    if (this.#hasError || socket === undefined) return undefined;
    this.#native.needArguments(parameters, 1);
    const [data] = parameters;
    const bytes =
      this.format === "number"
        ? Uint8Array.of(this.#native.integer(data) & 0xff)
        : this.#native.bytesOf(data);
    if (bytes.length > socket.roomBytes) throw this.#native.error("would block");
    socket.enqueue(bytes);
    this.#trigger(OUTPUT);
    return socket.roomBytes;
  }

  /** Bytes that had arrived before the connection was reset. */
  #leftover = new Uint8Array();

  #take(count: number): Uint8Array {
    let bytes: Uint8Array;
    if (this.#socket !== undefined) bytes = this.#socket.read(count);
    else {
      bytes = this.#leftover.slice(0, count);
      this.#leftover = this.#leftover.slice(count);
    }
    if (this.#unreadBytes === 0 && this.#hasError) this.#trigger(ERROR);
    return bytes;
  }

  get #unreadBytes(): number {
    return this.#socket?.unreadBytes ?? this.#leftover.length;
  }

  #attach(socket: TcpSocket): void {
    this.#socket = socket;
    socket.events = {
      connected: () => {
        this.#isReady = true;
        this.#trigger(WRITABLE);
      },
      received: () => {
        if (this.onReadable) this.#trigger(READABLE);
      },
      ended: () => this.#trigger(ERROR),
      failed: () => this.#failed(),
    };
    if (this.onWritable) socket.events.sent = () => this.#trigger(WRITABLE);
  }

  #failed(): void {
    this.#leftover = this.#socket?.read() as Uint8Array<ArrayBuffer>;
    this.#socket = undefined;
    if (this.onError) this.#trigger(ERROR);
  }

  #trigger(what: number): void {
    const before = this.#triggered;
    this.#triggered |= what;
    if (before === 0) this.#machine.after(0, () => this.#deliver());
  }

  /** One turn for everything that has happened since the last. */
  #deliver(): void {
    let triggered = this.#triggered;
    this.#triggered = 0;
    if (triggered & ERROR) {
      triggered &= ~(WRITABLE | OUTPUT);
      this.#hasError = true;
      this.#isReady = false;
    }
    if (triggered & OUTPUT) this.#socket?.flush();
    if (triggered & READABLE && this.#unreadBytes > 0) this.#call(this.onReadable, this.#unreadBytes);
    if (this.#hasError) {
      if (this.#unreadBytes === 0) this.#call(this.onError);
    } else if (triggered & WRITABLE && this.#socket !== undefined) {
      this.#call(this.onWritable, this.#socket.roomBytes);
    }
  }

  #call(callback: Callback | undefined, ...parameters: unknown[]): void {
    if (callback !== undefined && !this.#isClosed) callback.apply(this.#object, parameters);
  }
}
