// What stands around the drawing: the clock with its controls, how many devices are how far, and the table that says the same as the drawing.

const section = document.getElementById("scene");
const pause = document.getElementById("pause");
const speed = document.getElementById("speed");
const rows = document.getElementById("rows");
const known = new Map();
const FEW = 12;

const UPDATES = {
  none: "–",
  receiving: "receives",
  waiting: "waits with",
  trial: "on trial",
  done: "updated",
  failed: "rolled back from",
};
const POWER = { off: "off", asleep: "asleep", starting: "starting" };
const MEDIA = { wifi: "Wi-Fi", espnow: "ESP-NOW", tcp: "TCP" };
const ORDER = ["done", "trial", "receiving", "waiting", "failed", "none"];

pause.addEventListener("click", () =>
  act({ type: pause.getAttribute("aria-pressed") === "true" ? "resume" : "pause" }),
);
speed.addEventListener("change", () =>
  act({ type: "speed", speed: speed.value === "" ? null : Number(speed.value) }),
);
document.addEventListener("scene", ({ detail }) => show(detail));
document.addEventListener("chosen", ({ detail }) => openBoard(detail));

function show(scene) {
  // fifty rows under the drawing are for whoever asks for them
  if (section.hidden) document.getElementById("table").open = scene.devices.length <= FEW;
  section.hidden = false;
  put(document.getElementById("clock"), clock(scene.seconds));
  put(document.getElementById("step"), endOf(scene) || scene.step);
  section.dataset.end = scene.end;
  showControls(scene);
  showTotals(scene.devices);
  const links = new Map(scene.links.map((link) => [link.to, link]));
  for (const device of scene.devices) showRow(device, links.get(device.name));
}

const endOf = ({ end, step }) => (end === "" ? "" : `${end === "good" ? "✓" : "✕"} ${step}`);

function showControls({ isPaused, speed: now, end }) {
  pause.setAttribute("aria-pressed", String(isPaused));
  put(pause, isPaused ? "Go on" : "Pause");
  pause.disabled = end !== "";
  speed.disabled = end !== "";
  const value = now === null ? "" : String(now);
  if (![...speed.options].some((option) => option.value === value))
    speed.add(new Option(`${value} ×`, value));
  if (document.activeElement !== speed) speed.value = value;
}

/** One bar for all devices, in the colours of the drawing; the same in words. */
function showTotals(devices) {
  const totals = document.getElementById("totals");
  const counted = ORDER.map((state) => [
    state,
    devices.filter(({ update }) => update.state === state).length,
  ]).filter(([, count]) => count > 0);
  const text = counted
    .filter(([state]) => state !== "none" || counted.length === 1)
    .map(([state, count]) => (state === "none" ? "no updates yet" : `${count} ${WORDS[state]}`))
    .join(", ");
  if (totals.childElementCount === 0) totals.append(...ORDER.map(() => document.createElement("i")));
  ORDER.forEach((state, index) => {
    const bar = totals.children[index];
    bar.dataset.update = state;
    bar.style.flexGrow = String(devices.filter(({ update }) => update.state === state).length);
  });
  put(document.getElementById("totals-text"), text);
  put(
    document.getElementById("drawing-text"),
    `${devices.length} devices: ${text}. The table says the same.`,
  );
}
const WORDS = {
  done: "updated",
  trial: "on trial",
  receiving: "receiving",
  waiting: "waiting with an image",
  failed: "rolled back",
};

function showRow(device, link) {
  const row = known.get(device.name) ?? newRow(device.name);
  const [, type, runs, update, through, traffic, missed] = row.children;
  row.dataset.update = device.update.state;
  put(type, device.type);
  put(runs, POWER[device.power] ?? device.version);
  put(update, updateText(device.update));
  put(through, link ? `${link.from}, ${MEDIA[link.medium]}${link.isUp ? "" : " (silent)"}` : "nobody yet");
  put(traffic, trafficText(link));
  put(missed, link?.medium === "espnow" ? `${Math.round(100 * link.missed)} %` : "–");
}

function trafficText(link) {
  if (!link) return "–";
  if (link.medium === "espnow") return `${link.traffic} frames/s`;
  return `${link.traffic} open`;
}

function updateText({ state, version, doneBytes, totalBytes }) {
  const about = version === "" ? "" : ` ${version}`;
  if (state !== "receiving" && state !== "waiting")
    return `${UPDATES[state]}${state === "none" ? "" : about}`;
  const kibibytes = Math.round(doneBytes / 1024);
  const share =
    totalBytes > 0
      ? `${Math.floor((100 * Math.min(doneBytes, totalBytes)) / totalBytes)} %`
      : `${kibibytes} KiB`;
  return `${UPDATES[state]}${about}: ${share}`;
}

function newRow(name) {
  const row = document.createElement("tr");
  const head = document.createElement("th");
  head.scope = "row";
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = name;
  button.addEventListener("click", () => openBoard(name));
  head.append(button);
  row.append(head, ...Array.from({ length: 6 }, () => document.createElement("td")));
  for (const cell of [...row.children].slice(5)) cell.className = "number";
  rows.append(row);
  known.set(name, row);
  return row;
}

function openBoard(name) {
  document.getElementById("boards").open = true;
  const board = document.getElementById(`board-${name}`);
  board?.scrollIntoView({ block: "nearest" });
  board?.focus({ preventScroll: true });
}

const act = (action) =>
  fetch("/act", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(action),
  });

function put(element, value) {
  const text = String(value === "" ? "–" : value);
  if (element.textContent !== text) element.textContent = text;
}

function clock(seconds) {
  const two = (number) => String(Math.floor(number)).padStart(2, "0");
  return `${two(seconds / 3600)}:${two((seconds / 60) % 60)}:${two(seconds % 60)}`;
}
