// Promise as XS has it, run inside a device's realm: the specification's promise, except that jobs are handed to the event
// loop of the device that runs, which runs them turn by turn, and that an unhandled rejection is not reported. Native
// promises would run their jobs at Node's own time. Evaluates to a function of the realm's host interface.

/** @param host { queueJob(job), caught(error) } */
(host) => {
  const RESOLVED = Symbol("already resolved");

  // biome-ignore-start lint/complexity/noThisInStatic: subclasses are made by the constructor that is called
  class DevicePromise {
    #state = "pending";
    #value = undefined;
    #reactions = [];

    constructor(executor) {
      if (typeof executor !== "function") throw new TypeError("executor: not a function");
      const { resolve, reject } = resolvingFunctions(this);
      try {
        executor(resolve, reject);
      } catch (error) {
        host.caught(error);
        reject(error);
      }
    }

    static get [Symbol.species]() {
      return this;
    }

    static resolve(value) {
      if (value !== null && typeof value === "object" && #state in value && value.constructor === this) {
        return value;
      }
      const { promise, resolve } = capability(this);
      resolve(value);
      return promise;
    }

    static reject(reason) {
      const { promise, reject } = capability(this);
      reject(reason);
      return promise;
    }

    static withResolvers() {
      const { promise, resolve, reject } = capability(this);
      return { promise, resolve, reject };
    }

    static try(callback, ...values) {
      const { promise, resolve, reject } = capability(this);
      try {
        resolve(callback(...values));
      } catch (error) {
        host.caught(error);
        reject(error);
      }
      return promise;
    }

    static all(iterable) {
      return combine(this, iterable, {
        handlersOf: (put, { reject }) => [put, reject],
        finish: (values, { resolve }) => resolve(values),
      });
    }

    static allSettled(iterable) {
      return combine(this, iterable, {
        handlersOf: (put) => [
          (value) => put({ status: "fulfilled", value }),
          (reason) => put({ status: "rejected", reason }),
        ],
        finish: (values, { resolve }) => resolve(values),
      });
    }

    static any(iterable) {
      return combine(this, iterable, {
        handlersOf: (put, { resolve }) => [resolve, put],
        finish: (errors, { reject }) => reject(new AggregateError(errors, "all promises were rejected")),
      });
    }

    static race(iterable) {
      const result = capability(this);
      try {
        const resolveOf = this.resolve;
        for (const item of iterable) resolveOf.call(this, item).then(result.resolve, result.reject);
      } catch (error) {
        host.caught(error);
        result.reject(error);
      }
      return result.promise;
    }

    // biome-ignore lint/suspicious/noThenProperty: this is the class that thenables imitate
    then(onFulfilled, onRejected) {
      const derived = capability(speciesOf(this));
      const reaction = { derived, onFulfilled, onRejected };
      if (this.#state === "pending") this.#reactions.push(reaction);
      else queueReaction(reaction, this.#state, this.#value);
      return derived.promise;
    }

    catch(onRejected) {
      return this.then(undefined, onRejected);
    }

    finally(callback) {
      if (typeof callback !== "function") return this.then(callback, callback);
      const Species = speciesOf(this);
      return this.then(
        (value) => Species.resolve(callback()).then(() => value),
        (reason) =>
          Species.resolve(callback()).then(() => {
            throw reason;
          }),
      );
    }

    static settle(promise, state, value) {
      const reactions = promise.#reactions;
      promise.#state = state;
      promise.#value = value;
      promise.#reactions = undefined;
      for (const reaction of reactions) queueReaction(reaction, state, value);
    }
  }

  // biome-ignore-end lint/complexity/noThisInStatic: see above

  const { settle } = DevicePromise;
  delete DevicePromise.settle;
  Object.defineProperty(DevicePromise, "name", { value: "Promise" });
  Object.defineProperty(DevicePromise.prototype, Symbol.toStringTag, {
    value: "Promise",
    configurable: true,
  });

  function speciesOf(promise) {
    const { constructor: Constructor } = promise;
    if (Constructor === undefined) return DevicePromise;
    return Constructor[Symbol.species] ?? DevicePromise;
  }

  function capability(Constructor) {
    if (Constructor === DevicePromise) {
      let functions;
      const promise = new DevicePromise((resolve, reject) => {
        functions = { resolve, reject };
      });
      return { promise, resolve: functions.resolve, reject: functions.reject };
    }
    const result = { promise: undefined, resolve: undefined, reject: undefined };
    result.promise = new Constructor((resolve, reject) => {
      result.resolve = resolve;
      result.reject = reject;
    });
    if (typeof result.resolve !== "function" || typeof result.reject !== "function") {
      throw new TypeError("resolve or reject: not a function");
    }
    return result;
  }

  function resolvingFunctions(promise) {
    let state;
    const reject = (reason) => {
      if (state === RESOLVED) return;
      state = RESOLVED;
      settle(promise, "rejected", reason);
    };
    const resolve = (value) => {
      if (state === RESOLVED) return;
      state = RESOLVED;
      if (value === promise) {
        settle(promise, "rejected", new TypeError("promise resolves itself"));
        return;
      }
      if ((typeof value !== "object" || value === null) && typeof value !== "function") {
        settle(promise, "fulfilled", value);
        return;
      }
      let then;
      try {
        then = value.then;
      } catch (error) {
        host.caught(error);
        settle(promise, "rejected", error);
        return;
      }
      if (typeof then === "function") host.queueJob(() => adopt(promise, value, then));
      else settle(promise, "fulfilled", value);
    };
    return { resolve, reject };
  }

  /** The job that lets a promise follow a thenable. */
  function adopt(promise, thenable, then) {
    const { resolve, reject } = resolvingFunctions(promise);
    try {
      Reflect.apply(then, thenable, [resolve, reject]);
    } catch (error) {
      host.caught(error);
      reject(error);
    }
  }

  function queueReaction({ derived, onFulfilled, onRejected }, state, value) {
    host.queueJob(() => {
      const handler = state === "fulfilled" ? onFulfilled : onRejected;
      if (typeof handler !== "function") {
        if (state === "fulfilled") derived.resolve(value);
        else derived.reject(value);
        return;
      }
      let result;
      try {
        result = handler(value);
      } catch (error) {
        host.caught(error);
        derived.reject(error);
        return;
      }
      derived.resolve(result);
    });
  }

  /** What all, allSettled and any have in common: a list with an entry for each item, finished when every entry is set. */
  function combine(Constructor, iterable, { handlersOf, finish }) {
    const result = capability(Constructor);
    const values = [];
    let waitingCount = 1;
    const countDown = () => {
      waitingCount -= 1;
      if (waitingCount === 0) finish(values, result);
    };
    try {
      const resolveOf = Constructor.resolve;
      for (const item of iterable) {
        const index = values.length;
        let isFilled = false;
        const put = (value) => {
          if (isFilled) return;
          isFilled = true;
          values[index] = value;
          countDown();
        };
        values.push(undefined);
        waitingCount += 1;
        const handlers = handlersOf(put, result);
        resolveOf.call(Constructor, item).then(handlers[0], handlers[1]);
      }
      countDown();
    } catch (error) {
      host.caught(error);
      result.reject(error);
    }
    return result.promise;
  }

  return DevicePromise;
};
