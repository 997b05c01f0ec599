// The page's end of the verifier. Every judgement is the core's; the page shows it.
import { Calls, type Said } from "common/calls";

export interface Reply extends Said { reason?: string; state?: Uint8Array; updates?: Uint8Array }

export interface Verdict extends Reply {
  answer: "valid" | "used" | "invalid" | "unsure" | "none";
  reason: string; reasons: string[]; word: string; shape: string; colour: string; todo: string;
  facts: number; holder: number; clock_behind: boolean; age: number | null;
  type: string | null; issuer_name: string | null; number: string | null;
  valid_from: number | null; valid_until: number | null; earlier_rest: string | null;
  [claim: `claim_${string}`]: unknown;
  // What the sealed tables tell, where they are open.
  tables: "none" | "locked" | "open"; show_for?: number; ceiling?: string; old_lists_spent?: number; next?: number;
  programme_name?: string; due?: Due[]; row?: boolean; size?: number; names?: boolean; collectors?: boolean; check?: number; photo?: "fits" | "other";
  whereabouts?: boolean; // there are some to tell a supervisor, see Core.whereabouts
  grace_until?: number; // with ok_grace: when the card ends for good
  verdict: number; // by which records are tied to it
}

/** Due is one thing that is due: a decimal, its unit, and what it is called in the language of the app. */
export interface Due { code: string; amount: string; unit: string; label: string }
export interface Given { code: string; amount: string; instead: string }
/** Numbered is the answer to a typed number; with rows it is not judged yet. */
export interface Numbered extends Reply { rows?: { programme: string; name: string; round: number }[] }

export interface Opened extends Reply { org: string; site: string; sequence: number; issued: number; expires: number; faults: string[] }
export type FileKind = "answer" | "exchange" | "receipt" | "journal" | "status" | "pack";
export interface Enrolled extends Reply {
  kid: string; words: string; certified: boolean; asks: boolean; site?: string; until?: number; ceiling?: string; overrides?: number;
  records: number; torn: boolean; good: number;
}
export interface ListAge { kind: "pack" | "trust" | "status"; name: string; uri?: string; own: boolean; as_of: number | null; age: number; next: number | null }
export interface Lists extends Reply { lists: ListAge[]; hard_floor: number; soft_floor: number; old_lists_until?: number; old_lists_ceiling?: string; old_lists_most?: number; old_lists_given?: number; old_lists_spent?: boolean; programmes: string[]; round_open: boolean; round_opens?: number; tables: Verdict["tables"]; keys: boolean }
/** Heard is another table's journal up to a record, in the place of the one named former. */
export interface Heard { name: string; former: string; file: Uint8Array }
/** A volunteer's badge that opens a shift here and now; else reason is none, organisation, signature, site or day. */
export interface Badge extends Reply { staff: string; lead: boolean; until: number; code: string }
export interface Entry { kind: number; given?: string; rest?: string; by?: number; checks?: number[]; cancels?: number; code?: string; verdict?: number; lines?: Given[] }
export interface Prepared extends Reply { sequence: number; sign: Uint8Array }
export interface Attached extends Reply { sequence: number; record: Uint8Array }
export interface Written { sequence: number; at: number; kind: number; number: string | null; given: string; rest: string; code: string; cancels: number; cancelled: boolean }

/** Holder checks, as verifier.HolderCheck numbers them. */
export const Holder = { photo: 1, pin: 2, pinRight: 4, live: 8, challenge: 16 } as const;
/** Checks that were made and kinds of records, as package visit numbers them. */
export const Check = { photo: 1, pin: 2, witness: 3, live: 4 } as const;
export const Kind = { collection: 1, partial: 2, counter: 3, note: 4 } as const;

