// The page that a device serves in its owner's network: status, settings, and `#ota`, where a file is sent to its push
// port. One HTML text without external resources that talks to firmware/core/local/api.ts; it looks like setup-page.ts. It keeps
// the owner's token only in its input field, and never inserts received data as markup (textContent only).
//
// Sending goes to another port, so the browser sends a CORS preflight: the push server has to allow it.

import { pageOf } from "./page-parts.js";
import { PROOF_SCRIPT } from "./proof-script.js";
import { PANEL_SCRIPT, PANEL_STYLE, RESET, SAVED, SECTION } from "./settings-panels.js";
import { PART_STRINGS as parts, STATUS_SCRIPT_STRINGS, STATUS_STRINGS as text } from "./strings.js";

const STYLE = `
h1{margin:0 4px 4px}
h2{font-size:.92rem;font-weight:600;color:var(--soft);margin:24px 4px 8px}
header .soft{margin:0 4px}
#setup{display:inline-block;margin:0 4px;padding:10px 0}
#owner-why:empty{display:none}
.card{padding:8px 20px 20px}
.check{display:flex;gap:12px;align-items:center;min-height:48px;margin:14px 0 0}
.check input{width:22px;min-height:22px;flex:none}
progress{width:100%;height:12px;margin-top:18px;accent-color:var(--accent)}
`;

const MARKUP = `<main>
<header><h1 id=title>${text.title}</h1><p class=soft id=lead></p><a id=setup href="/" hidden>${text.setup}</a></header>
<noscript><p class="say no">${text.noScript}</p></noscript>
<p class="say no" id=alert role=alert></p>
<section aria-labelledby=status-title><h2 id=status-title>${text.status}</h2><div class=card><dl id=facts></dl></div></section>
<section aria-labelledby=owner-title><h2 id=owner-title>${text.owner}</h2><form class=card id=owner novalidate autocomplete=off>
<p id=owner-why></p>
<div id=token-part hidden><label for=token>${parts.token}</label><input id=token type=password autocomplete=current-password aria-describedby=token-hint><p class="hint soft" id=token-hint>${text.tokenHint}</p></div>
<div id=new-part hidden><label for=new-token>${text.newToken}</label><div class=field><input id=new-token autocomplete=off autocapitalize=none spellcheck=false aria-describedby=new-hint><button type=button class=link id=suggest aria-label="${parts.suggestLabel}">${parts.suggest}</button></div><p class="hint soft" id=new-hint>${text.newTokenHint}</p>
<button class=quiet id=set-token></button></div><p class=say id=owner-say role=status></p></form></section>
<section aria-labelledby=app-title id=app hidden><h2 id=app-title></h2><div class=card>${SECTION}</div></section>
<section aria-labelledby=settings-title><h2 id=settings-title>${text.settings}</h2><form class=card id=settings novalidate autocomplete=off>
<label for=name>${text.name}</label><input id=name maxlength=40>
<label for=server>${text.server}</label><input id=server type=url inputmode=url maxlength=200 autocapitalize=none spellcheck=false aria-describedby=server-hint><p class="hint soft" id=server-hint>${text.serverHint}</p>
<label for=authority>${text.authority}</label><input id=authority type=file aria-describedby=authority-hint><p class="hint soft" id=authority-hint>${text.authorityHint}</p><button type=button class=link id=no-authority hidden>${text.noAuthority}</button>
<label for=seconds>${text.seconds}</label><input id=seconds type=number inputmode=numeric min=10 max=86400>
<label for=bearer class=check><input id=bearer type=checkbox aria-describedby=bearer-hint>${text.bearer}</label><p class="hint soft" id=bearer-hint>${text.bearerHint}</p>
<label for=unsigned class=check><input id=unsigned type=checkbox aria-describedby=unsigned-hint>${text.unsigned}</label><p class="hint soft" id=unsigned-hint>${text.unsignedHint}</p>
<button class=main>${text.save}</button><p class=say id=settings-say role=status></p></form></section>
<section aria-labelledby=saved-title id=networks><h2 id=saved-title>${text.saved}</h2><div class=card>${SAVED}</div></section>
<section aria-labelledby=ota-title id=ota><h2 id=ota-title>${text.ota}</h2><form class=card id=upload novalidate>
<label for=image>${text.image}</label><input id=image type=file accept=".bin">
<label for=release>${text.release}</label><input id=release type=file aria-describedby=release-hint><p class="hint soft" id=release-hint>${text.releaseHint}</p>
<button class=main id=send>${text.send}</button>
<progress id=bar max=100 value=0 aria-labelledby=ota-title hidden></progress><p class=say id=ota-say role=status></p>
<button type=button class=quiet id=rollback>${text.rollBack}</button></form></section>
<section aria-labelledby=root-title id=trust hidden><h2 id=root-title>${text.root}</h2><div class=card>
<p class=soft id=root-now></p><label for=root>${text.rootFile}</label><input id=root type=file aria-describedby=root-hint><p class="hint soft" id=root-hint>${text.rootHint}</p><p class=say id=root-say role=status></p></div></section>
<section aria-labelledby=device-title><h2 id=device-title>${text.device}</h2><div class=card>
<button class=quiet id=restart>${text.restart}</button><p class=say id=device-say role=status></p>${RESET}<p class=say id=reset-say role=status></p></div></section>
</main>`;

