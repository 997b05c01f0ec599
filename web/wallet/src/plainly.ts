// What stands on a card and in the history, for people: words of the catalogue for codes,
// a website for a name that only machines read, and that name where she looks for it.
import { bdi, h, type Child } from "common/dom";
import { has, t, tag, text } from "common/i18n";
import type { Card, Claim } from "./core";

const types = ["eligibility", "registration", "referral", "delegation", "receipt"];

/** place is the website in an identifier or an address; "" for a key, which is nowhere. */
export function place(id: string): string {
  const name = id.replace(/^(decentralized_identifier|redirect_uri|x509_san_dns|openid_federation):/, "");
  if (name.startsWith("did:web:")) return decodeURIComponent(name.split(":")[2]);
  if (name.startsWith("did:") || /^x509_hash:/.test(name)) return "";
  return name.replace(/^https?:\/\//, "").split("/")[0];
}

/** issuer is an organisation as it calls itself, else where it or its card comes from. */
export const issuer = (c: Card) => c.issuer_name || place(c.issuer) || place(c.source) || text("wallet.nobody");

/** other is who stands on the other side of an event: a person's own word for somebody stays as it is. */
export const other = (who: string, name: string) => (name && who.startsWith("decentralized_identifier:did:web:") ? place(name) : name) || (who.includes(":") ? place(who) : who);

/** machines is true for a name that nobody reads. */
export const machines = (id: string) => place(id) !== id && id.includes(":");

/** details holds what only somebody who looks closer wants: names of keys, addresses. */
export const details = (...lines: string[]): Child => {
  const known = [...new Set(lines)].filter(Boolean);
  return known.length ? h("details", { class: "more" }, h("summary", {}, t("verdict.details")), known.map((l) => h("p", {}, h("bdi", { dir: "ltr" }, l)))) : null;
};

/** labelled is what a claim is called: the issuer's word in her language, else the catalogue's. */
export function labelled(name: string, label = name, type = ""): string {
  if (label !== name) return label;
  const own = [type, ...types].map((x) => `type.${x}.${name}`).find(has);
  return own ? text(own) : name;
}

/** valued is a claim's value; a code that the catalogue has words for is said in them. */
export function valued(f: Claim, type: string): Child {
  const key = `type.${type}.${f.name}=${f.value}`;
  return has(key) ? t(key) : bdi(f.value);
}

/** telling leaves out what says nothing: that nobody else may collect is the rule, and a pseudonym is for scanners. */
export const telling = (f: Claim) => f.name !== "for" && !(f.name === "collector_rule" && f.value === "holder_only");

/** comma stands between the parts of a list. */
export const comma = () => (tag() === "ar" ? "، " : ", ");

/** language is a language's name in the app's own. */
export const language = (of: string) => new Intl.DisplayNames([tag()], { type: "language", fallback: "code" }).of(of) ?? of;
