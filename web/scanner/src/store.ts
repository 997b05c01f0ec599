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
const TORN = "aidpass-was-full"; // the mark that a write found no room, until the log is turned

/** Full: the browser has no room; nothing was written. */
export class Full extends Error {}

export class Store {
  private gone = false; // the browser has closed the connection
  private own: Uint8Array[] | null = null; // the journal as it was last read or written

  private constructor(private db: IDBDatabase) { this.hold(db); }

  static async open(): Promise<Store> {
    return new Store(await Store.connect().catch((e) => { throw localStorage.getItem(TORN) ? new Full() : e; }));
  }

  private static connect(): Promise<IDBDatabase> {
    return new Promise((done, fail) => {
      const r = indexedDB.open(NAME, VERSION);
      r.onupgradeneeded = () => {
        r.result.createObjectStore("kept");
        r.result.createObjectStore("journal"); // by sequence, from 1
        r.result.createObjectStore("others", { autoIncrement: true }); // journals of other tables
      };
      r.onsuccess = () => done(r.result);
      r.onerror = () => fail(r.error);
      r.onblocked = () => fail(new Error("store: blocked by another page"));
    });
  }

  private hold(db: IDBDatabase) {
    this.db = db;
    this.gone = false;
    db.onclose = () => { if (this.db === db) this.gone = true; };
  }

  /**
   * begin starts a transaction, on a new connection where the browser has closed the
   * old one: Chromium does, without a word, when the disk below it is full, and opens
   * none until there is room. What was open before and does not open lacks room. Where
   * there is room to open and none to write, cards are still judged by what is read.
   */
  private async begin(stores: string[], mode: IDBTransactionMode): Promise<IDBTransaction> {
    const start = () => this.db.transaction(stores, mode, { durability: mode === "readwrite" ? "strict" : "default" });
    const torn = () => mode === "readwrite" && localStorage.getItem(TORN);
    try {
      if (!this.gone && !torn()) return start();
    } catch (e) {
      if ((e as DOMException).name !== "InvalidStateError") throw e; // it is about to close
      this.gone = true;
    }
    if (this.gone) {
      localStorage.setItem(TORN, "1");
      await Store.connect().then((db) => this.hold(db), () => { throw new Full(); });
    }
    if (torn()) await this.turn().catch((e) => { this.db.close(); this.gone = true; throw e; });
    return start();
  }

  /**
   * turn makes Chromium begin a new log below its database, by more than a log holds.
   * A write that found no room leaves half a record at the end of the old one; what is
   * written behind that is taken for damage at the next start, and all of it thrown away.
   */
  private async turn() {
    const chunk = 60_000; // larger values are kept outside the log
    const all = (act: (kept: IDBObjectStore, key: string) => void) => new Promise<void>((done, fail) => {
      const tx = this.db.transaction("kept", "readwrite", { durability: "strict" });
      tx.oncomplete = () => done();
      tx.onabort = () => fail(new Full());
      for (let i = 0; i < LOG / chunk; i++) act(tx.objectStore("kept"), `turn-${i}`);
    });
    await all((kept, key) => kept.put(new Uint8Array(chunk), key));
    await all((kept, key) => kept.delete(key));
    localStorage.removeItem(TORN);
  }

  get<K extends keyof Kept>(key: K): Promise<Kept[K] | undefined> {
    return this.read((tx) => tx.objectStore("kept").get(key), "kept");
  }

  /** put keeps all of values, or nothing. */
  put(values: Partial<Kept>): Promise<void> {
    return this.write(["kept"], (tx) => {
      for (const [k, v] of Object.entries(values)) tx.objectStore("kept").put(v, k);
    });
  }

  /** append adds one record and what is kept after it. A sequence that stands already is an error. */
  async append(sequence: number, record: Uint8Array, values: Partial<Kept>): Promise<void> {
    await this.write(["journal", "kept"], (tx) => {
      tx.objectStore("journal").add(record, sequence);
      for (const [k, v] of Object.entries(values)) tx.objectStore("kept").put(v, k);
    });
    this.own?.push(record);
  }

  /** records are those of the own journal, in order. */
  records(from = 1): Promise<Uint8Array[]> { return this.read((tx) => tx.objectStore("journal").getAll(IDBKeyRange.lowerBound(from)), "journal"); }

  /** journal is the whole file; from a full phone, that does not even read, what was last known to stand there. */
  async journal(): Promise<Uint8Array> {
    const records = await this.records().catch((e) => { if (e instanceof Full && this.own) return this.own; throw e; });
    this.own = records;
    const file = new Uint8Array(records.reduce((n, r) => n + r.length, 0));
    let at = 0;
    for (const r of records) { file.set(r, at); at += r.length; }
    return file;
  }

  others(): Promise<Uint8Array[]> { return this.read((tx) => tx.objectStore("others").getAll(), "others"); }
  /** addOthers keeps what was heard of other tables: of each the newest, of a copied one every branch. */
  addOthers(journals: Heard[]): Promise<void> {
    return this.write(["others"], (tx) => {
      const others = tx.objectStore("others");
      for (const j of journals) {
        if (j.former) others.delete(j.former);
        others.put(j.file, j.name);
      }
    });
  }

  /** wipe leaves nothing behind. */
  async wipe() {
    this.db.close();
    localStorage.clear();
    await new Promise<void>((done, fail) => {
      const r = indexedDB.deleteDatabase(NAME);
      r.onsuccess = () => done();
      r.onerror = () => fail(r.error);
      r.onblocked = () => fail(new Error("store: blocked by another page"));
    });
  }

  private async read<T>(ask: (tx: IDBTransaction) => IDBRequest<T>, store: string): Promise<T> {
    const tx = await this.begin([store], "readonly");
    return new Promise((done, fail) => {
      const r = ask(tx);
      r.onsuccess = () => done(r.result);
      r.onerror = () => fail(r.error);
    });
  }

  private async write(stores: string[], act: (tx: IDBTransaction) => void): Promise<void> {
    const tx = await this.begin(stores, "readwrite");
    return new Promise((done, fail) => {
      tx.oncomplete = () => done();
      tx.onabort = () => {
        // The browser's own failure may have left half a record; the next start may come before the next write.
        if (tx.error && tx.error.name !== "ConstraintError") localStorage.setItem(TORN, "1");
        fail(tx.error?.name === "QuotaExceededError" ? new Full() : tx.error ?? new Error("store: aborted"));
      };
      try {
        act(tx);
      } catch (e) {
        tx.abort();
        fail((e as DOMException).name === "QuotaExceededError" ? new Full() : e);
      }
    });
  }
}

/** The mark outside the database by which a cleared one is noticed. */
const MARK = "aidpass-enrolled";
export const mark = (kid: string) => localStorage.setItem(MARK, kid);
export const marked = () => localStorage.getItem(MARK);
