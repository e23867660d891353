// The page of a pair, `/ota` of its receiver: what both devices run, whether they fit, updates of both together or of one alone, from the update
// server or from files, roll back, and what became of the last ones. Only in the receiver's build. One HTML text without external resources,
// as status-page.ts; received data is never inserted as markup.

import { pageOf } from "../page-parts.js";
import { PROOF_SCRIPT } from "../proof-script.js";
import { PAIR_SCRIPT_STRINGS, PAIR_STRINGS as text } from "./pair-strings.js";

const STYLE = `
h1{margin:0 4px 4px}
h2,legend{font-size:.92rem;font-weight:600;color:var(--soft)}
h2{margin:24px 4px 8px}
header a{display:inline-block;margin:0 4px;padding:10px 0}
.card{padding:8px 20px 20px}
fieldset{border:0;margin:12px 0 0;padding:0;min-width:0}
fieldset+fieldset{border-top:1px solid var(--line);padding-top:16px}
legend{padding:0 0 8px;float:left;width:100%}
legend+*{clear:both}
.check{display:flex;gap:12px;align-items:center;min-height:48px;margin:14px 0 0}
.check input{width:22px;min-height:22px;flex:none}
progress{width:100%;height:12px;margin-top:18px;accent-color:var(--accent)}
#log li{padding:12px 0}
#system-state{margin:12px 0 0}
@media(min-width:62rem){main{max-width:62rem;display:grid;grid-template-columns:1fr 1fr;gap:0 28px;align-items:start}header,#alert,noscript{grid-column:1/-1}.tall{grid-row:span 3}}
`;

const section = (id: string, name: string, content: string, kind = "") =>
  `<section aria-labelledby=${id}-title${kind}><h2 id=${id}-title>${name}</h2>${content}</section>`;

const device = (id: string, name: string) => section(id, name, `<div class=card><dl id=${id}></dl></div>`);

const file = (id: string, name: string, hint: string) =>
  `<fieldset><legend>${name}</legend><label for=${id}-image>${text.image}</label><input id=${id}-image type=file accept=".bin"><label for=${id}-release>${text.release}</label><input id=${id}-release type=file accept=".jws" aria-describedby=${id}-hint><p class="hint soft" id=${id}-hint>${hint}</p><progress id=${id}-bar max=100 value=0 aria-label="${name}" hidden></progress><p class=say id=${id}-say role=status></p></fieldset>`;

const button = (id: string, name: string, isHidden = true) =>
  `<button type=button class=quiet id=${id}${isHidden ? " hidden" : ""}>${name}</button>`;

const MARKUP = `<main>
<header><h1 id=title>${text.title}</h1><a href="/">${text.home}</a></header>
<noscript><p class="say no">${text.noScript}</p></noscript>
<p class="say no" id=alert role=alert></p>
${device("receiver", text.receiver)}${device("transmitter", text.transmitter)}
${section("system", text.system, `<div class=card><p id=system-state role=status></p><progress id=radio-bar max=100 value=0 aria-label="${text.transmitter}" hidden></progress><label for=token>${text.token}</label><input id=token type=password autocomplete=current-password><button class=main id=both hidden>${text.both}</button>${button("look", text.look, false)}${button("cancel", text.cancel)}${button("undo", text.undo)}<p class=say id=system-say role=status></p></div>`)}
${section("files", text.files, `<form class=card id=upload novalidate>${file("own", text.receiver, text.ownHint)}${file("other", text.transmitter, text.otherHint)}<label for=fit class=check><input id=fit type=checkbox checked>${text.check}</label><label for=auto class=check><input id=auto type=checkbox checked>${text.restart}</label><button class=main id=send>${text.upload}</button>${button("install-both", text.both)}${button("install-own", text.own)}${button("install-other", text.other)}${button("rollback", text.rollBack, false)}<p class=say id=upload-say role=status></p></form>`, " class=tall")}
${section("log", text.log, "<div class=card><ul id=log></ul></div>")}
</main>`;

