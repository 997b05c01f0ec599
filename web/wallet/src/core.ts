// The page's end of the wallet core (cmd/aidpass-wasm/holding says each operation).
// Every rule of the protocols, of formats and of what may be shown is the core's; the
// page fetches, signs, keeps and asks as it is told.
import { Calls, type Said } from "common/calls";

/** Reply: why is the key of the words for what somebody else did; changed: keep the wallet before anything else. */
export interface Reply extends Said { why?: string; code?: string; changed?: boolean }

export type State = "ready" | "not_yet" | "ends_on" | "ended" | "cancelled" | "suspended" | "unchecked" | "view_only" | "unproved";

export interface Card {
  id: string; issuer: string; source: string; type: string; known: "website" | "key" | "server" | "paper" | "unproved"; name: string; issuer_name: string; picture: string; colour: string;
  state: State; state_at: number; held_for: string; live: boolean; paper: boolean; copies: number; left: number; fetch: boolean; handles: string[];
}
/** Wish: what the desk was asked about a card, last: that somebody may collect with it, or no longer. */
export interface Wish { to: string; at: number; ends: boolean }
export interface Claim { name: string; label: string; value: string }

export interface Fetch { do: "fetch"; method: string; url: string; accept: string; type: string; bearer: string; body: Uint8Array | null; max: number }
export interface Offered {
  do: "ask"; issuer: string; issuer_name: string; can: { id: string; name: string; picture: string }[]; cannot: string[];
  code: { numeric: boolean; length: number; description: string } | null; again: boolean; sign_in: boolean; must_sign_in: boolean;
}
export interface Asked { do: "consent"; who: { client_id: string; how: "certificate" | "website" | "key" | "address"; name: string; calls: string }; purpose: string; purpose_lang: string; to: string; sealed: boolean }
export type Step = Fetch | Offered | Asked | { do: "visit"; url: string } | { do: "keys"; count: number } | { do: "sign"; sign: { handle: string; bytes: Uint8Array }[] }
  | { do: "wait"; until: number } | { do: "chain" } | { do: "done"; redirect?: string };

export interface Option { card: string; form: number; always: string[]; ways: { claims: string[] }[]; again: boolean; left: number }
export interface Want { id: string; required: boolean; options: Option[] }
export interface Pick { want: string; card: string; form: number; way: number }
export interface Choices extends Reply { possible: boolean; wants: Want[]; sets: { optional: boolean; options: string[][] }[] | null; least: Pick[] }

export interface Event { at: number; kind: string; who: string; name: string; how: string; for: string; cards: string[]; claims: string[] }
export type Kind = "offer" | "request" | "card" | "handover" | "challenge" | "other";

export class Core extends Calls {
  fresh() { return this.ask<Reply>("new"); }
  open(wallet: Uint8Array) { return this.ask<Reply>("open", wallet); }
  wallet() { return this.ask<Reply & { wallet: Uint8Array }>("wallet"); }
  kind(text: string) { return this.ask<Reply & { kind: Kind }>("kind", text); }
  development(on: boolean) { return this.ask<Reply>("development", on); }
  forget() { return this.ask<Reply>("forget"); }

  cards(at: number, lang: string) { return this.ask<Reply & { cards: Card[] }>("cards", at, lang); }
  card(id: string, at: number, lang: string) { return this.ask<Reply & { card: Card; claims: Claim[]; wish: Wish | null }>("card", id, at, lang); }
  paper(text: string, name: string, at: number) { return this.ask<Reply & { id: string }>("paper", text, name, at); }
  show(id: string, at: number) { return this.ask<Reply & { text: string }>("show", id, at); }
  remove(id: string, at: number) { return this.ask<Reply & { handles: string[] }>("remove", id, at); }
  log() { return this.ask<Reply & { events: Event[] }>("log"); }
  lists() { return this.ask<Reply & { lists: { issuer: string; uri: string; keys: string }[] }>("lists"); }
  unproved() { return this.ask<Reply & { issuers: { issuer: string; keys: string }[] }>("unproved"); }
  keyset(issuer: string, keys: Uint8Array) { return this.ask<Reply & { uri: string }>("keyset", issuer, keys); }
  prove(issuer: string, keys: Uint8Array) { return this.ask<Reply & { proved: number; handles: string[] }>("prove", issuer, keys); }
  lookup(issuer: string, uri: string, token: Uint8Array, keys: Uint8Array, at: number) { return this.ask<Reply>("lookup", issuer, uri, token, keys, at); }

  begin(flow: Flow, text: string, lang: string) { return this.ask<Reply>(flow, text, lang); }
  resume(state: Uint8Array, lang: string) { return this.ask<Reply>("offer_resume", state, lang); }
  state() { return this.ask<Reply & { state: Uint8Array }>("offer_state"); }
  step(flow: Flow, at: number) { return this.ask<Reply & Step>(`${flow}_next`, at); }
  taken(flow: Flow, status: number, type: string, body: Uint8Array, at: number) { return this.ask<Reply>(`${flow}_take`, status, type, body, at); }
  signed(flow: Flow, signatures: Uint8Array[]) { return this.ask<Reply>(`${flow}_signed`, signatures); }
  agree(ids: string[], code: string, back: string) { return this.ask<Reply>("offer_agree", ids, code, 0, back); }
  callback(query: string) { return this.ask<Reply>("offer_callback", query); }
  keys(points: Uint8Array[]) { return this.ask<Reply & { handles: string[] }>("offer_keys", points); }
  received(replaces: string, at: number) { return this.ask<Reply & { ids: string[]; handles: string[] }>("offer_keep", replaces, at); }
  chain() { return this.ask<Reply>("ask_chain", "", false); } // a browser tells no page which roots it trusts
  choices(at: number) { return this.ask<Choices>("ask_choices", at); }
  answer(picks: Pick[], at: number) { return this.ask<Reply>("ask_answer", picks, at); }
  refuse(at: number) { return this.ask<Reply>("ask_refuse", at); }

  challenge(text: string) { return this.ask<Reply & { organisation: string; site: string }>("challenge", text); }
  live(id: string, challenge: string, at: number, again: boolean) { return this.ask<Reply & { handle: string; sign: Uint8Array }>("live", id, challenge, at, again); }
  liveSigned(signature: Uint8Array, at: number) { return this.ask<Reply & { text: string }>("live_signed", signature, at); }

  words() { return this.ask<Reply & { words: string }>("words"); }
  backup(words: string, at: number) { return this.ask<Reply & { file: Uint8Array }>("backup", words, at); }
  restore(file: Uint8Array, words: string, handles: string[], at: number) { return this.ask<Reply & { lost: string[] }>("restore", file, words, handles, at); }
  handover(id: string, holder: string, to: string, at: number) { return this.ask<Reply & { text: string }>("handover", id, holder, to, at); }
  wish(id: string, to: string, ends: boolean, at: number) { return this.ask<Reply & { handle: string; sign: Uint8Array }>("wish", id, to, ends, at); }
  wishSigned(signature: Uint8Array, at: number) { return this.ask<Reply & { text: string }>("wish_signed", signature, at); }
  takeover(text: string, at: number) { return this.ask<Reply & { id: string }>("takeover", text, at); }
}

/** Flow is which of the two protocols runs: a card comes, or somebody asks. */
export type Flow = "offer" | "ask";
