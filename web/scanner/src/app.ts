// What every screen works with: the core, the store, the camera, and what the phone
// is set up as.
import { Camera, Reader } from "common/camera";
import { Core, Holder, Kind, type Enrolled, type Entry, type Lists, type Opened, type Verdict } from "./core";
import { useVoices } from "./feedback";
import { has, speak, text } from "common/i18n";
import { agree, newKeys, sign } from "./key";
import { Full, mark, marked, Store, type Keys, type Kept, type PIN, type Settings, type Shift } from "./store";

/** Refused: the core did not take an entry; reason says which sentence tells why. */
export class Refused extends Error {
  constructor(public reason: string, message?: string) { super(message); }
}

export const now = () => Math.floor(Date.now() / 1000);

/** Codes of the notes that a shift begins and ends with. */
const SHIFTS = ["shift_open", "shift_close"];

/** A phone may be this many seconds behind the laptop that has just made its pack: the core judges cards at both times. */
const CLOCK_SLACK = 600;

/** Why the app cannot go on; each is a screen of its own. */
export type Stop = "evicted" | "storage" | "full" | "twice" | "core" | "memory" | "clock" | "insecure" | "copied";

export class App {
  core: Core;
  reader = new Reader();
  camera: Camera;
  store!: Store;
  settings: Settings = { lang: "en", sound: true, lowPower: false, camera: "" };
  keys: Keys | undefined;
  pack: Opened | undefined;
  device: Enrolled | undefined;
  shift: Shift | null = null;
  exported = 0;
  pin: PIN | undefined;
  name = ""; // what people call this phone
  labels: Record<string, string> = {};
  persisted = true;
  copied = false; // another device has this one's memory: nothing is recorded any more
  offline: "kept" | "no" = "no"; // whether the app itself is on the phone
  practice = false;
  recorded = () => {}; // told after each record
  private shifts: number[] = []; // sequences of the records that a shift opened or closed
  door: { to: string; until: number } | null = null; // what the supervisor's PIN has opened, and how long
  unlocked = false; // sealed facts are open
  private opening: { code: string; badge: string } | null = null; // what opened them, no longer than they are open
  used = Date.now(); // when somebody last did something
  own: Core; // that of this phone; core is another one in practice
  demoAt = 0; // the time of practice
  private asking = false; // a phone was asked for a live code

  constructor(public stopped: (why: Stop) => void) {
    this.core = this.own = this.newCore();
    this.camera = new Camera(this.reader, document.createElement("video"));
    this.camera.video.setAttribute("playsinline", "");
    this.camera.video.muted = true;
  }

  /** newCore starts a verifier; one that cannot start or dies stops the app. */
  newCore() { return new Core((why) => this.stopped(/memory|allocat|RangeError/i.test(why) ? "memory" : "core")); }

  /** load opens everything that is kept. Null: go on; else the screen to show. */
  async load(): Promise<Stop | null> {
    const opening = Store.open();
    opening.catch(() => {}); // looked at below
    this.settings.lang = document.documentElement.lang;
    if (!window.isSecureContext || !crypto.subtle) return "insecure";
    try {
      this.store = await opening;
      this.settings = { ...this.settings, ...(await this.store.get("settings")) };
      this.keys = await this.store.get("keys");
      this.shift = (await this.store.get("shift")) ?? null;
      this.exported = (await this.store.get("exported")) ?? 0;
      this.pin = await this.store.get("pin");
      this.name = (await this.store.get("name")) ?? "";
      useVoices((await this.store.get("voices")) ?? {});
      this.copied = (await this.store.get("copied")) ?? false;
    } catch (e) {
      return e instanceof Full ? "full" : "storage";
    }
    if (this.settings.lang !== document.documentElement.lang) await speak(this.settings.lang);
    if (!this.keys && marked()) return "evicted";
    this.persisted = (await navigator.storage?.persisted?.()) ?? false;
    return this.reopen();
  }

