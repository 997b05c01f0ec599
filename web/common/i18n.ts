// The words of the screens. build joins web/i18n/<tag>.json with the verdict words
// of words/lang/<tag>.txt into one file a language; nothing is said from elsewhere.
import { bdi, h } from "./dom";

interface Catalogue { tag: string; name: string; rtl: boolean; texts: Record<string, string>; audio: Record<string, string> }

declare const LANGUAGES: { tag: string; name: string }[];
export const languages = LANGUAGES;

let spoken: Catalogue = { tag: "en", name: "English", rtl: false, texts: {}, audio: {} };

/** speak loads a language and turns the page its way. */
export async function speak(tag: string) {
  const known = languages.some((l) => l.tag === tag) ? tag : languages[0].tag;
  spoken = await (await fetch(`lang/${known}.json`)).json();
  document.documentElement.lang = spoken.tag;
  document.documentElement.dir = spoken.rtl ? "rtl" : "ltr";
  document.title = text("app.title");
}

export const tag = () => spoken.tag;
export const clip = (word: string) => spoken.audio[word];

type Values = Record<string, string | number>;

/** t is a sentence with each value isolated. */
export function t(key: string, values: Values = {}): DocumentFragment {
  const f = document.createDocumentFragment();
  for (const piece of (spoken.texts[key] ?? key).split(/(\{\w+\})/)) {
    const name = /^\{(\w+)\}$/.exec(piece)?.[1];
    if (name !== undefined && name in values) f.appendChild(bdi(say(values[name])));
    else if (piece) f.appendChild(document.createTextNode(piece));
  }
  return f;
}

/** text is t where only plain text goes: titles and labels. */
export const text = (key: string, values: Values = {}) =>
  (spoken.texts[key] ?? key).replace(/\{(\w+)\}/g, (all, name) => (name in values ? `\u2068${say(values[name])}\u2069` : all));

export const has = (key: string) => key in spoken.texts;

const say = (v: string | number) => (typeof v === "number" ? new Intl.NumberFormat(spoken.tag, { maximumFractionDigits: 6 }).format(v) : v);
/** decimal is a number as it is typed here, as the core reads it: plain digits and a point. */
export const decimal = (s: string) => {
  const point = new Intl.NumberFormat(spoken.tag).formatToParts(1.5).find((p) => p.type === "decimal")!.value;
  return s.replace(/\s/g, "").replace(point, ".").replace("\u066b", ".").replace(/[\u0660-\u0669\u06f0-\u06f9]/g, (d) => String(d.charCodeAt(0) & 15));
};
export const number = (n: number) => bdi(say(n));
export const date = (seconds: number) => bdi(new Intl.DateTimeFormat(spoken.tag, { day: "numeric", month: "long", year: "numeric" }).format(seconds * 1000));
/** day is a day that a card names, as 2026-11-27: the same everywhere. */
export const day = (d: string) => bdi(new Intl.DateTimeFormat(spoken.tag, { day: "numeric", month: "long", year: "numeric", timeZone: "UTC" }).format(Date.parse(d)));
export const clock = (seconds: number) => bdi(new Intl.DateTimeFormat(spoken.tag, { timeStyle: "short" }).format(seconds * 1000));
export const moment = (seconds: number) =>
  bdi(new Intl.DateTimeFormat(spoken.tag, { dateStyle: "medium", timeStyle: "short" }).format(seconds * 1000));

/** cardNumber is a card's number as it is printed: groups of four, always from the left. The core takes it however it is typed. */
export const cardNumber = (n: string) => h("bdi", { class: "number", dir: "ltr" }, n.replace(/(.{4})(?=.)/g, "$1-"));

/** age is in the largest unit that leaves two of it, as words.Catalogue.Age says it. */
export function age(seconds: number): DocumentFragment {
  const [m, hour, d] = [60, 3600, 86400];
  if (seconds < 0) return t("age.unknown");
  if (seconds < 2 * m) return t("age.now");
  if (seconds < 2 * hour) return t("age.minutes", { n: Math.floor(seconds / m) });
  if (seconds < 2 * d) return t("age.hours", { n: Math.floor(seconds / hour) });
  return t("age.days", { n: Math.floor(seconds / d) });
}
