// How easily a password is guessed by who tries what people choose: common words, their usual spellings and endings, rows of the keyboard,
// the user's own name. It is covered with such pieces as cheaply as possible; what remains counts as chance. An estimate in bits, after the
// idea of zxcvbn (Wheeler, USENIX Security 2016), with a list that is short: it refuses the first thousands that everybody tries, not more.
//
//   password123456    [common word 9] [characters in a row 5]       14 bits: refused
//   Summer2026!       [common word 10] [year 6] [! 5]               21 bits: refused
//   correct horse battery    21 single characters                   99 bits

/** 2^28 guesses: at 0.2 s for each on a stolen hash, more than a year of a core; at the pace of the throttle, far more. */
const MIN_BITS = 28;

/** What begins with so much that is easy to guess is not worth the time that the rest takes to judge. */
const MAX_JUDGED_LENGTH = 64;

/** What a piece of a password is, in words. */
type Kind =
  | "a common word"
  | "the user's name"
  | "a repetition"
  | "characters in a row"
  | "a row of the keyboard"
  | "a year";

interface Piece {
  readonly kind: Kind | undefined;
  readonly start: number;
  readonly bits: number;
}

/** Why a password is easy to guess, as a sentence that repeats no part of it; `undefined`: it is not. */
export function findGuessable(password: string, userName: string): string | undefined {
  const { bits, kinds } = cover(password.normalize("NFKC").slice(0, MAX_JUDGED_LENGTH), userName);
  if (bits >= MIN_BITS) return undefined;
  const of = kinds.length === 0 ? "it is too short" : `it is little more than ${joined(kinds)}`;
  return `the password is easy to guess: ${of}. Take several words that have nothing to do with each other`;
}

const joined = (words: readonly string[]): string =>
  words.length < 2 ? `${words[0]}` : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;

/** The cheapest cover: for each end, the last piece of the cheapest way to it. */
function cover(text: string, userName: string): { readonly bits: number; readonly kinds: readonly Kind[] } {
  const spellings = spellingsOf(text);
  const names = [userName.toLowerCase(), ...userName.toLowerCase().split(/[^a-z0-9]+/)].filter(
    (name) => name.length >= MIN_NAME_LENGTH,
  );
  const totals: number[] = [0];
  const lasts: Piece[] = [];
  for (let end = 1; end <= text.length; end++) {
    totals[end] = Number.POSITIVE_INFINITY;
    for (let start = Math.max(0, end - MAX_PIECE_LENGTH); start < end; start++) {
      const piece = readPiece(text, spellings, names, start, end);
      if (piece === undefined) continue;
      const total = (totals[start] as number) + piece.bits;
      if (total >= (totals[end] as number)) continue;
      totals[end] = total;
      lasts[end] = piece;
    }
  }
  const kinds: Kind[] = [];
  for (let end = text.length; end > 0; end = (lasts[end] as Piece).start) {
    const { kind } = lasts[end] as Piece;
    if (kind !== undefined) kinds.unshift(kind);
  }
  return { bits: totals[text.length] as number, kinds: [...new Set(kinds)] };
}

/** Longer repetitions and rows are pieces of this length. */
const MAX_PIECE_LENGTH = 32;
const MIN_NAME_LENGTH = 3;
const MIN_ROW_LENGTH = 3;

function readPiece(
  text: string,
  spellings: readonly string[],
  names: readonly string[],
  start: number,
  end: number,
): Piece | undefined {
  const length = end - start;
  const own = text.slice(start, end);
  const words = spellings.map((spelling) => spelling.slice(start, end));
  const piece = (kind: Kind | undefined, bits: number): Piece => ({ kind, start, bits });
  if (words.some((word) => names.includes(word))) return piece("the user's name", 3);
  if (length >= 2 && isRepeated(spellings[0] as string, start, end)) return piece("a repetition", 2);
  if (words.some((word) => COMMON.has(word))) return piece("a common word", COMMON.has(own) ? 9 : 10);
  if (length >= MIN_ROW_LENGTH && isInOrder(own)) return piece("characters in a row", 5);
  if (length > MIN_ROW_LENGTH && isOnKeyboard(own.toLowerCase())) return piece("a row of the keyboard", 6);
  if (/^(19|20)\d\d$/.test(own)) return piece("a year", 6);
  if (length === 1) return piece(undefined, /[a-z]/i.test(own) ? 4.7 : /\d/.test(own) ? 3.3 : 5);
  return undefined;
}

