// The page that a device serves for its setup: one HTML text without external resources, for a phone in a captive-portal sheet. It
// talks to firmware/core/wifi/portal.ts (`/api/networks`, `/api/scan`, `/api/join`, `/api/device`). Never inserts a network's name as
// markup (textContent only: a name may be any 32 bytes) and never keeps a password beyond its input field.
//
// One of four views is shown: choose ─► form ─► progress ─► done, and back to the form with the reason when joining failed. While
// the device joins, its access point moves to another channel and the phone may drop off: polling continues until it is back, and
// `attempt` shows whether a submission whose response was lost had arrived. The app's settings, the saved networks and the reset are on the
// settings page. On a device without an owner the form suggests a token; it is shown until the page is closed, and can be copied: over
// plain http there is no navigator.clipboard, and the old way has to happen in the very turn of the tap.

import { pageOf } from "./page-parts.js";
import { PART_STRINGS as parts, SCRIPT_STRINGS, PAGE_STRINGS as text } from "./strings.js";

const STYLE = `
header{display:flex;gap:14px;align-items:center;margin:0 4px 22px}
.mark{flex:none;width:48px;height:48px;border-radius:14px;background:var(--accent);color:var(--on);padding:11px}
h2{font-size:1.2rem;line-height:1.3;margin:0 0 6px;overflow-wrap:anywhere;outline:0}
header .soft{margin:3px 0 0}
#choose .card{overflow:hidden}
.bar{display:flex;justify-content:space-between;align-items:center;min-height:44px;margin:0 4px 6px}
.bar h2{font-size:.92rem;font-weight:600;color:var(--soft);margin:0}
.row:focus-visible{outline-offset:-3px}
.row{display:flex;align-items:center;gap:12px;width:100%;min-height:58px;padding:10px 18px;text-align:start}
.row:hover,.row:active{background:var(--tint)}
.name{flex:1;min-width:0;overflow-wrap:anywhere}
.name small{display:block}
svg{flex:none;width:22px;height:22px;display:block;fill:none;stroke:currentColor;stroke-width:2;stroke-linecap:round;stroke-linejoin:round}
.mark svg{width:26px;height:26px}
.lock{width:18px;color:var(--soft)}
.bars rect{fill:currentColor;stroke:none;opacity:.22}
[data-bars="1"] .b1,[data-bars="2"] .b1,[data-bars="2"] .b2,[data-bars="3"] rect:not(.b4),[data-bars="4"] rect{opacity:1}
.note{padding:20px 18px;margin:0}
input[aria-invalid=true]{border-color:var(--bad)}
.alert{background:var(--badbg);color:var(--bad);border-radius:14px;padding:14px 16px;margin:0 0 14px}
.alert strong{display:block;overflow-wrap:anywhere}
.link.quiet{border:0;margin-top:6px}
.mid{text-align:center;padding:40px 24px 34px}
.mid dl{margin-top:18px;text-align:start}
dl div{border-top:1px solid var(--line)}
.spin{width:52px;height:52px;margin:0 auto 22px;border-radius:50%;border:4px solid var(--line);border-top-color:var(--accent);animation:spin 1s linear infinite}
@keyframes spin{to{transform:rotate(1turn)}}
summary{color:var(--accent);font-weight:600;font-size:.92rem;padding:12px 0 4px;margin-top:8px}
textarea{height:7em;font-size:.8rem;resize:vertical}
.tick{width:64px;height:64px;margin:0 auto 20px;padding:16px;border-radius:50%;background:var(--goodbg);color:var(--good)}
.tick svg{width:32px;height:32px}
a.row{color:inherit;font-weight:400;text-decoration:none}
#made{user-select:all;font-weight:600}
#copy{margin:4px 0 -8px}
footer{text-align:center;margin:20px 0 0}
.sr{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
@media(prefers-reduced-motion:reduce){.spin{animation-duration:6s}}
`;

