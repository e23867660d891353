// How a page proves the owner's token without sending it: the script's side of firmware/core/local/challenge.ts. A page over plain HTTP has no
// crypto.subtle, so SHA-256 (FIPS 180-4), HMAC (RFC 2104) and PBKDF2 (RFC 8018) stand here. The key takes a browser a tenth of a second, once.

export const PROOF_SCRIPT = `
const first = [], rounds = [];
for (let n = 2; rounds.length < 64; n++) {
  let part = 2;
  while (n % part) part++;
  if (part < n) continue;
  if (first.length < 8) first.push(Math.sqrt(n) * 4294967296 | 0);
  rounds.push(Math.cbrt(n) * 4294967296 | 0);
}
const turn = (x, by) => x >>> by | x << 32 - by;

function sha256(bytes) {
  const size = bytes.length, all = new Uint8Array((size + 72 >> 6) << 6), view = new DataView(all.buffer), state = Int32Array.from(first), w = new Int32Array(64);
  all.set(bytes);
  all[size] = 128;
  view.setUint32(all.length - 4, size * 8);
  for (let at = 0; at < all.length; at += 64) {
    let [a, b, c, d, e, f, g, h] = state;
    for (let i = 0; i < 64; i++) {
      if (i < 16) w[i] = view.getInt32(at + i * 4);
      else {
        const x = w[i - 15], y = w[i - 2];
        w[i] = w[i - 16] + w[i - 7] + (turn(x, 7) ^ turn(x, 18) ^ x >>> 3) + (turn(y, 17) ^ turn(y, 19) ^ y >>> 10);
      }
      const t = h + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + (e & f ^ ~e & g) + rounds[i] + w[i] | 0;
      const u = (turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + (a & b ^ a & c ^ b & c);
      h = g;
      g = f;
      f = e;
      e = d + t | 0;
      d = c;
      c = b;
      b = a;
      a = t + u | 0;
    }
    [a, b, c, d, e, f, g, h].forEach((x, i) => state[i] += x);
  }
  state.forEach((x, i) => view.setInt32(i * 4, x));
  return all.slice(0, 32);
}

const hex = bytes => Array.from(bytes, byte => (byte + 256).toString(16).slice(1)).join("");
const utf8 = text => Uint8Array.from(unescape(encodeURIComponent(text)), one => one.charCodeAt());
const joined = (a, b) => {
  const all = new Uint8Array(a.length + b.length);
  all.set(a);
  all.set(b, a.length);
  return all;
};
function hmac(key, message) {
  const pad = byte => Uint8Array.from({ length: 64 }, (_, i) => key[i] ^ byte);
  return sha256(joined(pad(92), sha256(joined(pad(54), message))));
}

let derived = [];
function keyOf(token, realm, count) {
  if (derived[0] === token) return derived[1];
  let key = utf8(token);
  if (key.length > 64) key = sha256(key);
  let block = hmac(key, joined(utf8("skyslot:" + realm), [0, 0, 0, 1]));
  const sum = block.slice();
  for (let i = 1; i < count; i++) {
    block = hmac(key, block);
    block.forEach((byte, at) => sum[at] ^= byte);
  }
  derived = [token, hex(sum)];
  return derived[1];
}

function proof(asked, method, path, digest) {
  const [, realm, nonce, count] = /realm="(.*?)".*nonce="(.*?)".*rounds=(\\d+)/.exec(asked) || [];
  if (!nonce) return "";
  const text = ["skyslot-1", nonce, method + " " + path, digest].join("\\n");
  return 'Skyslot nonce="' + nonce + '",sha256="' + digest + '",mac="' + hex(hmac(utf8(keyOf($("token").value, realm, count)), utf8(text))) + '"';
}

/** The server's answer, with a proof of the token where the device asks for one. */
async function prove(method, path, body) {
  const answer = await call(method, path, body);
  const by = answer.asked && $("token").value && proof(answer.asked, method, path, hex(sha256(utf8(body ? JSON.stringify(body) : ""))));
  return by ? call(method, path, body, by) : answer;
}

/** The header for an image that is about to be sent to this address. */
async function proofOfImage(url, path, image) {
  if (!$("token").value) return "";
  const answer = await fetch(url, { method: "POST", cache: "no-store" });
  return proof(answer.headers.get("www-authenticate"), "POST", path, hex(sha256(new Uint8Array(await new Response(image).arrayBuffer()))));
}
`;
