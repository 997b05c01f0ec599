// What the phone keeps, in IndexedDB. A record is in the journal when the strict
// transaction that adds it has completed, and not a moment before.

import type { Heard } from "./core";

const NAME = "aidpass-scanner", VERSION = 1;

export interface Kept {
  pack: Uint8Array; state: Uint8Array; keys: Keys; settings: Settings; shift: Shift | null; exported: number; pin: PIN; oldLists: OldLists | null;
  certificate: Uint8Array; name: string;
  updates: Uint8Array; // status lists that came alone, newer than the pack's
  voices: Voices;
  copied: boolean; // another device has this one's memory
}
export interface Keys { sign: CryptoKey; agree: CryptoKey; point: Uint8Array }
export interface Settings { lang: string; sound: boolean; lowPower: boolean; camera: string }
/** Shift: until is the end of the badge that opened it; without a badge it has none. */
export interface Shift { staff: string; opened: number; first: number; until?: number; lead?: boolean }
/** Voice is a word that somebody has spoken; Voices are by "language/word". */
export interface Voice { type: string; bytes: Uint8Array }
export type Voices = Record<string, Voice>;
export interface PIN { salt: Uint8Array; hash: Uint8Array; failures: number; until: number }

/** OldLists is the site's one-time decision, and the pack it was taken on: another one needs newer lists. */
export interface OldLists { reason: string; lead: string; second: string; ceiling: string; from: number; until: number; pack: number }

const LOG = 6e6; // bytes; Chromium begins a new log at 4 MiB
const ROOM = 1e6; // bytes; below that the disk may end in the middle of a write
const TORN = "aidpass-was-full"; // the mark that a write found no room, until the log is turned

/** Full: the browser has no room; nothing was written. */
export class Full extends Error {}

/** lacksRoom is true of the browser's share that is used up, and of the disk below it, which Chromium tells in words alone. */
const lacksRoom = (e: DOMException | null) => e?.name === "QuotaExceededError" || !!e?.message.includes("NO_SPACE");

const STORES = ["kept", "journal", "others"] as const; // journal by sequence, from 1; others are journals of other tables
type Place = (typeof STORES)[number];
/** Change is a value under a key, or, undefined, nothing any more. */
type Change = [place: Place, key: IDBValidKey, value: unknown];

/**
 * A Store knows all that it keeps, and reads it no second time: a full disk is not even
 * readable, and Chromium throws a database away whose log it finds damaged. What is
 * known is put back then.
 */
export class Store {
  private gone = false; // the browser has closed the connection
  private fresh = false; // and the database was an empty one when it was opened again
  private last: Promise<unknown> = Promise.resolve();
  private known: Record<Place, Map<IDBValidKey, unknown>> = { kept: new Map(), journal: new Map(), others: new Map() };

  private constructor(private db: IDBDatabase | null) {}

  static async open(): Promise<Store> {
    const s = new Store(null);
    await s.connect().catch((e) => { throw localStorage.getItem(TORN) ? new Full() : e; });
    s.fresh = false;
    await s.load();
    return s;
  }

  private async connect(): Promise<void> {
    const db = await new Promise<IDBDatabase>((done, fail) => {
      const r = indexedDB.open(NAME, VERSION);
      r.onupgradeneeded = () => {
        for (const place of STORES) r.result.createObjectStore(place, place === "others" ? { autoIncrement: true } : {});
        this.fresh = true;
      };
      r.onsuccess = () => done(r.result);
      r.onerror = () => fail(r.error);
      r.onblocked = () => fail(new Error("store: blocked by another page"));
    });
    this.db = db;
    this.gone = false;
    db.onclose = () => { if (this.db === db) this.gone = true; };
  }

  /** load reads all there is. */
  private load(): Promise<void> {
    return new Promise((done, fail) => {
      const tx = this.db!.transaction(STORES, "readonly");
      const known = STORES.map((place) => [tx.objectStore(place).getAllKeys(), tx.objectStore(place).getAll()] as const);
      tx.onabort = () => fail(tx.error ?? new Error("store: aborted"));
      tx.oncomplete = () => {
        STORES.forEach((place, i) => { this.known[place] = new Map(known[i]![0].result.map((k, n) => [k, known[i]![1].result[n]])); });
        done();
      };
    });
  }

  /**
   * begin starts a transaction that writes, on a new connection where the browser has
   * closed the old one: Chromium does, without a word, when the disk below it is full,
   * and opens none until there is room. What was open before and does not open lacks room.
   */
  private async begin(places: readonly Place[]): Promise<IDBTransaction> {
    const start = () => this.db!.transaction(places, "readwrite", { durability: "strict" });
    const { quota = Infinity, usage = 0 } = (await navigator.storage.estimate?.()) ?? {};
    if (quota - usage < ROOM) throw new Full();
    try {
      if (!this.gone && !localStorage.getItem(TORN)) return start();
    } catch (e) {
      if ((e as DOMException).name !== "InvalidStateError") throw e; // it is about to close
      this.gone = true;
    }
    if (this.gone) {
      if (!this.db) throw new Error("store: wiped");
      localStorage.setItem(TORN, "1");
      await this.connect().catch(() => { throw new Full(); });
    }
    try {
      await this.turn();
      if (this.fresh) await this.change(start, STORES.flatMap((place) => [...this.known[place]].map(([k, v]): Change => [place, k, v])));
      this.fresh = false;
    } catch {
      this.db?.close();
      this.gone = true;
      throw new Full();
    }
    return start();
  }

