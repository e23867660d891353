// The globals of a device's realm as XS has them, run inside the realm: what only Node's engine has is removed, the
// clock and randomness come from the device that runs, XS's own additions are added, and everything is frozen as the SDK's
// preload does. Evaluates to a function of the realm's host interface.

/** @param host { uptimeMs(), random(), trace(text), encode(string) → bytes, decode(bytes, fatal) → string, evaluate(text) } */
(host, DevicePromise) => {
  const NativeDate = Date;
  const define = (object, properties) => {
    for (const [name, value] of Object.entries(properties)) {
      Object.defineProperty(object, name, { value, writable: true, enumerable: false, configurable: true });
    }
  };
  const global = globalThis;

  function copyToBuffer(bytes) {
    const copy = new Uint8Array(bytes.length);
    copy.set(bytes);
    return copy.buffer;
  }

  function isArrayBuffer(value) {
    try {
      Object.getOwnPropertyDescriptor(ArrayBuffer.prototype, "byteLength").get.call(value);
      return true;
    } catch {
      return false;
    }
  }

  // --- what XS does not have

  const ABSENT =
    "console Intl WebAssembly Temporal DisposableStack AsyncDisposableStack SuppressedError SharedWorker ShadowRealm";
  for (const name of ABSENT.split(" ")) delete global[name];
  delete Error.captureStackTrace;

  // --- clock: begins with the boot, in UTC

  const now = () => host.uptimeMs();

  function parseDate(text) {
    const string = String(text);
    const isLocal = /^\d{4}-\d\d-\d\dT[^zZ+]*$/.test(string) && !/T.*-/.test(string);
    if (isLocal) return NativeDate.parse(`${string}Z`);
    const isIso = /^[+-]?\d{4,6}(-\d\d(-\d\d)?)?(T.*)?$/.test(string);
    const hasZone = /(?:[zZ]|GMT|UTC|UT|[+-]\d\d:?\d\d)\b/.test(string.replace(/^[^,\s]*/, ""));
    return NativeDate.parse(isIso || hasZone ? string : `${string} UTC`);
  }

  function DeviceDate(...parts) {
    if (new.target === undefined) return new DeviceDate().toString();
    const timeOf = () => {
      if (parts.length === 0) return now();
      if (parts.length > 1) return NativeDate.UTC(...parts);
      const [only] = parts;
      const primitive = only instanceof NativeDate ? only.getTime() : toPrimitive(only);
      return typeof primitive === "string" ? parseDate(primitive) : primitive;
    };
    return Reflect.construct(NativeDate, [timeOf()], new.target);
  }

  function toPrimitive(value) {
    if (value === null || (typeof value !== "object" && typeof value !== "function")) return value;
    const convert = value[Symbol.toPrimitive];
    if (convert !== undefined) return convert.call(value, "default");
    const direct = value.valueOf();
    return direct === null || typeof direct !== "object" ? direct : value.toString();
  }

  define(DeviceDate, { UTC: NativeDate.UTC, now, parse: parseDate });
  Object.defineProperty(DeviceDate, "prototype", { value: NativeDate.prototype, writable: false });
  Object.defineProperties(DeviceDate, { length: { value: 7 }, name: { value: "Date" } });
  define(NativeDate.prototype, { constructor: DeviceDate });

  for (const unit of ["FullYear", "Month", "Date", "Day", "Hours", "Minutes", "Seconds", "Milliseconds"]) {
    for (const verb of ["get", "set"]) {
      const inUtc = NativeDate.prototype[`${verb}UTC${unit}`];
      if (inUtc !== undefined) define(NativeDate.prototype, { [`${verb}${unit}`]: inUtc });
    }
  }
  const DAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
  const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
  const two = (number) => String(number).padStart(2, "0");
  const dateText = (date) =>
    `${DAYS[date.getUTCDay()]} ${MONTHS[date.getUTCMonth()]} ${two(date.getUTCDate())} ${String(date.getUTCFullYear()).padStart(4, "0")}`;
  const timeText = (date) =>
    `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())} GMT+0000`;
  const dateMethods = {
    getTimezoneOffset() {
      return Number.isNaN(this.getTime()) ? Number.NaN : 0;
    },
    toString() {
      return Number.isNaN(this.getTime()) ? "Invalid Date" : `${dateText(this)} ${timeText(this)}`;
    },
    toDateString() {
      return Number.isNaN(this.getTime()) ? "Invalid Date" : dateText(this);
    },
    toTimeString() {
      return Number.isNaN(this.getTime()) ? "Invalid Date" : timeText(this);
    },
  };
  define(NativeDate.prototype, {
    ...dateMethods,
    toLocaleString: dateMethods.toString,
    toLocaleDateString: dateMethods.toDateString,
    toLocaleTimeString: dateMethods.toTimeString,
  });

  // --- numbers

  const integerDivision = (divide) => (x, y) => ((y | 0) === 0 ? Number.NaN : divide(x | 0, y | 0) | 0);
  const idiv = integerDivision((x, y) => x / y);
  const imod = integerDivision((x, y) => ((x % y) + y) % y);
  define(Math, {
    random: () => host.random(),
    idiv,
    imod,
    irem: integerDivision((x, y) => x % y),
    idivmod: (x, y) => [idiv(x, y), imod(x, y)],
    imuldiv: (x, y, z) =>
      (z | 0) === 0 ? Number.NaN : Number((BigInt(x | 0) * BigInt(y | 0)) / BigInt(z | 0)) | 0,
    irandom(...bounds) {
      const minimum = bounds.length > 1 ? bounds[0] | 0 : 0;
      const maximum = bounds.length > 1 ? bounds[1] | 0 : bounds.length > 0 ? bounds[0] | 0 : 0x7fffffff;
      const value = minimum + host.random() * (maximum - minimum);
      return maximum < minimum ? Math.ceil(value) : Math.floor(value);
    },
  });
  define(BigInt, {
    bitLength: (value) => (value < 0n ? -value : value).toString(2).replace(/^0$/, "").length,
    fromArrayBuffer(buffer, signed, littleEndian) {
      if (!isArrayBuffer(buffer)) throw new TypeError("argument: not an ArrayBuffer instance");
      const bytes = [...new Uint8Array(buffer)];
      const isNegative = signed && bytes.shift() !== 0;
      if (bytes.length === 0) throw new SyntaxError("argument: invalid ArrayBuffer instance");
      if (littleEndian) bytes.reverse();
      const magnitude = bytes.reduce((value, byte) => (value << 8n) | BigInt(byte), 0n);
      return isNegative ? -magnitude : magnitude;
    },
  });

  // --- text and buffers

  define(ArrayBuffer, {
    fromString(...parameters) {
      if (parameters.length < 1) throw new TypeError("no argument");
      return copyToBuffer(host.encode(String(parameters[0])));
    },
    fromBigInt(...parameters) {
      if (parameters.length < 1) throw new TypeError("no argument");
      const [value, minimumBytes = 0, signed = false, littleEndian = false] = parameters;
      const number = BigInt(value);
      const digits = (number < 0n ? -number : number).toString(16);
      const hex = digits.padStart(Math.max(digits.length + (digits.length % 2), 2 * minimumBytes), "0");
      const bytes = hex.match(/../g).map((pair) => Number.parseInt(pair, 16));
      if (littleEndian) bytes.reverse();
      if (signed) bytes.unshift(number < 0n ? 1 : 0);
      return Uint8Array.from(bytes).buffer;
    },
  });
  define(ArrayBuffer.prototype, {
    concat(...buffers) {
      const parts = [this, ...buffers].map((buffer) => {
        if (!isArrayBuffer(buffer) && !ArrayBuffer.isView(buffer)) {
          throw new TypeError("argument: not an ArrayBuffer instance");
        }
        return ArrayBuffer.isView(buffer)
          ? new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength)
          : new Uint8Array(buffer);
      });
      const result = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
      let position = 0;
      for (const part of parts) {
        result.set(part, position);
        position += part.length;
      }
      return result.buffer;
    },
  });
  define(String, {
    fromArrayBuffer(...parameters) {
      if (parameters.length < 1) throw new TypeError("no argument");
      const [buffer, offset = 0, length = undefined] = parameters;
      if (!isArrayBuffer(buffer)) throw new TypeError("argument: not an ArrayBuffer instance");
      const end = length === undefined ? buffer.byteLength : offset + length;
      if (offset < 0 || offset > buffer.byteLength) throw new RangeError("invalid byteOffset");
      if (end < offset || end > buffer.byteLength) throw new RangeError("invalid byteLength");
      const text = host.decode(new Uint8Array(buffer, offset, end - offset));
      if (text === undefined) throw new TypeError("invalid UTF-8");
      return text;
    },
  });

  // --- the rest

  const freezeOne = Object.freeze;
  define(Object, {
    /** With a second argument, everything that can be reached. */
    freeze(value, isDeep) {
      freezeOne(value);
      if (!isDeep || value === null || (typeof value !== "object" && typeof value !== "function"))
        return value;
      for (const key of Reflect.ownKeys(value)) {
        const { value: inner } = Object.getOwnPropertyDescriptor(value, key);
        if (inner !== undefined && !Object.isFrozen(inner) && !ArrayBuffer.isView(inner))
          Object.freeze(inner, true);
      }
      return value;
    },
  });

  const evaluate = (text) => (typeof text === "string" ? host.evaluate(text) : text);
  const NativeFunction = Function;
  function makeFunction(...parts) {
    const body = parts.length > 0 ? parts[parts.length - 1] : "";
    return evaluate(`(function anonymous(${parts.slice(0, -1).join(",")}\n) {\n${body}\n})`);
  }
  Object.defineProperty(makeFunction, "name", { value: "Function" });
  makeFunction.prototype = NativeFunction.prototype;
  define(NativeFunction.prototype, { constructor: makeFunction });
  define(global, {
    Date: DeviceDate,
    Promise: DevicePromise,
    Function: makeFunction,
    eval: evaluate,
    global,
    trace(...values) {
      host.trace(values.map(String).join(""));
    },
  });
};