  /** reopen gives the core what is stored: at the start, and after a write that failed. */
  async reopen(): Promise<Stop | null> {
    const [pack, state] = [await this.store.get("pack"), await this.store.get("state")];
    this.pack = this.device = undefined;
    this.closed();
    await this.core.forget();
    if (pack) {
      const opened = await this.core.open(pack, state ?? null, now(), (await this.store.get("updates")) ?? null);
      if (opened.ok) this.pack = opened;
    }
    for (const other of await this.store.others()) await this.core.visits(other);
    const decided = await this.store.get("oldLists");
    await this.core.oldLists(decided && now() < decided.until ? decided : null);
    if (this.keys) {
      await this.introduce();
      if (!this.device!.ok) return "storage";
    }
    await this.relabel();
    return this.clockBehind();
  }

  /** introduce tells the core which device it works on, and what is written there. */
  private async introduce() {
    this.device = await this.core.device(this.keys!.point, await this.store.journal(), (await this.store.get("certificate")) ?? null, now());
    if (this.copied) this.device.certified = false;
    this.shifts = ((await this.core.records()).records ?? []).filter((r) => r.kind === Kind.note && SHIFTS.includes(r.code)).map((r) => r.sequence);
  }

  /** clockBehind: the phone's clock says a time that signed lists prove to be past. */
  async clockBehind(): Promise<Stop | null> {
    if (!this.pack) return null;
    const l = await this.core.lists(now());
    return now() + CLOCK_SLACK < l.hard_floor ? "clock" : null;
  }

  async relabel() { this.labels = this.pack ? await this.core.labels(this.settings.lang) : {}; }

  /** label names a type's claim or value: the app's own words for the embedded types, the pack's for others. */
  label(key: string, other: string) { return has(`type.${key}`) ? text(`type.${key}`) : this.labels[key] ?? other; }

  /** enrol makes the device's key, once. */
  async enrol(name: string) {
    this.persisted = (await navigator.storage?.persist?.()) ?? false;
    if (!this.keys) {
      const keys = await newKeys();
      await this.store.put({ keys, name, settings: this.settings });
      this.keys = keys;
      this.name = name;
    }
    await this.introduce();
    mark(this.device!.kid);
  }

  /** update takes a pack if it is newer and whole; else the old one stays and why is said. */
  update(pack: Uint8Array): Promise<Opened> { return this.inTurn(() => this.replace(pack)); }

  private async replace(pack: Uint8Array): Promise<Opened> {
    const opened = await this.core.update(pack, now());
    if (!opened.ok) return opened;
    try {
      await this.store.put({ pack, state: opened.state!, updates: opened.updates! });
    } catch (e) {
      await this.reopen(); // the core goes back to what is stored
      return { ...opened, ok: false, reason: e instanceof Full ? "full" : "storage" };
    }
    this.pack = opened;
    const before = this.opening;
    this.closed();
    if (this.keys) await this.introduce();
    await this.relabel();
    // What opened the former lists opens these, where it still holds by them: nobody has to be fetched.
    if (before && (!before.badge || (await this.core.badge(before.badge, now())).ok)) await this.unseal(before.code, before.badge);
    return opened;
  }

  /** take takes whatever was carried here to set the phone up: a pack, or the answer to its request. */
  async take(file: Uint8Array): Promise<Opened> {
    const { kind, point } = await this.core.kind(file);
    if (kind !== "answer") return this.update(file);
    const refused = { ok: false, reason: "answer" } as Opened;
    if (!this.keys || !point) return refused;
    const [secret] = await agree(this.keys, [point]);
    const answer = await this.core.answer(file, secret);
    if (!answer.ok) return refused;
    await this.store.put({ certificate: answer.certificate });
    if (answer.pack) return this.update(answer.pack);
    await this.inTurn(() => this.introduce());
    return this.pack ?? ({ ok: false, reason: "pack_incomplete" } as Opened);
  }

  /** newer takes status lists that came alone, if they are newer: whose they are, or why none was taken. */
  newer(file: Uint8Array): Promise<{ newer: string[] } | { refused: string }> { return this.inTurn(() => this.freshen(file)); }

