// What the instrumented code calls: counts loop iterations, function calls and bytes of buffers against the limits of the
// turn that runs. The counters are in one object that the engine resets before each turn. Run inside the realm, so that
// V8 can inline the calls. Evaluates to a function of the realm's host interface.

/** @param host { overrun(), outOfMemory(), caught(error) }, each of which may throw what firmware cannot catch */
(host) => {
  const meter = { ticks: 0, tickLimit: -1, bytes: 0, byteLimit: 0 };
  const hidden = {
    $skyslotTick() {
      meter.ticks += 1;
      if (meter.ticks > meter.tickLimit) host.overrun();
    },
    $skyslotAllocated(buffer) {
      meter.bytes += buffer.byteLength;
      if (meter.bytes > meter.byteLimit) host.outOfMemory();
      return buffer;
    },
    $skyslotCaught(error) {
      host.caught(error);
    },
  };
  for (const [name, value] of Object.entries(hidden)) Object.defineProperty(globalThis, name, { value });
  return meter;
};
