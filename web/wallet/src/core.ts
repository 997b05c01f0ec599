// The page's end of the wallet core. Every rule of the protocols, of formats and of what
// may be shown is the core's; the page fetches, signs, keeps and asks as it is told.
//
//   open(state | null, at)      -> {ok, error}: what is kept from now on; null begins an empty wallet
//   state()                     -> {state}: to be kept after anything that changed it
//   forget()                    -> {ok}: nothing is open any more
//   cards(at, lang)             -> {cards}
//   kind(text | bytes)          -> {kind}: what was scanned, opened or typed
//   begin(text, at)             -> {ok, reason}: an offer or a request begins; the one under way ends
//   next(at, lang)              -> a Step
//   answered(status, type, body, at), agree(agreement), made(points), signed(signatures)
//                               -> {ok, reason}: the outcome of a step; no more than that one step is lost by it
//   add(file, at)               -> {ok, reason, card}: a card as text or file, not bound to a key
//   show(card, at)              -> {ok, reason, key, sign}, shown(signature) -> {text, until}: a live code; a card that is
//                                  not bound has {text} at once
//   challenge(text, at)         -> {ok, reason, who, site}: the live codes of this scan answer that desk
//   history(lang)               -> {entries}
//   backup(words), restore(file, words, at) -> {file} / {ok, reason, added}
//   words()                     -> {words}: new ones for a back-up
//   delegate(card, text, at)    -> as show: hands a card to the phone whose code was scanned
//   receiver(point, at)         -> {text}: the code by which this phone asks for such a card
//   remove(card)                -> {ok, gone}: points whose keys may go
import { Calls, type Said } from "common/calls";

export interface Reply extends Said { reason?: string }

export type Gives = "cash" | "health" | "food" | "water" | "shelter" | "school" | "person";

/** Standing is how a card stands as far as this phone knows; the desk alone decides. */
export type Standing = "ready" | "ends" | "ended" | "cancelled" | "unchecked";

export interface Card {
  id: string; title: string; issuer: string; colour: string; gives: Gives;
  standing: Standing; until?: number; since?: number; // since: when it could last be checked
  live: boolean; challenge: boolean; // shown by live codes; only to a desk whose code was scanned
  lent?: string; // in words, to or from whom
  copies: number; facts: Fact[];
}
export interface Fact { label: string; value: string }

export interface Fetch { method: string; url: string; accept: string; type: string; bearer: string; body: Uint8Array | null; max: number }

/** Offered is what an issuer would give. */
export interface Offered {
  issuer: string; host: string; cards: { id: string; title: string; gives: Gives }[]; cannot: number;
  code?: { numeric: boolean; length: number; description: string }; again: boolean;
}
/** Asked is what a verifier wants to know: each answer is one card and what would be told of it. */
export interface Asked {
  who: string; proved: "did" | "certificate" | "none"; host: string; purpose: string;
  answers: { query: string; card: string; title: string; gives: Gives; told: Told[]; others: string[] }[];
}
export interface Told { path: string; label: string; value: string; optional: boolean }

export type Step =
  | { ok: true; do: "fetch"; request: Fetch }
  | { ok: true; do: "offered"; offered: Offered }
  | { ok: true; do: "asked"; asked: Asked }
  | { ok: true; do: "keys"; keys: number }
  | { ok: true; do: "sign"; sign: { key: Uint8Array; bytes: Uint8Array }[] }
  | { ok: true; do: "wait"; until: number }
  | { ok: true; do: "done"; cards: string[]; redirect?: string; gone: Uint8Array[] }
  | { ok: false; error?: string; reason?: string };

export type Agreement = { cards: string[]; code: string } | { share: { query: string; card: string; without: string[] }[] } | { refuse: true };

export interface Entry { at: number; who: string; what: string[]; card: string; given: boolean; kind: "asked" | "shown" | "received" | "lent" }

export type Kind = "offer" | "request" | "challenge" | "card" | "backup" | "receiver" | "lent" | "none";

export class Core extends Calls {
  open(state: Uint8Array | null, at: number) { return this.ask<Reply>("open", state, at); }
  state() { return this.ask<Reply & { state: Uint8Array }>("state"); }
  forget() { return this.ask<Reply>("forget"); }
  cards(at: number, lang: string) { return this.ask<Reply & { cards: Card[] }>("cards", at, lang); }
  kind(what: string | Uint8Array) { return this.ask<Reply & { kind: Kind }>("kind", what); }
  begin(text: string, at: number) { return this.ask<Reply>("begin", text, at); }
  step(at: number, lang: string) { return this.ask<Step & Said>("next", at, lang); }
  answered(status: number, type: string, body: Uint8Array, at: number) { return this.ask<Reply>("answered", status, type, body, at); }
  agree(a: Agreement) { return this.ask<Reply>("agree", a); }
  made(points: Uint8Array[]) { return this.ask<Reply>("made", points); }
  signed(signatures: Uint8Array[]) { return this.ask<Reply>("signed", signatures); }
  add(file: string | Uint8Array, at: number) { return this.ask<Reply & { card: string }>("add", file, at); }
  show(card: string, at: number) { return this.ask<Reply & { text?: string; key?: Uint8Array; sign?: Uint8Array }>("show", card, at); }
  shown(signature: Uint8Array) { return this.ask<Reply & { text: string; until: number }>("shown", signature); }
  challenge(text: string, at: number) { return this.ask<Reply & { who: string; site: string }>("challenge", text, at); }
  history(lang: string) { return this.ask<Reply & { entries: Entry[] }>("history", lang); }
  words() { return this.ask<Reply & { words: string }>("words"); }
  backup(words: string) { return this.ask<Reply & { file: Uint8Array }>("backup", words); }
  restore(file: Uint8Array, words: string, at: number) { return this.ask<Reply & { added: number }>("restore", file, words, at); }
  delegate(card: string, to: string, at: number) { return this.ask<Reply & { key: Uint8Array; sign: Uint8Array }>("delegate", card, to, at); }
  receiver(point: Uint8Array, at: number) { return this.ask<Reply & { text: string }>("receiver", point, at); }
  remove(card: string) { return this.ask<Reply & { gone: Uint8Array[] }>("remove", card); }
}