const SCRIPT = `
async function ask(method, path, body) {
  const { status, value } = await prove(method, path, body);
  if (status >= 300) throw new Error(value.message || status);
  return value;
}

function facts(id, rows) {
  put(id, "");
  for (const [name, value] of rows) {
    if (!value) continue;
    const row = add($(id), "div", {});
    add(row, "dt", { textContent: name });
    add(row, "dd", { textContent: value });
  }
}

const left = (began, part) => part > 0.02 && part < 1 ? fill(T.left, { seconds: Math.ceil((Date.now() - began) / 1000 * (1 - part) / part) }) : "";
const peerState = peer => !peer || !peer.version ? T.unknown : !peer.isConnected ? T.missing : peer.isCompatible ? T.fits : T.misfits;
const show = (id, visible) => { $(id).hidden = !visible; };

function outcome(entry) {
  const sentence = entry.result === "finished" ? "finished" : "failed";
  const name = entry.what && entry.what !== "both" ? T[entry.what + "Is"] || entry.what : "";
  return name + fill(T[sentence + (name ? "One" : "")], { version: entry.version || T.update, reason: entry.reason });
}

let radio;
function progress(job) {
  const percent = job && job.phase === "staging" ? job.transmitterPercent : 0;
  if (!percent) radio = undefined;
  else radio = radio || { at: Date.now(), from: percent };
  show("radio-bar", percent);
  $("radio-bar").value = percent;
  // then it waits for the transmitter to have checked its image
  const done = radio && percent > radio.from && percent < 99 ? left(radio.at, (percent - radio.from) / (100 - radio.from)) : "";
  return percent ? fill(T.received, { percent }) + done : "";
}

async function refresh() {
  try {
    const own = await ask("GET", "/api/version"), system = await ask("GET", "/api/system"), { peer, staged } = own, { job, available, uploaded } = system;
    note("alert", peer && peer.warning || "", true);
    facts("receiver", [
      [T.version, own.version],
      [T.protocol, String(own.protocolVersion)],
      [T.state, T.running],
      [T.built, [own.buildDate, own.buildTime].filter(Boolean).join(" ")],
      [T.staged, staged && staged.version]
    ]);
    facts("transmitter", [
      [T.version, peer && peer.version],
      [T.protocol, peer && peer.version && String(peer.protocol)],
      [T.state, peerState(peer)],
      [T.built, peer && [peer.buildDate, peer.buildTime].filter(Boolean).join(" ")],
      [T.signal, peer && peer.isConnected && fill(T.quality, peer)],
      [T.staged, uploaded && uploaded.version]
    ]);
    put("system-state", job ? fill(T[job.phase] || "", job) + progress(job) : available ? fill(T.available, { version: available }) : T.none);
    if (!job) progress();
    show("both", available && !job);
    show("cancel", job);
    show("undo", system.undo && !job);
    show("install-both", staged && uploaded && !job);
    show("install-own", staged && !job);
    show("install-other", uploaded && !job);
    $("send").disabled = isSending || !!job;
    put("log", "");
    for (const entry of system.history) add($("log"), "li", { textContent: outcome(entry) + (entry.time ? " " + new Date(entry.time * 1000).toLocaleString() : "") });
    if (!system.history.length) add($("log"), "li", { className: "soft", textContent: T.nothing });
  } catch (error) {
    note("alert", T.unreachable, true);
  }
}

const command = (id, path, said, sayId, question) => {
  $(id).onclick = async () => {
    if (question && !confirm(question)) return;
    try {
      await ask("POST", path(), {});
      note(sayId, said);
      refresh();
    } catch (error) {
      note(sayId, error.message, true);
    }
  };
};
const installPath = device => "/api/ota/install?device=" + device + ($("fit").checked ? "" : "&force=1");
command("both", () => "/api/system/install", T.begun, "system-say");
command("look", () => "/api/system/check", T.looking, "system-say");
command("cancel", () => "/api/system/cancel", T.cancelled, "system-say");
command("undo", () => "/api/ota/rollback?device=both", T.back, "system-say", T.askUndo);
command("install-both", () => installPath("both"), T.begun, "upload-say");
command("install-own", () => installPath("receiver"), T.installing, "upload-say");
command("install-other", () => installPath("transmitter"), T.begun, "upload-say");
command("rollback", () => "/api/ota/rollback", T.installing, "upload-say", T.askRollBack);

async function sendFile(id, device) {
  const image = $(id + "-image").files[0], path = "/api/ota/upload?device=" + device, by = await proofOfImage(path, path, image);
  return new Promise((done, fail) => {
    const request = new XMLHttpRequest(), began = Date.now(), bar = $(id + "-bar");
    request.open("POST", path);
    request.setRequestHeader("content-type", "application/octet-stream");
    if (by) request.setRequestHeader("authorization", by);
    request.upload.onprogress = ({ loaded, total }) => {
      bar.value = Math.floor(loaded / total * 100);
      note(id + "-say", fill(T.sent, { percent: bar.value }) + left(began, loaded / total));
    };
    request.onerror = () => fail(new Error(T.broken));
    request.onload = () => {
      let value = {};
      try {
        value = JSON.parse(request.responseText);
      } catch (error) {}
      if (request.status < 300) done(value);
      else fail(new Error(value.message || request.status));
    };
    request.send(image);
  });
}

async function sendImage(id, device) {
  const release = $(id + "-release").files[0];
  show(id + "-bar", true);
  $(id + "-bar").value = 0;
  try {
    if (release) await ask("POST", "/api/ota/release", { release: (await new Response(release).text()).trim() });
    note(id + "-say", fill(T.uploaded, await sendFile(id, device)));
  } catch (error) {
    note(id + "-say", error.message, true);
    throw new Error(T.stopped);
  } finally {
    show(id + "-bar", false);
  }
}

let isSending = false;
$("upload").onsubmit = async event => {
  event.preventDefault();
  const devices = [["own", "receiver"], ["other", "transmitter"]].filter(([id]) => $(id + "-image").files[0]);
  if (!devices.length) return note("upload-say", T.noFile, true);
  isSending = $("send").disabled = true;
  note("upload-say", "");
  try {
    for (const [id, device] of devices) await sendImage(id, device);
    if ($("auto").checked) {
      await ask("POST", installPath(devices.length > 1 ? "both" : devices[0][1]), {});
      note("upload-say", devices[0][1] === "receiver" && devices.length < 2 ? T.installing : T.begun);
    }
  } catch (error) {
    note("upload-say", error.message, true);
  }
  isSending = false;
  refresh();
};

refresh();
setInterval(refresh, 5000);
`;

/** HTML of `GET /ota` of a receiver, ASCII, at most 20 KB. */
export const pairPage = pageOf({
  title: text.title,
  style: STYLE,
  markup: MARKUP,
  strings: PAIR_SCRIPT_STRINGS,
  script: PROOF_SCRIPT + SCRIPT,
});
