// What stands on the phone: pockets, one a person. A pocket's content is encrypted by
// AES-GCM under a key of its own. That key is wrapped (AES-KW) by what her finger opens
// (WebAuthn PRF) or her PIN (PBKDF2), in both cases mixed with a key of the phone that
// no script can take away: a copy of what is stored is of no use elsewhere, and not
// here without her. The keys that sign for her cards are P-256 handles which no
// browser exports.

const NAME = "aidpass-wallet", VERSION = 1;
const ROUNDS = 600_000; // of PBKDF2-SHA-256: about a second of a cheap phone
const FREE = 3, WAIT = 30, LONGEST = 3600; // misses without a wait; seconds, doubled with each further one

const ec = { name: "ECDSA", namedCurve: "P-256" };
const utf8 = (s: string) => new TextEncoder().encode(s);
const random = (n: number) => crypto.getRandomValues(new Uint8Array(n));
const hex = (b: Uint8Array) => [...b].map((x) => x.toString(16).padStart(2, "0")).join("");
const now = () => Math.floor(Date.now() / 1000);

/** Pocket is what may be seen of one before it is open: a picture to know it by. */
export interface Pocket {
  id: string; picture: string; salt: Uint8Array; wrapped: Uint8Array;
  finger?: Uint8Array; // id of the WebAuthn credential; without one a PIN opens it
  failures: number; until: number; // misses in a row, and when the next try may be made
}

/** Secret opens a pocket: a PIN, or the phone's own lock (fingerprint, face, pattern). */
export type Secret = { pin: string } | "finger";

/** Wrong: the PIN is not right; wait is how many seconds until the next try. */
export class Wrong extends Error { constructor(public wait: number) { super("wrong"); } }
/** NoFinger: the phone or the person did not do it. */
export class NoFinger extends Error {}
/** Full: the browser has no room; nothing was written. */
export class Full extends Error {}

interface Sealed { iv: Uint8Array; bytes: Uint8Array }

export const goodPIN = (pin: string) => /^\d{6}$/.test(pin) && !/^(\d)\1{5}$/.test(pin) && pin !== "123456" && pin !== "654321";

export class Vault {
  private constructor(private db: IDBDatabase, private device: CryptoKey) {}

  static async open(): Promise<Vault> {
    const db = await new Promise<IDBDatabase>((done, fail) => {
      const r = indexedDB.open(NAME, VERSION);
      r.onupgradeneeded = () => { for (const s of ["phone", "pockets", "sealed", "keys"]) r.result.createObjectStore(s); };
      r.onsuccess = () => done(r.result);
      r.onerror = () => fail(r.error);
      r.onblocked = () => fail(new Error("vault: blocked by another page"));
    });
    db.onversionchange = () => db.close();
    let device = await ask<CryptoKey>(db, "phone", (s) => s.get("device"));
    if (!device) {
      device = await crypto.subtle.generateKey({ name: "HMAC", hash: "SHA-256", length: 256 }, false, ["sign"]);
      await write(db, ["phone"], (tx) => tx.objectStore("phone").put(device, "device"));
    }
    return new Vault(db, device);
  }

  pockets(): Promise<Pocket[]> { return ask(this.db, "pockets", (s) => s.getAll()); }

