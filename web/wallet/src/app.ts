// What every screen works with: the core, the vault, the pocket that is open.
import { Camera, Reader } from "common/camera";
import { tag } from "common/i18n";
import { Core, type Agreement, type Asked, type Fetch, type Offered } from "./core";
import { make, Vault, type Made, type Open, type Pocket, type Secret } from "./vault";

export const now = () => Math.floor(Date.now() / 1000);

/** Refused: something cannot be done; reason says which sentence tells why. */
export class Refused extends Error { constructor(public reason: string, message?: string) { super(message ?? reason); } }

/** Why the app cannot go on; each is a screen of its own. */
export type Stop = "insecure" | "storage" | "full" | "twice" | "core";

/** What is open when a pocket is: its content in the core, under the name it is kept by. */
const STATE = "wallet";

const SHARED = "aidpass-wallet-shared", LANG = "aidpass-wallet-lang";
const AWAY = 60_000, IDLE = 5 * 60_000; // ms: a pocket closes after so long out of sight, or untouched

/** Ways are what a flow asks of the person. */
export interface Ways {
  offered(o: Offered): Promise<Agreement>;
  asked(a: Asked): Promise<Agreement>;
  waiting(): void;
}

export class App {
  core: Core;
  reader = new Reader();
  camera: Camera;
  vault!: Vault;
  open: Open | null = null;
  offline: "kept" | "no" = "no";
  desk: { who: string; site: string } | null = null; // whose challenge was scanned
  closed = () => {}; // told when a pocket was closed by itself
  private used = Date.now();
  private made: Made[] = []; // keys of a flow that is under way

  constructor(public stopped: (why: Stop) => void) {
    this.core = new Core(() => stopped("core"));
    this.camera = new Camera(this.reader, document.createElement("video"));
    this.camera.video.setAttribute("playsinline", "");
    this.camera.video.muted = true;
  }

  async load(): Promise<Stop | null> {
    if (!window.isSecureContext || !crypto.subtle) return "insecure";
    try {
      this.vault = await Vault.open();
    } catch {
      return "storage";
    }
    void navigator.storage?.persist?.();
    this.guard();
    return null;
  }

  get lang() { return localStorage.getItem(LANG); }
  set lang(l: string | null) { if (l) localStorage.setItem(LANG, l); }
  /** shared: several people keep their cards on this phone. */
  get shared() { return localStorage.getItem(SHARED) === "1"; }
  set shared(on: boolean) { localStorage.setItem(SHARED, on ? "1" : "0"); }

  async begin(picture: string, secret: Secret) { await this.into(await this.vault.create(picture, secret)); await this.keep(); }
  async enter(pocket: Pocket, secret: Secret) { await this.into(await this.vault.open(pocket, secret)); }

  private async into(open: Open) {
    const said = await this.core.open(await open.get(STATE), now());
    if (!said.ok) throw new Refused(said.reason ?? "state", said.error);
    this.open = open;
    this.used = Date.now();
  }

  /** close forgets what is open; keys and content stay sealed on the disk. */
  close() {
    this.open = null;
    this.made = [];
    this.desk = null;
    this.camera.stop();
    void this.core.forget();
  }

  /** keep seals what the core has now, with new keys, and lets others go, all at once. */
  async keep(keys: Made[] = [], gone: Uint8Array[] = []) {
    const { state } = await this.core.state();
    await this.open!.put({ [STATE]: state }, keys, gone);
  }

  /** run takes what was scanned or opened to its end; the cards that came, or an address to go on to. */
  async run(text: string, ways: Ways): Promise<{ cards: string[]; redirect?: string }> {
    this.must(await this.core.begin(text, now()));
    this.made = [];
    for (let lost = 0; ;) {
      const open = this.open;
      if (!open) throw new Refused("closed");
      const s = await this.core.step(now(), tag());
      if (!s.ok) throw new Refused(("reason" in s && s.reason) || "failed", s.error);
      switch (s.do) {
        case "fetch": {
          ways.waiting();
          const a = await send(s.request);
          if (a.status === 0 && lost++ < 2) { await new Promise((done) => setTimeout(done, 1000 * lost)); continue; }
          this.must(await this.core.answered(a.status, a.type, a.body, now()));
          break;
        }
        case "offered": this.must(await this.core.agree(await ways.offered(s.offered))); break;
        case "asked": this.must(await this.core.agree(await ways.asked(s.asked))); break;
        case "keys":
          for (let i = 0; i < s.keys; i++) this.made.push(await make());
          this.must(await this.core.made(this.made.slice(-s.keys).map((k) => k.point)));
          break;
        case "sign":
          this.must(await this.core.signed(await Promise.all(s.sign.map((x) => open.sign(x.key, x.bytes, this.made)))));
          break;
        case "wait": ways.waiting(); await new Promise((done) => setTimeout(done, Math.max(1, s.until - now()) * 1000)); break;
        case "done":
          await this.keep(this.made, s.gone);
          this.made = [];
          return s;
      }
    }
  }

  /** code is what a card shows now, fresh each time where it is a live one. */
  async code(card: string): Promise<{ text: string; until: number }> {
    const s = this.must(await this.core.show(card, now()));
    if (s.text) return { text: s.text, until: 0 };
    return this.must(await this.core.shown(await this.open!.sign(s.key!, s.sign!)));
  }

  must<T extends { ok: boolean; reason?: string; error?: string }>(said: T): T {
    if (!said.ok) throw new Refused(said.reason ?? "failed", said.error);
    return said;
  }

  /** guard closes the pocket when the phone was laid away or left alone. */
  private guard() {
    const look = (limit: number) => {
      if (this.open && Date.now() - this.used > limit) { this.close(); this.closed(); }
    };
    let away = 0;
    document.addEventListener("visibilitychange", () => {
      clearTimeout(away);
      if (document.hidden) { this.used = Date.now(); this.camera.stop(); away = window.setTimeout(() => look(AWAY - 1), AWAY); }
      else look(AWAY);
    });
    for (const name of ["pointerdown", "keydown"]) document.addEventListener(name, () => { look(IDLE); this.used = Date.now(); }, { capture: true, passive: true });
    setInterval(() => look(IDLE), 5_000);
  }
}

/** send does one request of the core as it stands: no cookies, no redirects, no more bytes than asked for. */
async function send(r: Fetch): Promise<{ status: number; type: string; body: Uint8Array }> {
  const nothing = { status: 0, type: "", body: new Uint8Array() };
  try {
    const headers: Record<string, string> = { Accept: r.accept };
    if (r.type) headers["Content-Type"] = r.type;
    if (r.bearer) headers.Authorization = `Bearer ${r.bearer}`;
    const answer = await fetch(r.url, { method: r.method, headers, body: r.body as BodyInit | null, redirect: "error", credentials: "omit", cache: "no-store",
      referrerPolicy: "no-referrer", signal: AbortSignal.timeout?.(30_000) });
    const body = new Uint8Array(r.max + 1), from = answer.body?.getReader();
    let n = 0;
    for (let part; from && n <= r.max && !(part = await from.read()).done;) {
      body.set(part.value.subarray(0, body.length - n), n);
      n = Math.min(body.length, n + part.value.length);
    }
    void from?.cancel();
    return { status: answer.status, type: answer.headers.get("Content-Type") ?? "", body: body.slice(0, n) };
  } catch {
    return nothing;
  }
}