const MARKUP = `<main>
<header><div class=mark><svg viewBox="0 0 24 24" aria-hidden=true><path d="M2 9a15 15 0 0 1 20 0M5.5 13a10 10 0 0 1 13 0M9 16.7a5 5 0 0 1 6 0M12 20h.01"/></svg></div>
<div><h1 id=title>${text.title}</h1><p class=soft>${text.lead}</p></div></header>
<div id=alert class=alert role=alert hidden><strong></strong><span></span></div>
<noscript><p class=alert>${text.noScript}</p></noscript>
<section id=choose aria-labelledby=list-title hidden>
<div class=bar><h2 id=list-title tabindex=-1>${text.networks}</h2><button class=link id=rescan>${text.rescan}</button></div>
<div class=card><p class="note soft" id=empty></p><ul id=list></ul>
<button class="row rule" id=other><span class=name>${text.other}<small class=soft>${text.otherHint}</small></span><svg viewBox="0 0 24 24" aria-hidden=true><path d="M12 5v14M5 12h14"/></svg></button>
<a class="row rule" href="/settings"><span class=name>${text.more}<small class=soft>${text.moreHint}</small></span><svg viewBox="0 0 24 24" aria-hidden=true><path d="m9 5 7 7-7 7"/></svg></a></div>
</section>
<section id=enter aria-labelledby=form-title><form class="card pad" id=form method=post action="/api/join" novalidate autocomplete=off autocapitalize=none autocorrect=off spellcheck=false>
<h2 id=form-title tabindex=-1>${text.other}</h2>
<div id=name-part><label for=ssid>${text.name}</label><input id=ssid name=ssid aria-describedby=ssid-hint><p class="hint soft" id=ssid-hint></p></div>
<div id=password-part><label for=password>${text.password}</label><div class=field><input id=password name=password type=password aria-describedby=password-hint><button type=button class=link id=show hidden></button></div></div>
<p class="hint soft" id=password-hint></p>
<div id=device-part hidden><label for=device-name>${text.deviceName}</label><input id=device-name maxlength=40 autocapitalize=sentences aria-describedby=device-name-hint><p class="hint soft" id=device-name-hint>${text.deviceNameHint}</p>
<details><summary>${text.ownServer}</summary><p class="hint soft" id=authority-hint>${text.authorityHint}</p><label for=authority-text>${text.authorityText}</label><textarea id=authority-text aria-describedby=authority-hint></textarea><label for=authority>${text.authorityFile}</label><input id=authority type=file aria-describedby=authority-hint></details></div>
<div id=owner-part hidden><label for=owner>${parts.token}</label><div class=field><input id=owner aria-describedby=owner-hint><button type=button class=link id=suggest aria-label="${parts.suggestLabel}">${parts.suggest}</button></div><p class="hint soft" id=owner-hint></p><button type=button class=link id=copy>${text.copy}</button></div>
<button class=main>${text.connect}</button>
<button type=button class="link quiet" id=back hidden>${text.back}</button>
</form></section>
<section id=progress aria-labelledby=progress-title hidden><div class="card mid"><div class=spin></div><h2 id=progress-title tabindex=-1></h2><p class=soft id=progress-text></p></div></section>
<section id=done aria-labelledby=done-title hidden><div class="card mid"><div class=tick><svg viewBox="0 0 24 24" aria-hidden=true><path d="m5 13 4.5 4.5L19 7.5"/></svg></div><h2 id=done-title tabindex=-1></h2><p class=soft>${text.joinedLead}</p>
<dl><div><dt>${text.address}</dt><dd><a id=address></a></dd></div><div><dt>${text.hostName}</dt><dd><a id=host-name></a></dd></div><div id=made-part hidden><dt>${parts.token}</dt><dd id=made></dd></div></dl><div id=made-hint hidden><p class=soft>${text.tokenMade}</p><button class=quiet id=copy-made>${text.copy}</button></div></div></section>
<p class=sr role=status aria-live=polite id=status></p>
<footer class=soft id=device></footer>
<template id=row><li><button class=row><span class=name dir=auto></span><span class=sr></span><svg class=lock viewBox="0 0 24 24" aria-hidden=true><rect x=5 y=11 width=14 height=9 rx="2"/><path d="M8 11V8a4 4 0 0 1 8 0v3"/></svg><svg class=bars viewBox="0 0 24 24" aria-hidden=true><rect class=b1 x=2 y=15 width=4 height=6 rx="1"/><rect class=b2 x=8 y=11 width=4 height=10 rx="1"/><rect class=b3 x=14 y=7 width=4 height=14 rx="1"/><rect class=b4 x=20 y=3 width=4 height=18 rx="1"/></svg></button></li></template>
</main>`;