  /** create makes a pocket and opens it. */
  async create(picture: string, secret: Secret): Promise<Open> {
    const p: Pocket = { id: hex(random(8)), picture, salt: random(32), wrapped: new Uint8Array(), failures: 0, until: 0 };
    if (secret === "finger") p.finger = await newFinger(p.salt);
    const content = await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, true, ["encrypt", "decrypt"]);
    p.wrapped = await this.wrap(p, secret, content);
    await write(this.db, ["pockets"], (tx) => tx.objectStore("pockets").put(p, p.id));
    return this.open(p, secret);
  }

  /** open throws Wrong or NoFinger. The miss is on the disk before it is one. */
  async open(pocket: Pocket, secret: Secret): Promise<Open> {
    return new Open(this.db, pocket.id, await this.unwrap(pocket.id, secret, false));
  }

  /** change lets another secret open the pocket from now on. */
  async change(id: string, old: Secret, secret: Secret): Promise<void> {
    const content = await this.unwrap(id, old, true);
    const p = await this.pocket(id);
    p.salt = random(32);
    delete p.finger;
    if (secret === "finger") p.finger = await newFinger(p.salt);
    p.wrapped = await this.wrap(p, secret, content);
    await write(this.db, ["pockets"], (tx) => tx.objectStore("pockets").put(p, id));
  }

  /** remove takes one pocket away, with all that is in it. */
  remove(id: string): Promise<void> {
    return write(this.db, ["pockets", "sealed", "keys"], (tx) => {
      tx.objectStore("pockets").delete(id);
      for (const s of ["sealed", "keys"]) tx.objectStore(s).delete(IDBKeyRange.bound([id], [id, []]));
    });
  }

  /** wipe leaves nothing of the app on the phone: no database, no cache, no settings, no worker. */
  async wipe() {
    this.db.close();
    await new Promise<void>((done, fail) => {
      const r = indexedDB.deleteDatabase(NAME);
      r.onsuccess = () => done();
      r.onerror = () => fail(r.error);
      r.onblocked = () => fail(new Error("vault: blocked by another page"));
    });
    for (const w of (await navigator.serviceWorker?.getRegistrations()) ?? []) if (w.scope.startsWith(new URL("./", location.href).href)) await w.unregister();
    for (const name of await caches.keys()) if (name.startsWith(`${NAME}-`)) await caches.delete(name);
    for (const k of Object.keys(localStorage)) if (k.startsWith(NAME)) localStorage.removeItem(k);
    sessionStorage.clear();
  }

  private async pocket(id: string): Promise<Pocket> {
    const p = await ask<Pocket>(this.db, "pockets", (s) => s.get(id));
    if (!p) throw new Error("vault: no such pocket");
    return p;
  }

  private async unwrap(id: string, secret: Secret, toChange: boolean): Promise<CryptoKey> {
    const p = await this.pocket(id); // what the disk says of misses, not the screen
    if (secret !== "finger") {
      if (now() < p.until) throw new Wrong(p.until - now());
      p.failures++;
      p.until = p.failures < FREE ? 0 : now() + Math.min(LONGEST, WAIT * 2 ** (p.failures - FREE));
      await write(this.db, ["pockets"], (tx) => tx.objectStore("pockets").put(p, id));
    }
    const key = await this.wrapping(p, secret);
    let content: CryptoKey;
    try {
      content = await crypto.subtle.unwrapKey("raw", p.wrapped as BufferSource, key, "AES-KW", "AES-GCM", toChange, ["encrypt", "decrypt"]);
    } catch {
      if (secret === "finger") throw new NoFinger();
      throw new Wrong(Math.max(0, p.until - now()));
    }
    if (p.failures) await write(this.db, ["pockets"], (tx) => tx.objectStore("pockets").put({ ...p, failures: 0, until: 0 }, id));
    return content;
  }

  private async wrap(p: Pocket, secret: Secret, content: CryptoKey) {
    return new Uint8Array(await crypto.subtle.wrapKey("raw", content, await this.wrapping(p, secret), "AES-KW"));
  }

  /** wrapping is the key that a secret and this phone make together. */
  private async wrapping(p: Pocket, secret: Secret): Promise<CryptoKey> {
    const known = secret === "finger" ? await finger(p.finger!, p.salt) : await stretched(secret.pin, p.salt);
    const mixed = await crypto.subtle.sign("HMAC", this.device, new Uint8Array([...utf8(`${NAME} ${secret === "finger" ? "finger" : "pin"} ${p.id} `), ...p.salt, ...known]));
    return crypto.subtle.importKey("raw", mixed, "AES-KW", false, ["wrapKey", "unwrapKey"]);
  }
}

/** Open is a pocket that is open; forgotten, it is closed. */
export class Open {
  constructor(private db: IDBDatabase, readonly id: string, private content: CryptoKey) {}

  /** get is what is kept under a name; null where nothing is. */
  async get(name: string): Promise<Uint8Array | null> {
    const kept = await ask<Sealed>(this.db, "sealed", (s) => s.get([this.id, name]));
    if (!kept) return null;
    return new Uint8Array(await crypto.subtle.decrypt(this.gcm(name, kept.iv), this.content, kept.bytes as BufferSource));
  }

  /** put keeps all of values and keys, and lets go of the keys of handles, or does nothing. */
  async put(values: Record<string, Uint8Array>, keys: Named[] = [], gone: string[] = []): Promise<void> {
    const names = await this.names();
    for (const k of keys) names[k.handle] ??= hex(random(8));
    const drop = gone.map((handle) => names[handle]).filter(Boolean);
    for (const handle of gone) delete names[handle];
    if (keys.length || gone.length) values = { ...values, names: utf8(JSON.stringify(names)) };
    const sealed = await Promise.all(Object.entries(values).map(async ([name, v]) => {
      const iv = random(12);
      return [name, { iv, bytes: new Uint8Array(await crypto.subtle.encrypt(this.gcm(name, iv), this.content, v as BufferSource)) }] as const;
    }));
    await write(this.db, ["sealed", "keys"], (tx) => {
      for (const [name, s] of sealed) tx.objectStore("sealed").put(s, [this.id, name]);
      for (const k of keys) tx.objectStore("keys").put(k.key, [this.id, names[k.handle]]);
      for (const id of drop) tx.objectStore("keys").delete([this.id, id]);
    });
  }