export class Core extends Calls {
  open(pack: Uint8Array, state: Uint8Array | null, at: number, updates: Uint8Array | null = null) { return this.ask<Opened>("open", pack, state, at, updates); }
  update(pack: Uint8Array, at: number) { return this.ask<Opened>("update", pack, at); }
  device(point: Uint8Array, journal: Uint8Array, certificate: Uint8Array | null, at: number) { return this.ask<Enrolled>("device", point, journal, certificate, at); }
  request(name: string) { return this.ask<Reply & { request: Uint8Array; text: string }>("request", name); }
  kind(file: Uint8Array) { return this.ask<Reply & { kind: FileKind; point?: Uint8Array }>("kind", file); }
  answer(file: Uint8Array, secret: Uint8Array) { return this.ask<Reply & { certificate: Uint8Array; pack?: Uint8Array }>("answer", file, secret); }
  frame(text: string) { return this.ask<Reply & { frame?: boolean; have?: number; count?: number; message?: Uint8Array }>("frame", text); }
  share(journal: Uint8Array, salt: Uint8Array) { return this.ask<Reply & { file: Uint8Array }>("share", journal, salt); }
  shared(file: Uint8Array) { return this.ask<Reply & { journal: Uint8Array }>("shared", file); }
  receipt(file: Uint8Array) { return this.ask<Reply & { covers: number; copied?: boolean }>("receipt", file); }
  frames(file: Uint8Array) { return this.ask<Reply & { frames: string[]; round: number }>("frames", file); }
  status(file: Uint8Array, at: number) { return this.ask<Reply & { newer: string[] }>("status", file, at); }
  parts() { return this.ask<Reply & { file: Uint8Array }>("parts"); }
  visits(records: Uint8Array | null) { return this.ask<Reply & { records: number; torn: boolean; copied?: boolean; journals: Heard[] }>("visits", records); }
  verify(text: string, at: number, again = 0) { return this.ask<Verdict>("verify", text, at, true, again); }
  pin(text: string, at: number, pin: string, again: number) { return this.ask<Verdict>("pin", text, at, pin, true, again); }
  number(typed: string, at: number, pick: number) { return this.ask<Verdict & Numbered>("number", typed, at, pick); }
  names(at: number, verdict: number) { return this.ask<Reply & { names: string[]; collectors: string[] }>("names", at, verdict); }
  whereabouts(at: number, verdict: number) { return this.ask<Reply & { site: string; when?: number; sites: string[] }>("whereabouts", at, verdict); }
  face(at: number, verdict: number) { return this.ask<Reply & { photo: Uint8Array }>("face", at, verdict); }
  unlock(scalar: Uint8Array, code: string) { return this.ask<Reply>("unlock", scalar, code); }
  prepare(entry: Entry, at: number) { return this.ask<Prepared>("prepare", entry, at); }
  attach(signature: Uint8Array) { return this.ask<Attached>("attach", signature); }
  challenge(nonce: Uint8Array, at: number) { return this.ask<Reply & { sign: Uint8Array }>("challenge", nonce, at); }
  challenged(signature: Uint8Array) { return this.ask<Reply & { text: string }>("challenged", signature); }
  unchallenged() { return this.ask<Reply>("challenge", null); }
  records() { return this.ask<Reply & { records: Written[] }>("records"); }
  badge(text: string, at: number) { return this.ask<Badge>("badge", text, at); }
  lists(at: number) { return this.ask<Lists>("lists", at); }
  labels(lang: string) { return this.ask<Reply & Record<string, string>>("labels", lang); }
  points() { return this.ask<Reply & { points: Uint8Array[] }>("points"); }
  unseal(secrets: Uint8Array[], code: string) { return this.ask<Reply>("unseal", secrets, code); }
  lock() { return this.ask<Reply>("unlock", null, ""); }
  oldLists(decision: object | null) { return this.ask<Reply>("old_lists", decision); }
  clearClock() { return this.ask<Reply>("clear_clock"); }
  state() { return this.ask<Reply>("state"); }
  forget() { return this.ask<Reply>("forget"); }
}
