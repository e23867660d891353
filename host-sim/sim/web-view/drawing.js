// Draws the devices and the links between them: the update server, who is in its network, and behind each of these whoever reaches the server
// through it. As wide as the page; columns become fewer on a phone. Asks nothing and changes nothing.
//
//   wide:   [server] ─┬─ [gateway] ─┬─┐ [node] ┐ [node]        narrow:   [server]
//                     │             │ ├─[node] ├─[node]                   ├─[gateway]
//                     └─ [device]                                         │  └┬─[node] ┬─[node]

const svg = document.getElementById("drawing");
const NS = "http://www.w3.org/2000/svg";

const WIDE = 760;
const TILE_HEIGHT = 68;
const GAP = 12;
/** From a hub to what is behind it. */
const REACH = 56;
const LABEL_HEIGHT = 22;
const TREE_INDENT = 22;
const MEDIA = { wifi: "Wi-Fi", espnow: "ESP-NOW", tcp: "painlessMesh, TCP 5555" };
const ICONS = { receiving: "↓", waiting: "…", trial: "?", done: "✓", failed: "✕", none: "" };

const drawn = new Map();
let last;

document.addEventListener("scene", ({ detail }) => {
  last = detail;
  draw();
});
new ResizeObserver(() => last && draw()).observe(svg.parentElement);

function draw() {
  const width = Math.floor(svg.parentElement.clientWidth);
  if (width === 0) return;
  const { tiles, wires, labels, height, top } = layOut(last, width);
  attribute(svg, "viewBox", `0 ${top} ${width} ${height - top}`);
  attribute(svg, "width", width);
  attribute(svg, "height", height - top);
  const kept = new Set();
  for (const wire of wires) drawWire(wire, kept);
  for (const label of labels) drawLabel(label, kept);
  for (const tile of tiles) drawTile(tile, kept);
  for (const [key, element] of drawn)
    if (!kept.has(key)) {
      element.remove();
      drawn.delete(key);
    }
}

/** Where everything is. */
function layOut({ devices, links }, width) {
  const byName = new Map(devices.map((device) => [device.name, device]));
  const groups = groupsOf(devices, links);
  const isWide = width >= WIDE;
  const hubWidth = isWide ? 148 : Math.min(200, width - TREE_INDENT);
  const plan = { tiles: [], wires: [], labels: [], height: 0, isWide, width, hubWidth };
  plan.tiles.push({ key: "server", x: 0, y: 0, w: hubWidth });
  let y = isWide ? 0 : TILE_HEIGHT + 14;
  for (const group of groups) {
    const device = byName.get(group.hub);
    y = placeGroup(plan, group, device, byName, y) + 18;
  }
  plan.height = Math.max(y - 18, TILE_HEIGHT) + 2;
  // the label of one that stands beside its hub is above it
  plan.top = Math.min(0, ...plan.labels.map((label) => label.y - 14));
  return plan;
}

/**
 * Who hangs on whom: first the devices that have a link to the server and nobody behind them (hub: none), then each other one with those behind
 * it, by medium. Who has no link yet is with the first.
 */
function groupsOf(devices, links) {
  const above = new Map(links.map((link) => [link.to, link]));
  const hubs = new Set(links.map(({ from }) => from));
  const groups = [];
  for (const { name } of devices) {
    if (!hubs.has(name)) continue;
    const behind = links.filter(({ from, to }) => from === name && !hubs.has(to));
    for (const medium of ["espnow", "tcp"]) {
      const members = behind.filter((link) => link.medium === medium);
      if (members.length > 0) groups.push({ hub: name, medium, members, link: above.get(name) });
    }
  }
  const alone = devices
    .filter(({ name }) => !hubs.has(name) && (above.get(name)?.from ?? "server") === "server")
    .map(
      ({ name }) => above.get(name) ?? { from: "server", to: name, medium: "none", isUp: false, traffic: 0 },
    );
  if (alone.length > 0) groups.push({ hub: undefined, medium: "wifi", members: alone });
  return groups;
}