  /**
   * turn makes Chromium begin a new log below its database, by more than a log holds.
   * A write that found no room leaves half a record at the end of the old one; what is
   * written behind that is taken for damage at the next start, and all of it thrown away.
   */
  private async turn() {
    const start = () => this.db!.transaction(["kept"], "readwrite", { durability: "strict" });
    const all = (value?: Uint8Array) => this.change(start, Array.from({ length: LOG / 60_000 }, (_, i): Change => ["kept", `turn-${i}`, value]));
    await all(new Uint8Array(60_000)); // larger values are kept outside the log
    await all();
    localStorage.removeItem(TORN);
  }

  async get<K extends keyof Kept>(key: K): Promise<Kept[K] | undefined> { return this.known.kept.get(key) as Kept[K] | undefined; }

  /** put keeps all of values, or nothing. */
  put(values: Partial<Kept>): Promise<void> {
    return this.write(Object.entries(values).map(([k, v]): Change => ["kept", k, v]));
  }

  /** append adds one record and what is kept after it. A sequence that stands already is an error. */
  append(sequence: number, record: Uint8Array, values: Partial<Kept>): Promise<void> {
    return this.write([["journal", sequence, record], ...Object.entries(values).map(([k, v]): Change => ["kept", k, v])]);
  }

  /** records are those of the own journal, in order. */
  async records(from = 1): Promise<Uint8Array[]> {
    const list: Uint8Array[] = [];
    for (let r; (r = this.known.journal.get(from)); from++) list.push(r as Uint8Array);
    return list;
  }

  /** journal is the whole file. */
  async journal(): Promise<Uint8Array> {
    const records = await this.records();
    const file = new Uint8Array(records.reduce((n, r) => n + r.length, 0));
    let at = 0;
    for (const r of records) { file.set(r, at); at += r.length; }
    return file;
  }

  async others(): Promise<Uint8Array[]> { return [...this.known.others.values()] as Uint8Array[]; }
  /** addOthers keeps what was heard of other tables: of each the newest, of a copied one every branch. */
  addOthers(journals: Heard[]): Promise<void> {
    return this.write(journals.flatMap((j): Change[] => [...(j.former ? [["others", j.former, undefined] as Change] : []), ["others", j.name, j.file]]));
  }

  /** wipe leaves nothing behind. */
  async wipe() {
    this.db?.close();
    this.db = null;
    this.gone = true;
    localStorage.clear();
    await new Promise<void>((done, fail) => {
      const r = indexedDB.deleteDatabase(NAME);
      r.onsuccess = () => done();
      r.onerror = () => fail(r.error);
      r.onblocked = () => fail(new Error("store: blocked by another page"));
    });
  }

  /** write is one at a time: a second one would put back what is known beside the first. */
  private write(changes: Change[]): Promise<void> {
    const done = this.last.then(() => this.writing(changes));
    this.last = done.catch(() => {});
    return done;
  }

  private async writing(changes: Change[]): Promise<void> {
    const tx = await this.begin([...new Set(changes.map(([place]) => place))]);
    try {
      await this.change(() => tx, changes);
    } catch (e) {
      if (!(e instanceof Full)) await this.load().catch(() => {}); // another page may have written
      throw e;
    }
    for (const [place, key, value] of changes) {
      if (value === undefined) this.known[place].delete(key);
      else this.known[place].set(key, value);
    }
  }

  /** change makes all changes, or none. */
  private change(start: () => IDBTransaction, changes: Change[]): Promise<void> {
    return new Promise((done, fail) => {
      const tx = start();
      tx.oncomplete = () => done();
      tx.onabort = () => {
        // The browser's own failure may have left half a record; the next start may come before the next write.
        if (tx.error && tx.error.name !== "ConstraintError") localStorage.setItem(TORN, "1");
        fail(lacksRoom(tx.error) ? new Full() : tx.error ?? new Error("store: aborted"));
      };
      try {
        for (const [place, key, value] of changes) {
          const s = tx.objectStore(place);
          if (value === undefined) s.delete(key);
          else if (place === "journal") s.add(value, key);
          else s.put(value, key);
        }
      } catch (e) {
        tx.abort();
        fail(lacksRoom(e as DOMException) ? new Full() : e);
      }
    });
  }
}

/** The mark outside the database by which a cleared one is noticed. */
const MARK = "aidpass-enrolled";
export const mark = (kid: string) => localStorage.setItem(MARK, kid);
export const marked = () => localStorage.getItem(MARK);