  /** sign signs (ES256, r and s in 64 bytes) by the key of a handle. */
  async sign(handle: string, bytes: Uint8Array): Promise<Uint8Array> {
    const name = (await this.names())[handle] ?? "";
    const key = await ask<CryptoKey | undefined>(this.db, "keys", (s) => s.get([this.id, name]));
    if (!key) throw new Error("vault: no key of that handle");
    return new Uint8Array(await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, key, bytes as BufferSource));
  }

  /** handles name the keys that there are. */
  async handles(): Promise<string[]> { return Object.keys(await this.names()); }

  private async names(): Promise<Record<string, string>> {
    const kept = await this.get("names");
    return kept ? JSON.parse(new TextDecoder().decode(kept)) : {};
  }

  /** A value moved to another name or pocket does not open. */
  private gcm(name: string, iv: Uint8Array) { return { name: "AES-GCM", iv: iv as BufferSource, additionalData: utf8(`${this.id}|${name}`) }; }
}

/** Made is a new key: its private half cannot be exported. Named, it has the handle that the core gave it. */
export interface Made { key: CryptoKey; point: Uint8Array }
export interface Named { key: CryptoKey; handle: string }

export async function make(): Promise<Made> {
  const pair = await crypto.subtle.generateKey(ec, false, ["sign", "verify"]);
  return { key: pair.privateKey, point: new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey)) };
}

async function stretched(pin: string, salt: Uint8Array): Promise<Uint8Array> {
  const key = await crypto.subtle.importKey("raw", utf8(pin), "PBKDF2", false, ["deriveBits"]);
  return new Uint8Array(await crypto.subtle.deriveBits({ name: "PBKDF2", hash: "SHA-256", salt: salt as BufferSource, iterations: ROUNDS }, key, 256));
}

/** fingers says whether this phone's own lock can be asked at all. */
export const fingers = async () =>
  !!(await (globalThis.PublicKeyCredential as { isUserVerifyingPlatformAuthenticatorAvailable?: () => Promise<boolean> } | undefined)
    ?.isUserVerifyingPlatformAuthenticatorAvailable?.().catch(() => false));

async function newFinger(salt: Uint8Array): Promise<Uint8Array> {
  const made = await navigator.credentials.create({ publicKey: {
    challenge: random(32) as BufferSource, rp: { name: NAME }, user: { id: random(16) as BufferSource, name: NAME, displayName: NAME },
    pubKeyCredParams: [{ type: "public-key", alg: -7 }, { type: "public-key", alg: -257 }],
    authenticatorSelection: { authenticatorAttachment: "platform", userVerification: "required", residentKey: "discouraged" },
    extensions: { prf: { eval: { first: salt as BufferSource } } },
  } }).catch(() => null) as PublicKeyCredential | null;
  if (!made || !(made.getClientExtensionResults() as { prf?: { enabled?: boolean } }).prf?.enabled) throw new NoFinger();
  return new Uint8Array(made.rawId);
}

async function finger(id: Uint8Array, salt: Uint8Array): Promise<Uint8Array> {
  const got = await navigator.credentials.get({ publicKey: {
    challenge: random(32) as BufferSource, allowCredentials: [{ type: "public-key", id: id as BufferSource }], userVerification: "required",
    extensions: { prf: { eval: { first: salt as BufferSource } } },
  } }).catch(() => null) as PublicKeyCredential | null;
  const first = (got?.getClientExtensionResults() as { prf?: { results?: { first?: ArrayBuffer } } } | undefined)?.prf?.results?.first;
  if (!first) throw new NoFinger();
  return new Uint8Array(first);
}

function ask<T>(db: IDBDatabase, store: string, act: (s: IDBObjectStore) => IDBRequest<any>): Promise<T> {
  return new Promise((done, fail) => {
    const r = act(db.transaction(store).objectStore(store));
    r.onsuccess = () => done(r.result);
    r.onerror = () => fail(r.error);
  });
}

function write(db: IDBDatabase, stores: string[], act: (tx: IDBTransaction) => void): Promise<void> {
  return new Promise((done, fail) => {
    const tx = db.transaction(stores, "readwrite", { durability: "strict" });
    tx.oncomplete = () => done();
    tx.onabort = () => fail(tx.error?.name === "QuotaExceededError" ? new Full() : tx.error ?? new Error("vault: aborted"));
    act(tx);
  });
}
