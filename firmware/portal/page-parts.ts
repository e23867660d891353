// What both of a device's pages share: the style, a few helpers for scripts, and the frame. The scripts are texts, not code of the device:
// they are inserted into the page unchanged.

import { asciiMarkup, asciiScript, squeeze } from "./page-text.js";
import { PART_STRINGS as text } from "./strings.js";

/** Pairs of these are tested for a contrast of 4.5 to 1. */
const STYLE = `
:root{color-scheme:light dark;--bg:#f3f5f8;--card:#fff;--line:#dde3ea;--text:#17202b;--soft:#566270;--accent:#0b5fc6;--on:#fff;--tint:#e8f1fd;--bad:#a8231b;--badbg:#fdeceb;--good:#146c3c;--goodbg:#e5f5ec}
@media(prefers-color-scheme:dark){:root{--bg:#0e1318;--card:#182028;--line:#2b3641;--text:#e9eef3;--soft:#9fadba;--accent:#79b8ff;--on:#06182b;--tint:#1d3045;--bad:#ffb4ab;--badbg:#3a1715;--good:#84dba8;--goodbg:#14301f}}
*{box-sizing:border-box}
[hidden]{display:none!important}
body{margin:0;background:var(--bg);color:var(--text);font:17px/1.45 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;-webkit-text-size-adjust:100%}
main{max-width:30rem;margin:0 auto;padding:max(28px,env(safe-area-inset-top)) 18px max(24px,env(safe-area-inset-bottom))}
h1{font-size:1.4rem;line-height:1.2;margin:0;overflow-wrap:anywhere}
p{margin:0 0 14px}
.soft{color:var(--soft);font-size:.92rem}
.card{background:var(--card);border:1px solid var(--line);border-radius:18px}
.pad{padding:22px 20px}
dl{margin:0}
dl div{padding:12px 0;display:flex;gap:12px;justify-content:space-between}
dl div+div{border-top:1px solid var(--line)}
dt{color:var(--soft)}
dd{margin:0;overflow-wrap:anywhere;text-align:end}
label{display:block;font-weight:600;font-size:.92rem;margin:16px 0 6px}
input,select,textarea{width:100%;font:inherit;color:var(--text);background:var(--bg);border:1px solid var(--soft);border-radius:12px;padding:11px 14px;min-height:50px;accent-color:var(--accent)}
.field{position:relative}
.field input{padding-right:94px}
button{font:inherit;color:inherit;background:none;border:0;min-height:48px;cursor:pointer;touch-action:manipulation}
button:focus-visible,input:focus-visible,select:focus-visible,textarea:focus-visible,summary:focus-visible,a:focus-visible{outline:3px solid var(--accent);outline-offset:2px;border-radius:12px}
button:disabled{opacity:.55;cursor:default}
.main{width:100%;background:var(--accent);color:var(--on);font-weight:650;border-radius:14px;margin-top:22px;min-height:52px}
.link{color:var(--accent);font-weight:600;padding:0 6px;border-radius:10px}
.field .link{position:absolute;right:4px;top:1px}
.quiet{width:100%;color:var(--accent);font-weight:650;border:1px solid var(--line);border-radius:14px;margin-top:14px;min-height:52px}
.bad{color:var(--bad)}
a{color:var(--accent);font-weight:600}
.hint{margin:6px 2px 0}
.say{border-radius:14px;padding:12px 16px;margin:16px 0 0;background:var(--goodbg);color:var(--good);overflow-wrap:anywhere}
.say:empty{display:none}
.say.no{background:var(--badbg);color:var(--bad)}
ul{list-style:none;margin:0;padding:0}
li+li,.rule{border-top:1px solid var(--line)}
`;

/**
 * Written for the browsers of old phones' sheets too: no newer syntax than of 2017. A certificate goes on one line: in JSON each line end is another
 * character, and a device takes 2 KiB.
 */
const SCRIPT = `
const $ = id => document.getElementById(id);
const fill = (text, values) => text.replace(/{([a-z]+)}/g, (all, key) => key in values ? values[key] : all);
const put = (id, text) => { $(id).textContent = text; };
const add = (parent, tag, props) => parent.appendChild(Object.assign(document.createElement(tag), props));
const pause = ms => new Promise(done => setTimeout(done, ms));
const note = (id, text, bad) => { put(id, text); $(id).className = bad ? "say no" : "say"; };
const suggest = () => Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte, i) => (i && i % 4 === 0 ? "-" : "") + "abcdefghjkmnpqrstuvwxyz23456789"[byte % 31]).join("");

async function certificate(file, pasted) {
  const text = file ? String.fromCharCode(...new Uint8Array(await new Response(file).arrayBuffer()).slice(0, 8000)) : pasted;
  return file && text[0] === "0" ? btoa(text) : text.trim().replace(/\\s+/g, " ");
}

async function call(method, path, body, by) {
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), 6000);
  try {
    const options = { method, cache: "no-store", headers: {}, signal: abort.signal };
    if (by) options.headers.authorization = by;
    if (body) {
      options.headers["content-type"] = "application/json";
      options.body = JSON.stringify(body);
    }
    const answer = await fetch(path, options);
    return { status: answer.status, value: await answer.json(), asked: answer.headers.get("www-authenticate") };
  } finally {
    clearTimeout(timer);
  }
}

`;

/** A whole page. It is built once, when its module loads: preloaded on the device it is in flash and costs no RAM. */
export const pageOf = (page: {
  readonly title: string;
  readonly style: string;
  readonly markup: string;
  readonly strings: object;
  readonly script: string;
}): string =>
  `<!doctype html><html lang="${text.language}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1,viewport-fit=cover"><meta name="color-scheme" content="light dark"><title>${page.title}</title><link rel="icon" href="data:,"><style>${(STYLE + page.style).replace(/\n/g, "")}</style></head><body>${asciiMarkup(page.markup)}<script>const T=${asciiScript(JSON.stringify(page.strings))};${squeeze(SCRIPT + page.script)}</script></body></html>`;
