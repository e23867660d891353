// The page that a device serves in its owner's network: how it fares, its settings, and `#ota`, where a file is sent to its push
// port. One HTML text without external resources that talks to firmware/core/local-api.ts; it looks like setup-page.ts. It keeps
// the owner's token only in its input field, and puts nothing it was told into markup (textContent only).
//
// Sending goes to another port, so the browser first asks the device whether it may (CORS): the push server has to allow it.

import { asciiMarkup, asciiScript, squeeze } from "./page-text.js";
import { STATUS_SCRIPT_STRINGS, STATUS_STRINGS as text } from "./strings.js";

const STYLE = `
:root{color-scheme:light dark;--bg:#f3f5f8;--card:#fff;--line:#dde3ea;--text:#17202b;--soft:#566270;--accent:#0b5fc6;--on:#fff;--bad:#a8231b;--badbg:#fdeceb;--good:#146c3c;--goodbg:#e5f5ec}
@media(prefers-color-scheme:dark){:root{--bg:#0e1318;--card:#182028;--line:#2b3641;--text:#e9eef3;--soft:#9fadba;--accent:#79b8ff;--on:#06182b;--bad:#ffb4ab;--badbg:#3a1715;--good:#84dba8;--goodbg:#14301f}}
*{box-sizing:border-box}
[hidden]{display:none!important}
body{margin:0;background:var(--bg);color:var(--text);font:17px/1.45 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;-webkit-text-size-adjust:100%}
main{max-width:30rem;margin:0 auto;padding:max(28px,env(safe-area-inset-top)) 18px 24px}
h1{font-size:1.4rem;line-height:1.2;margin:0 4px 4px;overflow-wrap:anywhere}
h2{font-size:.92rem;font-weight:600;color:var(--soft);margin:24px 4px 8px}
p{margin:0 0 14px}
.soft{color:var(--soft);font-size:.92rem}
header .soft{margin:0 4px}
.card{background:var(--card);border:1px solid var(--line);border-radius:18px;padding:8px 20px 20px}
dl{margin:0}
dl div{padding:11px 0;display:flex;gap:12px;justify-content:space-between}
dl div+div{border-top:1px solid var(--line)}
dt{color:var(--soft)}
dd{margin:0;overflow-wrap:anywhere;text-align:end}
label{display:block;font-weight:600;font-size:.92rem;margin:14px 0 6px}
input{width:100%;font:inherit;color:var(--text);background:var(--bg);border:1px solid var(--soft);border-radius:12px;padding:11px 14px;min-height:50px}
button{font:inherit;font-weight:650;cursor:pointer;width:100%;min-height:52px;margin-top:16px;border:0;border-radius:14px;background:var(--accent);color:var(--on);touch-action:manipulation}
button.quiet{background:none;color:var(--accent);border:1px solid var(--line)}
button.bad{color:var(--bad)}
button:disabled{opacity:.55;cursor:default}
button:focus-visible,input:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
.hint{margin:6px 2px 0}
.say{border-radius:14px;padding:12px 16px;margin:16px 0 0;background:var(--goodbg);color:var(--good)}
.say:empty{display:none}
.say.no{background:var(--badbg);color:var(--bad)}
progress{width:100%;height:12px;margin-top:18px;accent-color:var(--accent)}
`;