/** Whether a piece goes on with what is in front of it, once or several times. */
function isRepeated(text: string, start: number, end: number): boolean {
  for (let period = 1; period <= Math.min(start, end - start); period++) {
    let index = start;
    while (index < end && text[index] === text[index - period]) index++;
    if (index === end) return true;
  }
  return false;
}

/** In small letters: as it is, and with digits and signs that stand for letters replaced, `1` and `!` by either of two. */
function spellingsOf(text: string): readonly string[] {
  // Not toLowerCase() of the whole, which may change its length.
  const lower = [...text].map((letter) => (/[A-Z]/.test(letter) ? letter.toLowerCase() : letter)).join("");
  const replaced = (one: string) =>
    lower.replace(/[0134578@$!]/g, (sign) => (/[1!]/.test(sign) ? one : (LETTERS[sign] ?? sign)));
  return [lower, replaced("i"), replaced("l")];
}
const LETTERS: Readonly<Record<string, string>> = Object.freeze({
  0: "o",
  3: "e",
  4: "a",
  5: "s",
  7: "t",
  8: "b",
  "@": "a",
  $: "s",
});

/** `aaaa`, `abcd`, `4321`. */
function isInOrder(text: string): boolean {
  const step = text.charCodeAt(1) - text.charCodeAt(0);
  if (Math.abs(step) > 1) return false;
  for (let index = 2; index < text.length; index++)
    if (text.charCodeAt(index) - text.charCodeAt(index - 1) !== step) return false;
  return true;
}

const KEYBOARDS = Object.freeze(
  "1234567890 !@#$%^&*() qwertyuiop asdfghjkl zxcvbnm qwertzuiop yxcvbnm azertyuiop qsdfghjklm wxcvbn 1qaz2wsx3edc4rfv5tgb6yhn 147258369".split(
    " ",
  ),
);
const isOnKeyboard = (text: string): boolean => {
  const reversed = [...text].reverse().join("");
  return KEYBOARDS.some((row) => row.includes(text) || row.includes(reversed));
};

/** What leads the lists of stolen passwords, without endings, and what stands on this server. */
const COMMON: ReadonlySet<string> = new Set(
  (
    "password passwort passwd passw pass pwd secret geheim login admin administrator root user test testing guest default changeme change " +
    "letmein welcome willkommen hallo hello qwerty qwertz azerty abc123 iloveyou loveyou love lovely princess prinzessin dragon monkey " +
    "football fussball baseball basketball soccer hockey golf sunshine shadow master superman batman spiderman starwars pokemon pikachu " +
    "trustno michael jennifer jordan daniel thomas robert george charlie andrew joshua matthew jessica ashley michelle nicole hannah anthony " +
    "william amanda samantha maggie buster harley ranger hunter tigger killer pepper ginger cookie banana cheese chocolate butterfly flower " +
    "summer sommer winter spring autumn herbst january february march april may june july august september october november december " +
    "monday tuesday wednesday thursday friday saturday sunday freedom whatever nothing computer internet samsung google facebook apple " +
    "microsoft windows linux android arduino espressif esp32 esp8266 moddable skyslot firmware update updates device devices server ota " +
    "access access14 mustang ferrari porsche mercedes corvette yamaha liverpool chelsea arsenal barcelona madrid bayern london berlin paris " +
    "america canada germany deutschland england money diamond silver golden orange purple yellow blue green black white angel baby family " +
    "forever jesus god heaven please thank123 temp temporary public private company office system service support manager demo sample " +
    "example key token correcthorsebatterystaple thunder matrix phoenix eagle tiger lion wolf bear snoopy mickey donald bailey happy"
  ).split(" "),
);