  private async freshen(file: Uint8Array): Promise<{ newer: string[] } | { refused: string }> {
    const done = await this.core.status(file, now());
    if (!done.ok) return { refused: done.reason ?? "" };
    if (!done.newer.length) return { newer: [] };
    try {
      await this.store.put({ state: done.state!, updates: done.updates! });
    } catch (e) {
      await this.reopen();
      return { refused: e instanceof Full ? "full" : "storage" };
    }
    return { newer: done.newer };
  }

  /** receipt takes the office's signed word: how many records it has, or null. */
  async receipt(file: Uint8Array): Promise<number | null | "copied"> {
    const done = await this.core.receipt(file);
    if (done.copied) { await this.stopCopied(); return "copied"; }
    if (!done.ok) return null;
    await this.keep({ exported: Math.max(this.exported, done.covers) });
    return done.covers;
  }

  /** stopCopied: what another device does in this one's name cannot be told apart any more. */
  private async stopCopied() {
    this.copied = true;
    if (this.device) this.device.certified = false;
    await this.keep({ copied: true, shift: null });
  }

  /** share is the own journal, sealed to the other tables of the site. */
  async share(): Promise<Uint8Array | null> {
    const done = await this.core.share(await this.store.journal(), crypto.getRandomValues(new Uint8Array(16)));
    return done.ok ? done.file : null;
  }

  /** other takes another table's journal, sealed or bare: how many records are known then, or why none. */
  async other(file: Uint8Array): Promise<number | "locked" | "sealed" | "refused" | "copied"> {
    const { kind } = await this.core.kind(file);
    if (kind === "exchange") {
      const opened = await this.core.shared(file);
      if (!opened.ok) return opened.error?.includes("code") ? "locked" : "sealed";
      file = opened.journal;
    }
    const done = await this.core.visits(file);
    if (done.copied) { await this.stopCopied(); return "copied"; }
    if (!done.ok) return "refused";
    try {
      await this.store.addOthers(done.journals);
    } catch (e) {
      await this.reopen(); // what is not kept is not known
      throw e;
    }
    return done.records;
  }

  async set(settings: Partial<Settings>) {
    this.settings = { ...this.settings, ...settings };
    localStorage.setItem("aidpass-lang", this.settings.lang);
    await this.store?.put({ settings: this.settings }).catch(() => {});
    if (settings.lang) { await speak(settings.lang); await this.relabel(); }
  }

  async keep(values: Partial<Kept>) {
    await this.store.put(values);
    this.know(values);
  }

  /** know is what the store has taken. */
  private know(values: Partial<Kept>) {
    if ("shift" in values) this.shift = values.shift ?? null;
    if (values.shift === null) void this.lock(); // whoever comes next opens them anew
    if ("pin" in values) this.pin = values.pin;
    if ("exported" in values) this.exported = values.exported!;
  }

  /** judge says what a code is worth; again is the number of the newest verdict, where that is made once more. */
  async judge(text: string, again = 0): Promise<Verdict> {
    this.used = Date.now();
    const v = await this.core.verify(text, this.clock(), again);
    // A live code counts once, also after the next start.
    if (v.holder & Holder.live) await this.keepState().catch(() => {});
    return v;
  }

  /** clock is the time that verdicts are made at, seconds. */
  clock() { return this.practice ? this.demoAt : now(); }

  /** keepState keeps what the core now remembers of wrong PINs and live codes. */
  keepState() {
    return this.inTurn(async () => {
      const { state } = await this.core.state();
      if (state && !this.practice) await this.store.put({ state });
    });
  }

  /** shiftOver: the badge that opened the shift has ended. */
  shiftOver() { return !!this.shift?.until && now() > this.shift.until; }
  shiftOpen() { return !!this.shift && !this.shiftOver(); }
  mayRecord() { return this.practice || (!!this.device?.certified && this.shiftOpen()); }

  /**
   * record signs an entry and stores it, with what goes along with it or not at all.
   * When it returns the record is on the disk; when it throws nothing was recorded.
   * One goes after another: each is chained to the one before.
   */
  record(entry: Entry, along: (sequence: number) => Partial<Kept> = () => ({})): Promise<number> {
    if (this.practice) return Promise.resolve(0);
    return this.inTurn(() => this.write(entry, along));
  }

