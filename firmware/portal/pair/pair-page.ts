// The page of a pair, `/ota` of its receiver: what both devices run, whether they fit, updates of both together or of the receiver alone, and what
// became of the last ones. Only in the receiver's build. One HTML text without external resources, as status-page.ts; received data is never
// inserted as markup.

import { pageOf } from "../page-parts.js";
import { PAIR_SCRIPT_STRINGS, PAIR_STRINGS as text } from "./pair-strings.js";

const STYLE = `
h1{margin:0 4px 4px}
h2{font-size:.92rem;font-weight:600;color:var(--soft);margin:24px 4px 8px}
header a{display:inline-block;margin:0 4px;padding:10px 0}
.card{padding:8px 20px 20px}
.check{display:flex;gap:12px;align-items:center;min-height:48px;margin:14px 0 0}
.check input{width:22px;min-height:22px;flex:none}
progress{width:100%;height:12px;margin-top:18px;accent-color:var(--accent)}
#log li{padding:12px 0}
#system-state{margin:12px 0 0}
`;

const device = (id: string, name: string) =>
  `<section aria-labelledby=${id}-title><h2 id=${id}-title>${name}</h2><div class=card><dl id=${id}></dl></div></section>`;

const MARKUP = `<main>
<header><h1 id=title>${text.title}</h1><a href="/">${text.home}</a></header>
<noscript><p class="say no">${text.noScript}</p></noscript>
<p class="say no" id=alert role=alert></p>
${device("receiver", text.receiver)}${device("transmitter", text.transmitter)}
<section aria-labelledby=system-title><h2 id=system-title>${text.system}</h2><div class=card><p id=system-state role=status></p>
<label for=token>${text.token}</label><input id=token type=password autocomplete=current-password>
<button class=main id=both>${text.both}</button><button class=quiet id=look>${text.look}</button><button class=quiet id=cancel hidden>${text.cancel}</button><p class=say id=system-say role=status></p></div></section>
<section aria-labelledby=alone-title><h2 id=alone-title>${text.alone}</h2><form class=card id=upload novalidate>
<label for=image>${text.image}</label><input id=image type=file accept=".bin">
<label for=release>${text.release}</label><input id=release type=file aria-describedby=release-hint><p class="hint soft" id=release-hint>${text.releaseHint}</p>
<label for=fit class=check><input id=fit type=checkbox checked>${text.check}</label>
<label for=auto class=check><input id=auto type=checkbox checked>${text.restart}</label>
<button class=main id=send>${text.upload}</button><button type=button class=quiet id=install hidden>${text.install}</button>
<progress id=bar max=100 value=0 aria-labelledby=alone-title hidden></progress><p class=say id=upload-say role=status></p>
<button type=button class=quiet id=rollback>${text.rollBack}</button></form></section>
<section aria-labelledby=log-title><h2 id=log-title>${text.log}</h2><div class=card><ul id=log></ul></div></section>
</main>`;

const SCRIPT = `
async function ask(method, path, body) {
  const { status, value } = await call(method, path, body);
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

const peerState = peer => !peer || !peer.version ? T.unknown : !peer.isConnected ? T.missing : peer.isCompatible ? T.fits : T.misfits;
const outcome = entry => fill(entry.result === "finished" ? T.finished : T.failed, entry);

async function refresh() {
  try {
    const own = await ask("GET", "/api/version"), system = await ask("GET", "/api/system"), { peer } = own, { job, available } = system;
    note("alert", peer && peer.warning || "", true);
    facts("receiver", [
      [T.version, own.version],
      [T.protocol, String(own.protocolVersion)],
      [T.state, T.running],
      [T.built, [own.buildDate, own.buildTime].filter(Boolean).join(" ")],
      [T.staged, own.staged && own.staged.version]
    ]);
    facts("transmitter", [
      [T.version, peer && peer.version],
      [T.protocol, peer && peer.version && String(peer.protocol)],
      [T.state, peerState(peer)],
      [T.built, peer && [peer.buildDate, peer.buildTime].filter(Boolean).join(" ")],
      [T.signal, peer && peer.isConnected && fill(T.quality, peer)]
    ]);
    put("system-state", job ? fill(T[job.phase] || "", job) : available ? fill(T.available, { version: available }) : T.none);
    $("both").disabled = !available || !!job;
    $("cancel").hidden = !job;
    $("install").hidden = !own.staged || !!job;
    put("log", "");
    for (const entry of system.history) add($("log"), "li", { textContent: outcome(entry) + (entry.time ? " " + new Date(entry.time * 1000).toLocaleString() : "") });
  } catch (error) {
    note("alert", T.unreachable, true);
  }
}

const command = (button, path, said, sayId, question) => {
  $(button).onclick = async () => {
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
const installPath = () => "/api/ota/install" + ($("fit").checked ? "" : "?force=1");
command("both", () => "/api/system/install", T.begun, "system-say");
command("look", () => "/api/system/check", T.looking, "system-say");
command("cancel", () => "/api/system/cancel", "", "system-say");
command("install", installPath, T.installing, "upload-say");
command("rollback", () => "/api/ota/rollback", T.installing, "upload-say", T.askRollBack);

function sendImage(image) {
  return new Promise((done, fail) => {
    const request = new XMLHttpRequest(), began = Date.now();
    request.open("POST", "/api/ota/upload");
    request.setRequestHeader("content-type", "application/octet-stream");
    if ($("token").value) request.setRequestHeader("authorization", "Bearer " + $("token").value);
    request.upload.onprogress = ({ loaded, total }) => {
      const spent = (Date.now() - began) / 1000;
      $("bar").value = Math.floor(loaded / total * 100);
      const left = spent > 1 && loaded < total ? fill(T.left, { seconds: Math.ceil(spent * (total - loaded) / loaded) }) : "";
      note("upload-say", fill(T.sent, { percent: $("bar").value }) + left);
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

$("upload").onsubmit = async event => {
  event.preventDefault();
  const image = $("image").files[0], release = $("release").files[0];
  if (!image) return note("upload-say", T.noFile, true);
  $("send").disabled = true;
  $("bar").hidden = false;
  $("bar").value = 0;
  try {
    if (release) await ask("POST", "/api/ota/release", { release: (await new Response(release).text()).trim() });
    note("upload-say", fill(T.uploaded, await sendImage(image)));
    if ($("auto").checked) {
      await ask("POST", installPath(), {});
      note("upload-say", T.installing);
    }
  } catch (error) {
    note("upload-say", error.message, true);
  }
  $("send").disabled = false;
  $("bar").hidden = true;
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
  script: SCRIPT,
});