/** @returns where the next may begin */
function placeGroup(plan, { hub, medium, members, link }, device, byName, top) {
  const { isWide, width, hubWidth } = plan;
  const trunkX = isWide ? hubWidth + REACH / 2 : 7;
  const hubX = isWide ? hubWidth + REACH : TREE_INDENT;
  let [left, y] = [hubX, top];
  let from = { x: trunkX, y: isWide ? TILE_HEIGHT / 2 : TILE_HEIGHT };
  if (hub !== undefined) {
    const isNew = !plan.tiles.some(({ key }) => key === hub);
    const hubY = isNew ? top : plan.tiles.find(({ key }) => key === hub).y;
    if (isNew) {
      plan.tiles.push({ key: hub, x: hubX, y: hubY, w: hubWidth, device });
      plan.wires.push(serverWire(plan, hub, link, { x: hubX, y: hubY + TILE_HEIGHT / 2 }, trunkX));
    }
    left = isWide ? hubX + hubWidth + REACH : hubX + 10;
    y = isWide ? top : top + (isNew ? TILE_HEIGHT + 8 : 0);
    from = isWide
      ? { x: hubX + hubWidth + REACH / 2, y: hubY + TILE_HEIGHT / 2 }
      : { x: hubX + 4, y: hubY + TILE_HEIGHT };
    if (isWide)
      plan.wires.push({
        key: `out ${hub}`,
        kind: medium,
        d: `M${hubX + hubWidth} ${from.y}H${from.x}`,
        ...sum(members),
      });
  }
  const room = width - left;
  const smallest = isWide ? 118 : 70;
  const columns = Math.max(1, Math.min(members.length, Math.floor((room + GAP) / (smallest + GAP))));
  const tileWidth = Math.min(isWide ? 150 : 130, Math.floor((room + GAP) / columns) - GAP);
  // one alone stands beside its hub
  if (isWide && hub !== undefined && members.length === 1) y = from.y - TILE_HEIGHT / 2 - LABEL_HEIGHT - 10;
  plan.labels.push({ key: `label ${hub} ${medium}`, x: left, y: y + 13, text: describe(medium, members) });
  y += LABEL_HEIGHT;
  const busY = y;
  const gridY = y + 10;
  const rows = Math.ceil(members.length / columns);
  for (let column = 0; column < columns; column++) {
    const x = left + column * (tileWidth + GAP);
    const railX = x - GAP / 2;
    const inColumn = members.filter((_, index) => index % columns === column);
    const lastY = gridY + (inColumn.length - 1) * (TILE_HEIGHT + GAP) + TILE_HEIGHT / 2;
    plan.wires.push({
      key: `rail ${hub} ${medium} ${column}`,
      kind: medium,
      d:
        members.length === 1
          ? `M${from.x} ${from.y}V${lastY}H${railX}`
          : `M${from.x} ${from.y}V${busY}H${railX}V${lastY}`,
      ...sum(inColumn),
    });
    inColumn.forEach((member, row) => {
      const tileY = gridY + row * (TILE_HEIGHT + GAP);
      const d = `M${railX} ${tileY + TILE_HEIGHT / 2}H${x}`;
      plan.wires.push({ key: `link ${member.to}`, kind: member.medium, d, ...sum([member]) });
      plan.tiles.push({ key: member.to, x, y: tileY, w: tileWidth, device: byName.get(member.to) });
    });
  }
  if (isWide && hub === undefined)
    plan.wires.push({
      key: "out server",
      kind: medium,
      d: `M${hubWidth} ${TILE_HEIGHT / 2}H${from.x}`,
      ...sum(members),
    });
  return Math.max(gridY + rows * (TILE_HEIGHT + GAP) - GAP, hub === undefined ? 0 : top + TILE_HEIGHT);
}

function serverWire({ isWide, hubWidth }, hub, link, to, trunkX) {
  const d = isWide
    ? `M${hubWidth} ${TILE_HEIGHT / 2}H${trunkX}V${to.y}H${to.x}`
    : `M${trunkX} ${TILE_HEIGHT}V${to.y}H${to.x}`;
  return { key: `link ${hub}`, kind: "wifi", d, ...sum([link]) };
}

const sum = (links) => ({
  isUp: links.some((link) => link?.isUp),
  isBusy: links.some((link) => link?.isUp && link.traffic > 0),
  isLossy: links.some((link) => link?.missed >= 0.05),
});

function describe(medium, members) {
  const name = MEDIA[medium];
  if (medium !== "espnow") return name;
  const heard = members.filter(({ traffic }) => traffic > 0);
  if (heard.length === 0) return `${name}, silent`;
  const mean = (part) => heard.reduce((total, link) => total + link[part], 0) / heard.length;
  return `${name}, ${Math.round(mean("traffic"))} frames/s${members.length > 1 ? " to each" : ""}, ${Math.round(100 * mean("missed"))} % missed`;
}