  private last: Promise<unknown> = Promise.resolve();

  /** inTurn does what changes the journal or reads it into the core, one after another: a record half written is in neither. */
  private inTurn<T>(act: () => Promise<T>): Promise<T> {
    const done = this.last.then(act);
    this.last = done.catch(() => {});
    return done;
  }

  private async write(entry: Entry, along: (sequence: number) => Partial<Kept>): Promise<number> {
    const prepared = await this.core.prepare(entry, now());
    if (!prepared.ok) throw new Refused(prepared.reason ?? "again", prepared.error);
    const done = await this.core.attach(await sign(this.keys!, prepared.sign));
    if (!done.ok) throw new Error(done.error);
    const also = along(done.sequence);
    try {
      await this.store.append(done.sequence, done.record, { ...also, state: done.state! });
    } catch (e) {
      await this.reopen(); // the core must not remember what the disk does not
      throw e;
    }
    this.know(also);
    this.device!.records = done.sequence;
    if (entry.kind === Kind.note && SHIFTS.includes(entry.code ?? "")) this.shifts.push(done.sequence);
    this.recorded();
    return done.sequence;
  }

  /** mayAsk: this device may ask a phone for a live code. */
  mayAsk() { return !this.practice && !this.copied && !!this.device?.asks; }

  /** ask makes a challenge to a phone: the text of its code, which live codes must answer from now on until one did. Null: it could not. */
  async ask(): Promise<string | null> {
    this.asking = true;
    const prepared = await this.core.challenge(crypto.getRandomValues(new Uint8Array(16)), now());
    if (!prepared.ok) return null;
    const done = await this.core.challenged(await sign(this.keys!, prepared.sign));
    return done.ok ? done.text : null;
  }

  /** unask drops the challenge: whoever comes next was not asked. */
  unask() {
    if (this.asking) void this.core.unchallenged();
    this.asking = false;
  }

  cancel(sequence: number, code: string) { return this.record({ kind: Kind.counter, cancels: sequence, code }); }
  note(code: string, verdict = 0, given = "", along?: (sequence: number) => Partial<Kept>) { return this.record({ kind: Kind.note, code, verdict, given }, along); }

  /** overridden is how often this shift gave against a verdict. */
  async overridden(): Promise<number> {
    const all = this.practice ? [] : (await this.core.records()).records ?? [];
    const open = all.map((r) => r.code).lastIndexOf("shift_open");
    return all.slice(open + 1).filter((r) => r.kind <= Kind.partial && !r.cancelled && r.code.startsWith("override:")).length;
  }

  /** waiting is how many records are on this phone alone. */
  waiting() { return Math.max(0, (this.device?.records ?? 0) - this.exported); }
  /** unsent is how many of them tell of a person: that a shift opened or closed is nothing that anybody waits for. */
  unsent() { return Math.max(0, this.waiting() - this.shifts.filter((n) => n > this.exported).length); }

  /** unseal opens sealed facts with the operator's code; badge is the one that it stands in, if any. */
  async unseal(code: string, badge = ""): Promise<boolean> {
    const { ok, points } = await this.core.points();
    if (!ok || !this.keys) return false;
    const { ok: opened } = await this.core.unseal(await agree(this.keys, points), code);
    this.used = Date.now();
    this.opening = opened ? { code, badge } : null;
    return (this.unlocked = opened);
  }

  /** lock closes sealed facts: what the operator's code opened is dropped. */
  async lock() {
    this.closed();
    await this.own.lock();
  }

  private closed() {
    this.unlocked = false;
    this.opening = null;
  }

  lists(): Promise<Lists> { return this.core.lists(now()); }
  /** supervisor: the door to something is open. The menu's leads everywhere, any other to that one thing. */
  supervisor(to: string) { return !!this.door && now() < this.door.until && (this.door.to === to || this.door.to === "menu"); }
}
