// Built-ins that XS has and older Node versions do not, run inside a device's realm: each is added only where it is
// missing. Not added: Compartment, ModuleSource, Float16Array and JSON.rawJSON. Evaluates to a function of the host
// interface.

/** @param host { detach(buffer) } */
(host) => {
  const add = (object, methods) => {
    for (const name of Reflect.ownKeys(methods)) {
      if (Object.hasOwn(object, name)) continue;
      Object.defineProperty(object, name, {
        ...Object.getOwnPropertyDescriptor(methods, name),
        enumerable: false,
      });
    }
  };

  add(Object, {
    groupBy(items, keyOf) {
      const groups = Object.create(null);
      let index = 0;
      for (const item of items) {
        const key = keyOf(item, index);
        index += 1;
        if (!Object.hasOwn(groups, key)) groups[key] = [];
        groups[key].push(item);
      }
      return groups;
    },
  });
  add(Map, {
    groupBy(items, keyOf) {
      const groups = new Map();
      let index = 0;
      for (const item of items) {
        const key = keyOf(item, index);
        index += 1;
        if (!groups.has(key)) groups.set(key, []);
        groups.get(key).push(item);
      }
      return groups;
    },
  });
  for (const { prototype } of [Map, WeakMap]) {
    add(prototype, {
      getOrInsert(key, value) {
        if (!this.has(key)) this.set(key, value);
        return this.get(key);
      },
      getOrInsertComputed(key, compute) {
        if (!this.has(key)) this.set(key, compute(key));
        return this.get(key);
      },
    });
  }

  // The native one would make native promises.
  delete Array.fromAsync;
  add(Array, {
    fromAsync(items, map = (value) => value) {
      const result = [];
      const isIterable = items[Symbol.asyncIterator] !== undefined || items[Symbol.iterator] !== undefined;
      const list = isIterable ? items : Array.from(items);
      const iterator = (list[Symbol.asyncIterator] ?? list[Symbol.iterator]).call(list);
      const step = () =>
        Promise.resolve(iterator.next()).then(({ done, value }) =>
          done
            ? result
            : Promise.resolve(value)
                .then((settled) => map(settled, result.length))
                .then((mapped) => {
                  result.push(mapped);
                  return step();
                }),
        );
      return Promise.try(step);
    },
  });

  add(Set.prototype, {
    union(other) {
      return new Set([...this, ...keysOf(other)]);
    },
    intersection(other) {
      return new Set([...this].filter((value) => other.has(value)));
    },
    difference(other) {
      return new Set([...this].filter((value) => !other.has(value)));
    },
    symmetricDifference(other) {
      const others = [...keysOf(other)];
      return new Set(
        [...this].filter((value) => !other.has(value)).concat(others.filter((value) => !this.has(value))),
      );
    },
    isSubsetOf(other) {
      return [...this].every((value) => other.has(value));
    },
    isSupersetOf(other) {
      return [...keysOf(other)].every((value) => this.has(value));
    },
    isDisjointFrom(other) {
      return ![...this].some((value) => other.has(value));
    },
  });
  function keysOf(setLike) {
    return { [Symbol.iterator]: () => setLike.keys() };
  }

  const IteratorPrototype = Object.getPrototypeOf(Object.getPrototypeOf([][Symbol.iterator]()));
  if (globalThis.Iterator === undefined) {
    const Iterator = function Iterator() {
      if (new.target === undefined || new.target === Iterator) throw new TypeError("Iterator is abstract");
    };
    Iterator.prototype = IteratorPrototype;
    add(Iterator, {
      from(value) {
        const iterator = value[Symbol.iterator]?.() ?? value;
        if (iterator instanceof Iterator) return iterator;
        return Object.setPrototypeOf({ next: () => iterator.next() }, IteratorPrototype);
      },
    });
    add(IteratorPrototype, { constructor: Iterator, [Symbol.toStringTag]: "Iterator" });
    Object.defineProperty(globalThis, "Iterator", { value: Iterator, writable: true, configurable: true });
  }
  const each = (iterator) => ({ [Symbol.iterator]: () => iterator });
  add(IteratorPrototype, {
    *map(change) {
      let index = 0;
      for (const value of each(this)) yield change(value, index++);
    },
    *filter(isWanted) {
      let index = 0;
      for (const value of each(this)) if (isWanted(value, index++)) yield value;
    },
    *take(count) {
      let left = count;
      if (left <= 0) return;
      for (const value of each(this)) {
        yield value;
        left -= 1;
        if (left <= 0) return;
      }
    },
    *drop(count) {
      let left = count;
      for (const value of each(this)) {
        if (left > 0) left -= 1;
        else yield value;
      }
    },
    *flatMap(change) {
      let index = 0;
      for (const value of each(this)) yield* change(value, index++);
    },
    reduce(...parts) {
      return [...each(this)].reduce(...parts);
    },
    toArray() {
      return [...each(this)];
    },
    forEach(act) {
      let index = 0;
      for (const value of each(this)) act(value, index++);
    },
    some(isWanted) {
      let index = 0;
      for (const value of each(this)) if (isWanted(value, index++)) return true;
      return false;
    },
    every(isWanted) {
      let index = 0;
      for (const value of each(this)) if (!isWanted(value, index++)) return false;
      return true;
    },
    find(isWanted) {
      let index = 0;
      for (const value of each(this)) if (isWanted(value, index++)) return value;
      return undefined;
    },
  });

  add(String.prototype, {
    isWellFormed() {
      return !/\p{Surrogate}/u.test(this);
    },
    toWellFormed() {
      return this.replace(/\p{Surrogate}/gu, "\ufffd");
    },
  });
  add(RegExp, {
    escape(text) {
      const asUnit = (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`;
      return text.replace(/^[0-9A-Za-z]|[,\-=<>#&!%:;@~'`"\s]|[\\^$.*+?()[\]{}|/]/g, (character) =>
        /[\\^$.*+?()[\]{}|/]/.test(character) ? `\\${character}` : asUnit(character),
      );
    },
  });
  add(Error, {
    isError: (value) => Object.prototype.toString.call(value) === "[object Error]",
  });

  add(ArrayBuffer.prototype, {
    transfer(length = this.byteLength) {
      const moved = new ArrayBuffer(length);
      new Uint8Array(moved).set(new Uint8Array(this, 0, Math.min(length, this.byteLength)));
      host.detach(this);
      return moved;
    },
  });

  const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  const alphabetOf = (options) => DIGITS + (options?.alphabet === "base64url" ? "-_" : "+/");
  add(Uint8Array, {
    fromHex(text) {
      if (text.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(text)) throw new SyntaxError("invalid hex string");
      return Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
    },
    fromBase64(text, options) {
      const digits = text.replace(/[\t\n\f\r ]/g, "").replace(/={0,2}$/, "");
      const values = Array.from(digits, (digit) => alphabetOf(options).indexOf(digit));
      if (values.includes(-1) || values.length % 4 === 1) throw new SyntaxError("invalid base64 string");
      const result = new Uint8Array(Math.floor((values.length * 3) / 4));
      let bits = 0;
      let bitCount = 0;
      let position = 0;
      for (const value of values) {
        bits = ((bits << 6) | value) & 0xffffff;
        bitCount += 6;
        if (bitCount < 8) continue;
        bitCount -= 8;
        result[position] = bits >> bitCount;
        position += 1;
      }
      return result;
    },
  });
  add(Uint8Array.prototype, {
    toHex() {
      return Array.from(this, (byte) => byte.toString(16).padStart(2, "0")).join("");
    },
    toBase64(options) {
      const alphabet = alphabetOf(options);
      let text = "";
      for (let index = 0; index < this.length; index += 3) {
        const bits = (this[index] << 16) | ((this[index + 1] ?? 0) << 8) | (this[index + 2] ?? 0);
        const digitCount = Math.min(4, this.length - index + 1);
        for (let digit = 0; digit < digitCount; digit += 1) text += alphabet[(bits >> (18 - 6 * digit)) & 63];
        if (options?.omitPadding !== true) text += "=".repeat(4 - digitCount);
      }
      return text;
    },
    setFromHex(text) {
      const bytes = Uint8Array.fromHex(text).subarray(0, this.length);
      this.set(bytes);
      return { read: bytes.length * 2, written: bytes.length };
    },
    setFromBase64(text, options) {
      const bytes = Uint8Array.fromBase64(text, options).subarray(0, this.length);
      this.set(bytes);
      return { read: text.length, written: bytes.length };
    },
  });

  const halfOf = (value) => {
    const number = Number(value);
    if (number === 0 || !Number.isFinite(number)) return number;
    const exponent = Math.max(-14, Math.floor(Math.log2(Math.abs(number))));
    const unit = 2 ** (exponent - 10);
    const scaled = number / unit;
    const floor = Math.floor(scaled);
    const isUp = scaled - floor > 0.5 || (scaled - floor === 0.5 && floor % 2 !== 0);
    const rounded = (isUp ? floor + 1 : floor) * unit;
    return Math.abs(rounded) > 65504 ? Math.sign(number) * Number.POSITIVE_INFINITY : rounded;
  };
  add(Math, { f16round: halfOf });
  add(DataView.prototype, {
    getFloat16(offset, littleEndian) {
      const bits = this.getUint16(offset, littleEndian);
      const sign = bits & 0x8000 ? -1 : 1;
      const exponent = (bits >> 10) & 31;
      const fraction = bits & 1023;
      if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
      return sign * (exponent ? 2 ** (exponent - 15) * (1 + fraction / 1024) : 2 ** -24 * fraction);
    },
    setFloat16(offset, value, littleEndian) {
      const half = halfOf(value);
      const magnitude = Math.abs(half);
      const sign = half < 0 || Object.is(half, -0) ? 0x8000 : 0;
      const exponent = Math.max(-15, Math.floor(Math.log2(magnitude)));
      let bits = 0x7e00;
      if (magnitude === Number.POSITIVE_INFINITY) bits = 0x7c00;
      else if (magnitude < 2 ** -14) bits = magnitude * 2 ** 24;
      else if (magnitude >= 0) bits = ((exponent + 15) << 10) | ((magnitude / 2 ** exponent - 1) * 1024);
      this.setUint16(offset, sign | bits, littleEndian);
    },
  });
};