function drawWire({ key, kind, d, isUp, isBusy, isLossy }, kept) {
  const path = elementOf(key, "path", kept, () => make("path", {}));
  attribute(path, "d", d);
  const state = isUp ? (isBusy ? "busy" : "up") : "down";
  attribute(path, "class", `wire ${kind} ${state}${isLossy && isBusy ? " lossy" : ""}`);
}

function drawLabel({ key, x, y, text }, kept) {
  const element = elementOf(key, "text", kept, () => make("text", { class: "medium" }));
  attribute(element, "x", x);
  attribute(element, "y", y);
  write(element, text);
}

function drawTile({ key, x, y, w, device }, kept) {
  const tile = elementOf(`tile ${key}`, "g", kept, () => newTile(key));
  attribute(tile, "transform", `translate(${x} ${y})`);
  attribute(tile, "data-update", device ? device.update.state : "server");
  attribute(tile, "data-power", device ? device.power : "running");
  const [box, name, version, word, bar, done] = tile.querySelectorAll("rect.box, text, rect.bar, rect.done");
  attribute(box, "width", w);
  attribute(box, "height", TILE_HEIGHT);
  write(name, short(key === "server" ? "update server" : key, w));
  write(version, short(device ? device.version || "–" : (last.offers[0] ?? ""), w));
  write(word, short(device ? wordOf(device, w) : (last.offers[1] ?? ""), w));
  const share = device ? shareOf(device.update) : 0;
  attribute(bar, "width", device ? w - 16 : 0);
  attribute(done, "width", Math.round((w - 16) * share));
  if (device) write(tile.querySelector("title"), `${key}: ${sentenceOf(device)}`);
}

function newTile(key) {
  const tile = make("g", { class: "tile" });
  tile.append(make("title", {}), make("rect", { class: "box", rx: 9 }));
  for (const [kind, y] of [
    ["name", 19],
    ["version", 35],
    ["word", 51],
  ])
    tile.append(make("text", { class: kind, x: 8, y }));
  for (const kind of ["bar", "done"])
    tile.append(make("rect", { class: kind, x: 8, y: 57, height: 4, rx: 2 }));
  if (key !== "server")
    tile.addEventListener("click", () => document.dispatchEvent(new CustomEvent("chosen", { detail: key })));
  return tile;
}

/** As the scale is the same everywhere, so is what fits: some 6.4 units a letter. */
const short = (text, width) => {
  const room = Math.floor((width - 14) / 6.4);
  return text.length <= room ? text : `${text.slice(0, Math.max(1, room - 1))}…`;
};

function wordOf({ power, update }, width) {
  if (power === "off") return "off";
  if (power === "starting") return "starting";
  if (power === "asleep") return "asleep";
  const { state, doneBytes, totalBytes } = update;
  const icon = ICONS[state];
  const isNarrow = width < 100;
  switch (state) {
    case "receiving":
      return totalBytes > 0 ? `${icon} ${percent(update)} %` : `${icon} ${Math.round(doneBytes / 1024)} KiB`;
    case "waiting":
      return isNarrow ? `${icon} waits` : `${icon} waits with it`;
    case "trial":
      return isNarrow ? `${icon} trial` : `${icon} on trial`;
    case "failed":
      return isNarrow ? `${icon} failed` : `${icon} rolled back`;
    case "done":
      return isNarrow ? `${icon} new` : `${icon} updated`;
    default:
      return "";
  }
}

function sentenceOf({ type, power, version, update }) {
  const runs = `${type}, ${power === "running" ? `runs ${version}` : power}`;
  if (update.state === "receiving" || update.state === "waiting")
    return `${runs}, ${update.state} ${update.version}`;
  return update.state === "none" ? runs : `${runs}, ${update.state}`;
}

const percent = (update) => Math.floor(100 * shareOf(update));

function shareOf({ state, doneBytes, totalBytes }) {
  if (state === "done" || state === "trial") return 1;
  return totalBytes > 0 ? Math.min(1, doneBytes / totalBytes) : 0;
}

/** The wires are behind the tiles. */
function elementOf(key, kind, kept, create) {
  kept.add(key);
  const known = drawn.get(key);
  if (known) return known;
  const element = create();
  if (kind === "path") svg.prepend(element);
  else svg.append(element);
  drawn.set(key, element);
  return element;
}

function make(name, attributes) {
  const element = document.createElementNS(NS, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

function attribute(element, name, value) {
  if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value);
}

function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
