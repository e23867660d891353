// Draws what the server of this page sends: lights as round lamps, a panel pixel by pixel on a canvas.

const cards = new Map();
const shown = new Map();

const STATES = {
  off: "switched off",
  asleep: "asleep",
  starting: "starting",
  running: "running",
};

const events = new EventSource("/events");
events.addEventListener("facts", ({ data }) => showDevices(JSON.parse(data)));
events.addEventListener("scene", ({ data }) =>
  document.dispatchEvent(new CustomEvent("scene", { detail: JSON.parse(data) })),
);
events.addEventListener("sense", ({ data }) => {
  const detail = JSON.parse(data);
  document.dispatchEvent(new CustomEvent("sense", { detail: { ...detail, card: cardOf(detail.device) } }));
});
events.addEventListener("light", ({ data }) => showLight(JSON.parse(data)));
events.addEventListener("error", () => {
  document.documentElement.dataset.connection = "gone";
  put(document.getElementById("connection"), "the simulator has ended");
});

function showDevices(devices) {
  document.documentElement.dataset.connection = "live";
  document.documentElement.dataset.count = devices.length === 1 ? "one" : "many";
  const [first] = devices;
  put(document.getElementById("title"), devices.length === 1 ? first.chip : `devices: ${devices.length}`);
  // fifty boards behind the drawing are for whoever asks for one
  if (cards.size === 0) document.getElementById("boards").open = devices.length <= 8;
  const states = devices.map(({ state }) => state);
  const runningCount = states.filter((state) => state === "running").length;
  const summary = devices.length === 1 ? STATES[first.state] : `${runningCount} running`;
  put(document.getElementById("connection"), summary);
  for (const device of devices) showFacts(cardOf(device.name), device);
}

function cardOf(name) {
  const known = cards.get(name);
  if (known) return known;
  const card = document.getElementById("device").content.firstElementChild.cloneNode(true);
  card.id = `board-${name}`;
  card.tabIndex = -1;
  card.querySelector(".board").setAttribute("aria-label", `What ${name} shows`);
  document.getElementById("devices").append(card);
  cards.set(name, card);
  return card;
}

function showFacts(card, { name, pages, state, app, version, slot, chip, bootCount, addresses, seconds }) {
  card.dataset.state = state;
  const link = card.querySelector(".name");
  if (pages) link.href = pages;
  else link.removeAttribute("href");
  put(link, `${name} (${chip})`);
  const facts = { state: STATES[state], app, version, slot, boots: bootCount, time: clock(seconds) };
  for (const [part, value] of Object.entries(facts)) put(card.querySelector(`.${part}`), value);
  put(card.querySelector(".address"), addresses.join(", "));
}

/** Only what changes is written: screen readers then speak of that alone. */
function put(element, value) {
  const text = String(value === "" ? "–" : value);
  if (element.textContent !== text) element.textContent = text;
}

function clock(seconds) {
  const two = (number) => String(Math.floor(number)).padStart(2, "0");
  return `${two(seconds / 3600)}:${two((seconds / 60) % 60)}:${two(seconds % 60)}`;
}

function showLight(light) {
  const name = `${light.device} ${light.type === "panel" ? "panel" : `${light.type} ${light.pin}`}`;
  const board = cardOf(light.device).querySelector(".board");
  board.querySelector(".dark")?.remove();
  if (!shown.has(name)) shown.set(name, add(board, light));
  const draw = { strip: drawStrip, pin: drawPin, panel: drawPanel }[light.type];
  draw(shown.get(name), light);
}

/** A figure with its caption; the panel first, then strips, then single lights. */
function add(board, { type, pin, width, height }) {
  const figure = document.createElement("figure");
  figure.className = type;
  const picture = document.createElement(type === "panel" ? "canvas" : "div");
  picture.setAttribute("role", "img");
  const caption = document.createElement("figcaption");
  caption.textContent =
    type === "panel" ? `e-ink, ${width} × ${height}` : `${type === "pin" ? "LED" : "strip"} on pin ${pin}`;
  figure.append(picture, caption);
  const order = ["panel", "strip", "pin"];
  const next = [...board.children].find((child) => order.indexOf(child.className) > order.indexOf(type));
  board.insertBefore(figure, next ?? null);
  return picture;
}

function drawStrip(picture, { pixels }) {
  const bytes = bytesOf(pixels);
  const count = bytes.length / 3;
  while (picture.childElementCount > count) picture.lastElementChild.remove();
  while (picture.childElementCount < count) picture.append(document.createElement("i"));
  let litCount = 0;
  for (let index = 0; index < count; index++) {
    const channels = [...bytes.subarray(index * 3, index * 3 + 3)];
    if (channels.some((value) => value > 0)) litCount += 1;
    light(picture.children[index], channels);
  }
  label(picture, `${litCount} of ${count} lights are on`);
}

function drawPin(picture, { level }) {
  if (!picture.firstElementChild) picture.append(document.createElement("i"));
  light(picture.firstElementChild, [0, level * 90, level * 255]);
  label(picture, level ? "on" : "off");
}

/**
 * A dim lamp has a little of its colour and no glow to speak of; the square root is how bright an eye finds it. A lamp that is off has the
 * colour of its body, so that a dim one is never darker than one that is off.
 */
function light(lamp, channels) {
  const most = Math.max(...channels);
  const colour = `rgb(${channels.map((value) => Math.round((255 * value) / Math.max(most, 1))).join(" ")}`;
  const share = Math.sqrt(most / 255);
  lamp.style.background =
    most === 0 ? "" : `color-mix(in srgb, ${colour}) ${Math.round(10 + 90 * share)}%, var(--lamp))`;
  lamp.style.boxShadow =
    most === 0 ? "" : `0 0 ${share.toFixed(2)}rem ${colour} / ${Math.round(70 * share)}%)`;
}

function drawPanel(canvas, { width, height, rows }) {
  canvas.width = width;
  canvas.height = height;
  const bytes = bytesOf(rows);
  const rowBytes = (width + 7) >> 3;
  const context = canvas.getContext("2d");
  const image = context.createImageData(width, height);
  let blackCount = 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const isBlack = bytes[y * rowBytes + (x >> 3)] & (0x80 >> (x & 7));
      if (isBlack) blackCount += 1;
      image.data.set(isBlack ? [24, 24, 26, 255] : [232, 230, 222, 255], (y * width + x) * 4);
    }
  }
  context.putImageData(image, 0, 0);
  label(canvas, `the panel's picture, ${Math.round((100 * blackCount) / (width * height))} % black`);
}

function label(picture, text) {
  if (picture.getAttribute("aria-label") !== text) picture.setAttribute("aria-label", text);
}

function bytesOf(base64) {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}