const MARKUP = `<main>
<header><h1 id=title>${text.title}</h1><p class=soft id=lead></p></header>
<noscript><p class="say no">${text.noScript}</p></noscript>
<p class="say no" id=alert role=alert></p>
<section aria-labelledby=status-title><h2 id=status-title>${text.status}</h2><div class=card><dl id=facts></dl></div></section>
<section aria-labelledby=settings-title><h2 id=settings-title>${text.settings}</h2><form class=card id=settings novalidate autocomplete=off>
<label for=name>${text.name}</label><input id=name maxlength=40>
<label for=server>${text.server}</label><input id=server type=url inputmode=url maxlength=200 autocapitalize=none spellcheck=false aria-describedby=server-hint><p class="hint soft" id=server-hint>${text.serverHint}</p>
<label for=seconds>${text.seconds}</label><input id=seconds type=number inputmode=numeric min=10 max=86400>
<label for=new-token>${text.newToken}</label><input id=new-token type=password autocomplete=new-password aria-describedby=new-hint><p class="hint soft" id=new-hint>${text.newTokenHint}</p>
<button>${text.save}</button><p class=say id=settings-say role=status></p></form></section>
<section aria-labelledby=ota-title id=ota><h2 id=ota-title>${text.ota}</h2><form class=card id=upload novalidate>
<label for=image>${text.image}</label><input id=image type=file accept=".bin">
<label for=release>${text.release}</label><input id=release type=file aria-describedby=release-hint><p class="hint soft" id=release-hint>${text.releaseHint}</p>
<button id=send>${text.send}</button>
<progress id=bar max=100 value=0 aria-labelledby=ota-title hidden></progress><p class=say id=ota-say role=status></p>
<button type=button class=quiet id=rollback>${text.rollBack}</button></form></section>
<section aria-labelledby=device-title><h2 id=device-title>${text.device}</h2><div class=card>
<label for=token>${text.token}</label><input id=token type=password autocomplete=current-password aria-describedby=token-hint><p class="hint soft" id=token-hint>${text.tokenHint}</p>
<button class=quiet id=restart>${text.restart}</button><button class="quiet bad" id=reset>${text.reset}</button><p class=say id=device-say role=status></p></div></section>
</main>`;