const SCRIPT = `
let known = {}, sending = false, wired = false;

function span(seconds) {
  if (seconds < 90) return fill(T.seconds, { n: Math.max(1, Math.round(seconds)) });
  if (seconds < 5400) return fill(T.minutes, { n: Math.round(seconds / 60) });
  return fill(seconds < 172800 ? T.hours : T.days, { n: Math.round(seconds / (seconds < 172800 ? 3600 : 86400)) });
}

function facts(rows) {
  put("facts", "");
  for (const [name, value] of rows) {
    if (!value) continue;
    const row = add($("facts"), "div", {});
    add(row, "dt", { textContent: name });
    add(row, "dd", { textContent: value });
  }
}

async function refresh() {
  if (sending) return;
  try {
    const version = await ask("GET", "/api/version");
    const health = await ask("GET", "/api/health");
    $("title").textContent = document.title = version.name;
    put("lead", [version.hostName || health.link.address, version.hardware].filter(Boolean).join(" \\u00b7 "));
    wired = health.link.kind === "ethernet";
    $("networks").hidden = wired;
    if (wired) put("token-hint", T.wired.tokenHint);
    note("alert", health.safeMode ? fill(T.safeMode, { n: health.unhealthyBootCount }) : "", true);
    const { rootVersion, expires, freshSince } = version.trust;
    const day = seconds => new Date(seconds * 1000).toLocaleDateString();
    $("trust").hidden = !rootVersion;
    put("root-now", fill(T.rootNow, { version: rootVersion, date: day(expires) }) + (freshSince ? " " + fill(T.freshNow, { date: day(freshSince) }) : ""));
    const build = version.build ? "+" + version.build : "";
    facts([
      [T.state, T.states[health.status] || health.status],
      [T.firmware, version.type + " " + version.version + build],
      [T.built, [version.buildDate, version.buildTime].filter(Boolean).join(" ")],
      [T.slot, version.slot],
      [T.wifi, health.link.state === "online" ? fill(health.link.rssi ? T.signal : "{address}", health.link) : T.offline],
      [T.uptime, span(health.uptimeSeconds)],
      [T.memory, fill(T.kilobytes, { n: Math.round(health.freeHeapBytes / 1024) })],
      [T.error, [health.lastError || { message: (health.lastRollBack || {}).reason }, ...health.problems].map(p => p.message).join(" ").trim()]
    ]);
  } catch (error) {
    note("alert", T.unreachable, true);
  }
}

async function readSettings() {
  known = await ask("GET", "/api/settings");
  $("name").value = known.deviceName;
  $("server").value = known.server;
  $("seconds").value = known.checkSeconds;
  $("unsigned").checked = known.acceptUnsigned;
  $("bearer").checked = known.acceptBearer;
  $("authority").value = "";
  $("no-authority").hidden = !known.hasAuthority;
  const { hasToken, attendedSeconds } = known, inSetup = known.place === "setup";
  put("owner-why", hasToken ? "" : !attendedSeconds ? T.noOwner : inSetup ? T.setupToken : fill(T.claim, { time: span(attendedSeconds) }));
  $("owner-why").className = hasToken || attendedSeconds ? "hint" : "say no";
  $("token-part").hidden = !hasToken;
  $("new-part").hidden = inSetup || (!hasToken && !attendedSeconds);
  $("setup").hidden = !inSetup;
  $("ota").hidden = inSetup;
  put("set-token", hasToken ? T.changeToken : T.setToken);
  if (!hasToken && attendedSeconds && !inSetup && !$("new-token").value) $("new-token").value = suggest();
}

async function readMore() {
  await readSettings();
  $("app").hidden = !known.section;
  if (known.section) await drawSection(known.section);
  await drawSaved();
}

$("suggest").onclick = () => { $("new-token").value = suggest(); };
$("token").onchange = drawSaved;
$("owner").onsubmit = async event => {
  event.preventDefault();
  const token = $("new-token").value;
  if (!token) return drawSaved();
  try {
    await ask("POST", "/api/token", { token });
    $("token").value = token;
    $("new-token").value = "";
    note("owner-say", fill(T.tokenSet, { token }));
    await readMore();
  } catch (error) {
    note("owner-say", error.message, true);
  }
};

async function saveSettings(change) {
  try {
    await ask("POST", "/api/settings", change);
    note("settings-say", T.saved);
    await readSettings();
    refresh();
  } catch (error) {
    note("settings-say", error.message, true);
  }
}

$("no-authority").onclick = () => saveSettings({ authority: "" });
$("settings").onsubmit = async event => {
  event.preventDefault();
  const change = {}, [file] = $("authority").files;
  if ($("name").value !== known.deviceName) change.deviceName = $("name").value;
  if ($("server").value !== known.server) change.server = $("server").value;
  if (Number($("seconds").value) !== known.checkSeconds) change.checkSeconds = Number($("seconds").value);
  if ($("bearer").checked !== known.acceptBearer) change.acceptBearer = $("bearer").checked;
  if ($("unsigned").checked !== known.acceptUnsigned) change.acceptUnsigned = $("unsigned").checked;
  if (file) change.authority = await certificate(file);
  saveSettings(change);
};

function failed(message) {
  sending = false;
  $("send").disabled = false;
  $("bar").hidden = true;
  note("ota-say", message, true);
}

async function send(image, release) {
  const url = "http://" + location.hostname + ":3232/update", by = await proofOfImage(url, "/update", image);
  const request = new XMLHttpRequest(), began = Date.now();
  request.open("POST", url);
  request.setRequestHeader("content-type", "application/octet-stream");
  if (release) request.setRequestHeader("x-skyslot-release", release);
  if (by) request.setRequestHeader("authorization", by);
  request.upload.onprogress = ({ loaded, total }) => {
    const spent = (Date.now() - began) / 1000;
    $("bar").value = Math.floor(loaded / total * 100);
    const left = loaded && spent > 1 && loaded < total ? fill(T.left, { time: span(spent * (total - loaded) / loaded) }) : "";
    note("ota-say", loaded < total ? fill(T.sent, { percent: $("bar").value }) + left : T.checking);
  };
  request.onerror = () => failed(T.broken);
  request.onload = () => {
    if (request.status < 300) {
      $("bar").hidden = true;
      note("ota-say", T.installed);
      return comeBack("ota-say");
    }
    let message = request.responseText;
    try {
      message = JSON.parse(message).message;
    } catch (error) {}
    failed(request.status === 401 ? T.needToken : message || fill(T.refused, { status: request.status }));
  };
  request.send(image);
}

async function comeBack(id) {
  sending = true;
  for (let tries = 0; tries < 60; tries++) {
    await pause(3000);
    try {
      const { version } = await ask("GET", "/api/version");
      sending = $("send").disabled = false;
      note(id, fill(T.back, { version }));
      return refresh();
    } catch (error) {}
  }
  sending = $("send").disabled = false;
  note(id, T.gone, true);
}

$("upload").onsubmit = async event => {
  event.preventDefault();
  const image = $("image").files[0], release = $("release").files[0];
  if (!image) return note("ota-say", T.noFile, true);
  sending = $("send").disabled = true;
  $("bar").hidden = false;
  $("bar").value = 0;
  note("ota-say", fill(T.sent, { percent: 0 }));
  try {
    await send(image, release ? (await new Response(release).text()).trim() : "");
  } catch (error) {
    failed(error.message);
  }
};

$("root").onchange = async () => {
  const [file] = $("root").files;
  if (!file) return;
  try {
    note("root-say", (await ask("POST", "/api/root", JSON.parse(await new Response(file).text()))).message);
    refresh();
  } catch (error) {
    note("root-say", error.name === "SyntaxError" ? T.noRoot : error.message, true);
  }
};

const command = (button, path, question, sayId) => {
  $(button).onclick = async () => {
    if (!confirm(question)) return;
    try {
      await ask("POST", path, {});
      note(sayId, T.restarting);
      comeBack(sayId);
    } catch (error) {
      note(sayId, error.message, true);
    }
  };
};
command("rollback", "/api/rollback", T.askRollBack, "ota-say");
command("restart", "/api/restart", T.askRestart, "device-say");

refresh();
readMore().catch(() => {});
setInterval(refresh, 10000);
if (location.pathname === "/ota") $("ota").scrollIntoView();
`;

/** HTML of `GET /` and `GET /ota` once the device has joined, ASCII, at most 26 KiB. */
export const statusPage = pageOf({
  title: text.title,
  style: PANEL_STYLE + STYLE,
  markup: MARKUP,
  strings: STATUS_SCRIPT_STRINGS,
  script: PROOF_SCRIPT + PANEL_SCRIPT + SCRIPT,
});