/** Written for the browsers of old phones' sheets too: no newer syntax than of 2017. */
const SCRIPT = `
const bytes = text => new Blob([text]).size;
let attempt = 0, hostName = "", chosen = null, shown = "", drawn = "", made = "", named = "", given = "", polling = false;

async function insist(path) {
  for (let misses = 0; ; misses++) {
    try {
      const answer = await call("GET", path);
      if (answer.status === 200) return answer.value;
    } catch (error) {}
    if (misses > 1 && shown === "choose") say(T.unreachable);
    await pause(1500);
  }
}

function show(view, focus) {
  shown = view;
  for (const id of ["choose", "enter", "progress", "done"]) $(id).hidden = id !== view;
  if (focus) {
    $(focus).focus();
    scrollTo(0, 0);
  }
}

function say(text) {
  put("status", text);
  if (!$("list").children.length) put("empty", text);
}

function complain(ssid, reason) {
  $("alert").hidden = !reason;
  $("alert").firstChild.textContent = reason ? fill(T.failed, { ssid }) : "";
  $("alert").lastChild.textContent = reason || "";
}

function draw(networks) {
  $("empty").hidden = networks.length > 0;
  const next = JSON.stringify(networks);
  if (next === drawn) return;
  drawn = next;
  const list = $("list");
  const focused = list.contains(document.activeElement) ? document.activeElement.firstChild.textContent : null;
  list.textContent = "";
  for (const network of networks) {
    const item = document.importNode($("row").content, true);
    const button = item.querySelector("button");
    const bars = network.rssi >= -55 ? 4 : network.rssi >= -65 ? 3 : network.rssi >= -75 ? 2 : 1;
    button.dataset.bars = bars;
    button.firstChild.textContent = network.ssid;
    item.querySelector(".sr").textContent = fill(T.about, { signal: T.signals[bars - 1], access: network.secured ? T.secured : T.open });
    if (!network.secured) item.querySelector(".lock").remove();
    button.onclick = () => choose(network);
    list.appendChild(item);
    if (network.ssid === focused) button.focus();
  }
}

async function watchNetworks() {
  if (polling) return;
  polling = true;
  $("rescan").disabled = true;
  say(T.scanning);
  for (;;) {
    const { scanning, networks } = await insist("/api/networks");
    draw(networks);
    if (!scanning) {
      const count = networks.length;
      say(count === 0 ? T.none : count === 1 ? T.foundOne : fill(T.found, { count }));
      break;
    }
    say(T.scanning);
    await pause(1200);
  }
  $("rescan").disabled = polling = false;
}

async function rescan() {
  if (polling) return;
  $("rescan").disabled = true;
  say(T.scanning);
  for (let tries = 0; tries < 3; tries++) {
    try {
      await call("POST", "/api/scan");
      break;
    } catch (error) {
      await pause(1000);
    }
  }
  watchNetworks();
}

function choose(network) {
  chosen = network;
  complain();
  mark("ssid", "");
  $("ssid").value = network ? network.ssid : "";
  $("password").value = "";
  reveal(false);
  prepare();
  show("enter", network ? (network.secured ? "password" : "form-title") : "ssid");
}

function prepare() {
  put("form-title", chosen ? fill(T.joinTitle, { ssid: chosen.ssid }) : T.otherTitle);
  $("name-part").hidden = !!chosen;
  $("password-part").hidden = !!chosen && !chosen.secured;
  mark("password", "");
  mark("owner", "");
}

function mark(id, problem) {
  const password = chosen ? (chosen.secured ? T.passwordHint : T.openHint) : T.otherPasswordHint;
  $(id).setAttribute("aria-invalid", !!problem);
  put(id + "-hint", problem || { password, owner: T.tokenHint }[id] || "");
  $(id + "-hint").style.color = problem ? "var(--bad)" : "";
  if (problem) $(id).focus();
  return !problem;
}

function reveal(visible) {
  $("password").type = visible ? "text" : "password";
  put("show", visible ? T.hide : T.show);
  $("show").setAttribute("aria-label", visible ? T.hidePassword : T.showPassword);
}

function check(ssid, password) {
  let count = bytes(ssid);
  if (!mark("ssid", !count ? T.nameEmpty : count > 32 ? fill(T.nameLong, { count }) : "")) return false;
  count = bytes(password);
  const key = count === 64 && /^[0-9a-f]+$/i.test(password);
  const short = count < 8 && (count > 0 || (chosen && chosen.secured));
  if (!mark("password", short ? fill(T.passwordShort, { count: password.length }) : count > 63 && !key ? fill(T.passwordLong, { count }) : "")) return false;
  return mark("owner", /^([!-~]{8,64})?$/.test($("owner").value) ? "" : T.tokenWrong);
}

function progress(ssid, text) {
  put("progress-title", fill(T.joining, { ssid }));
  if ($("progress-text").textContent === text) return;
  put("progress-text", text);
  say(text);
}

function submit(ssid, password) {
  complain();
  progress(ssid, T.sending);
  show("progress", "progress-title");
  follow(ssid, { ssid, password });
}

async function follow(ssid, unsent) {
  const before = attempt, authority = unsent && await certificate($("authority").files[0], $("authority-text").value).catch(() => "?");
  for (let rounds = 0, misses = 0; ; rounds++) {
    try {
      if (unsent && misses && (await call("GET", "/api/join")).value.attempt > before) unsent = null;
      if (unsent && authority !== given) {
        const answer = await call("POST", "/api/settings", { authority });
        if (answer.status > 299) return failed(ssid, answer.value.message);
        given = authority;
      }
      const deviceName = $("device-name").value.trim();
      if (unsent && deviceName !== named) {
        const answer = await call("POST", "/api/settings", { deviceName });
        if (answer.status > 299) return failed(ssid, answer.value.message);
        named = deviceName;
        if (named) $("title").textContent = named;
      }
      if (unsent && !$("owner-part").hidden) {
        const answer = await call("POST", "/api/token", { token: $("owner").value });
        if (answer.status > 299) return failed(ssid, answer.value.message);
        made = $("owner").value;
      }
      if (unsent) {
        const answer = await call("POST", "/api/join", unsent);
        if (answer.status !== 202) return failed(ssid, answer.value.message);
        unsent = null;
      }
      if (!misses) progress(ssid, rounds > 20 ? T.long : T.wait);
      await pause(1000);
      const answer = await call("GET", "/api/join");
      if (answer.status !== 200) throw answer;
      const report = answer.value;
      misses = 0;
      attempt = report.attempt;
      if (report.phase === "joined") return joined(report);
      if (report.phase === "failed") return failed(report.ssid, T.reasons[report.reason] || report.message, report.reason);
      if (report.phase === "idle") return failed(ssid, T.reasons.restarted);
    } catch (error) {
      misses++;
      progress(ssid, misses > 9 ? fill(T.gone, { ssid, name: hostName }) : T.away);
      await pause(1000);
    }
  }
}

function failed(ssid, reason, code) {
  if ($("ssid").value !== ssid) return start(), complain(ssid, reason);
  prepare();
  show("enter", "form-title");
  complain(ssid, reason);
  if (/password|refused/.test(code) && !$("password-part").hidden) {
    $("password").focus();
    $("password").select();
  }
}

function joined(report) {
  $("password").value = "";
  put("done-title", report.ssid ? fill(T.joined, report) : T.joinedSaved);
  for (const [id, host] of [["address", report.address], ["host-name", report.hostName]]) {
    put(id, host);
    $(id).href = "http://" + host + "/";
  }
  put("made", made);
  $("made-part").hidden = $("made-hint").hidden = !made;
  document.querySelector("header .soft").hidden = true;
  show("done", "done-title");
  say($("done-title").textContent);
}

async function copy(button, text) {
  let copied = true;
  try {
    await navigator.clipboard.writeText(text);
  } catch (error) {
    const area = add(button.parentNode, "textarea", { value: text, readOnly: true, className: "sr" });
    area.select();
    area.setSelectionRange(0, 99);
    copied = document.execCommand("copy");
    area.remove();
    button.focus();
  }
  say(button.textContent = copied ? T.copied : T.notCopied);
  await pause(3000);
  button.textContent = T.copy;
}

function start() {
  show("choose", "list-title");
  watchNetworks();
}

$("suggest").onclick = () => { $("owner").value = suggest(); };
$("copy").onclick = event => copy(event.target, $("owner").value);
$("copy-made").onclick = event => copy(event.target, made);
$("rescan").onclick = rescan;
$("other").onclick = () => choose(null);
$("back").onclick = () => { complain(); start(); };
$("show").onclick = () => reveal($("password").type === "password");
$("form").onsubmit = event => {
  event.preventDefault();
  const ssid = $("ssid").value, password = $("password-part").hidden ? "" : $("password").value;
  if (check(ssid, password)) submit(ssid, password);
};

(async () => {
  reveal(false);
  $("show").hidden = $("back").hidden = false;
  show("choose");
  say(T.scanning);
  const report = await insist("/api/join");
  attempt = report.attempt;
  if (report.phase === "joined") joined(report);
  else if (report.phase === "joining") {
    $("ssid").value = report.ssid;
    progress(report.ssid, T.wait);
    show("progress", "progress-title");
    follow(report.ssid);
  } else {
    watchNetworks();
    if (report.phase === "failed") complain(report.ssid, T.reasons[report.reason] || report.message);
  }
  const device = await insist("/api/device");
  $("device-name").value = named = device.name;
  const { hasToken, attendedSeconds, place } = await insist("/api/settings");
  if (!hasToken && attendedSeconds && place === "setup") {
    $("owner").value = suggest();
    $("owner-part").hidden = $("device-part").hidden = false;
  }
  hostName = device.deviceId.toLowerCase() + ".local";
  $("title").textContent = document.title = device.name;
  put("device", device.deviceId + " \\u00b7 " + device.type + " " + device.version);
})();
`;

/** HTML of `GET /`, ASCII, at most 22 KiB. */
export const setupPage = pageOf({
  title: text.title,
  style: STYLE,
  markup: MARKUP,
  strings: SCRIPT_STRINGS,
  script: SCRIPT,
});