const SCRIPT = `
const $ = id => document.getElementById(id);
const fill = (text, values) => text.replace(/{([a-z]+)}/g, (all, key) => key in values ? values[key] : all);
let known = {}, sending = false;

function say(id, text, bad) {
  $(id).textContent = text;
  $(id).className = bad ? "say no" : "say";
}

function token() {
  return $("token").value ? { authorization: "Bearer " + $("token").value } : {};
}

async function call(method, path, body) {
  const options = { method, cache: "no-store" };
  if (body) {
    options.headers = Object.assign({ "content-type": "application/json" }, token());
    options.body = JSON.stringify(body);
  }
  const answer = await fetch(path, options);
  const value = await answer.json();
  if (answer.status < 300) return value;
  if (answer.status === 401) throw new Error(T.needToken);
  throw new Error(value.message || fill(T.refused, { status: answer.status }));
}

function span(seconds) {
  if (seconds < 90) return fill(T.seconds, { n: Math.max(1, Math.round(seconds)) });
  if (seconds < 5400) return fill(T.minutes, { n: Math.round(seconds / 60) });
  return fill(seconds < 172800 ? T.hours : T.days, { n: Math.round(seconds / (seconds < 172800 ? 3600 : 86400)) });
}

function facts(rows) {
  $("facts").textContent = "";
  for (const [name, value] of rows) {
    if (!value) continue;
    const row = document.createElement("div");
    row.appendChild(document.createElement("dt")).textContent = name;
    row.appendChild(document.createElement("dd")).textContent = value;
    $("facts").appendChild(row);
  }
}

async function refresh() {
  if (sending) return;
  try {
    const version = await call("GET", "/api/version");
    const health = await call("GET", "/api/health");
    $("title").textContent = document.title = version.name;
    $("lead").textContent = version.deviceId + ".local \\u00b7 " + version.hardware;
    say("alert", health.safeMode ? fill(T.safeMode, { n: health.unhealthyBootCount }) : "", true);
    const build = version.build ? "+" + version.build : "";
    facts([
      [T.state, T.states[health.status] || health.status],
      [T.firmware, version.type + " " + version.version + build],
      [T.built, [version.buildDate, version.buildTime].filter(Boolean).join(" ")],
      [T.slot, version.slot],
      [T.wifi, health.link.state === "online" ? fill(health.link.rssi ? T.signal : "{address}", health.link) : T.offline],
      [T.uptime, span(health.uptimeSeconds)],
      [T.memory, fill(T.kilobytes, { n: Math.round(health.freeHeapBytes / 1024) })],
      [T.error, health.lastError && health.lastError.message]
    ]);
  } catch (error) {
    say("alert", T.unreachable, true);
  }
}

async function readSettings() {
  known = await call("GET", "/api/settings");
  $("name").value = known.deviceName;
  $("server").value = known.server;
  $("seconds").value = known.checkSeconds;
}

$("settings").onsubmit = async event => {
  event.preventDefault();
  const change = {};
  if ($("name").value !== known.deviceName) change.deviceName = $("name").value;
  if ($("server").value !== known.server) change.server = $("server").value;
  if (Number($("seconds").value) !== known.checkSeconds) change.checkSeconds = Number($("seconds").value);
  if ($("new-token").value) change.token = $("new-token").value;
  try {
    await call("POST", "/api/settings", change);
    if (change.token) $("token").value = change.token;
    $("new-token").value = "";
    say("settings-say", T.saved);
    await readSettings();
    refresh();
  } catch (error) {
    say("settings-say", error.message, true);
  }
};

function failed(message) {
  sending = false;
  $("send").disabled = false;
  $("bar").hidden = true;
  say("ota-say", message, true);
}

function send(image, release) {
  const request = new XMLHttpRequest(), began = Date.now();
  request.open("POST", "http://" + location.hostname + ":3232/update");
  request.setRequestHeader("content-type", "application/octet-stream");
  if (release) request.setRequestHeader("x-skyslot-release", release);
  if ($("token").value) request.setRequestHeader("authorization", "Bearer " + $("token").value);
  request.upload.onprogress = ({ loaded, total }) => {
    const spent = (Date.now() - began) / 1000;
    $("bar").value = Math.floor(loaded / total * 100);
    const left = loaded && spent > 1 && loaded < total ? fill(T.left, { time: span(spent * (total - loaded) / loaded) }) : "";
    say("ota-say", loaded < total ? fill(T.sent, { percent: $("bar").value }) + left : T.checking);
  };
  request.onerror = () => failed(T.broken);
  request.onload = () => {
    if (request.status < 300) {
      $("bar").hidden = true;
      say("ota-say", T.installed);
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
    await new Promise(done => setTimeout(done, 3000));
    try {
      const { version } = await call("GET", "/api/version");
      sending = $("send").disabled = false;
      say(id, fill(T.back, { version }));
      return refresh();
    } catch (error) {}
  }
  sending = $("send").disabled = false;
  say(id, T.gone, true);
}

$("upload").onsubmit = async event => {
  event.preventDefault();
  const image = $("image").files[0], release = $("release").files[0];
  if (!image) return say("ota-say", T.noFile, true);
  sending = $("send").disabled = true;
  $("bar").hidden = false;
  $("bar").value = 0;
  say("ota-say", fill(T.sent, { percent: 0 }));
  try {
    send(image, release ? (await new Response(release).text()).trim() : "");
  } catch (error) {
    failed(error.message);
  }
};

const command = (button, path, question, sayId) => {
  $(button).onclick = async () => {
    if (!confirm(question)) return;
    try {
      await call("POST", path, {});
      say(sayId, T.restarting);
      if (button !== "reset") comeBack(sayId);
    } catch (error) {
      say(sayId, error.message, true);
    }
  };
};
command("rollback", "/api/rollback", T.askRollBack, "ota-say");
command("restart", "/api/restart", T.askRestart, "device-say");
command("reset", "/api/factory-reset", T.askReset, "device-say");

refresh();
readSettings().catch(() => {});
setInterval(refresh, 10000);
if (location.pathname === "/ota") $("ota").scrollIntoView();
`;

/** HTML of `GET /` and `GET /ota` once the device has joined, ASCII, at most 12 KiB. */
export const statusPage = `<!doctype html><html lang="${text.language}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1,viewport-fit=cover"><meta name="color-scheme" content="light dark"><title>${text.title}</title><link rel="icon" href="data:,"><style>${STYLE.replace(/\n/g, "")}</style></head><body>${asciiMarkup(MARKUP)}<script>const T=${asciiScript(JSON.stringify(STATUS_SCRIPT_STRINGS))};${squeeze(SCRIPT)}</script></body></html>`;
