// What every screen works with: the core, the vault, the pocket that is open.
import { Camera, Reader } from "common/camera";
import { tag } from "common/i18n";
import { Core, type Asked, type Choices, type Fetch, type Flow, type Offered, type Pick, type Reply } from "./core";
import { make, Vault, type Named, type Open, type Pocket, type Secret } from "./vault";

export const now = () => Math.floor(Date.now() / 1000);

/** Refused: something cannot be done; reason says which sentence tells why. */
export class Refused extends Error { constructor(public reason: string, message?: string) { super(message ?? reason); } }

/** Why the app cannot go on; each is a screen of its own. */
export type Stop = "insecure" | "storage" | "twice" | "core";

const STATE = "wallet", HALF = "issuing", FOR = "replaces"; // names that a pocket's content is kept under
const SHARED = "aidpass-wallet-shared", LANG = "aidpass-wallet-lang";
const AWAY = 60_000, IDLE = 5 * 60_000; // ms: a pocket closes after so long out of sight, or untouched
const CODE = 120; // seconds that a live code without a challenge is good for

/** Agreed is what she takes of an offer: by the code she was given, or by signing in. */
export interface Agreed { ids: string[]; code: string; signIn: boolean }

/** Ways are what a flow asks of the person; null: no. said: what became of a sign-in that gave nothing. */
export interface Ways {
  offered(o: Offered, said: string): Promise<Agreed | null>;
  visit(host: string, said: string): Promise<boolean>;
  asked(a: Asked, c: Choices): Promise<Pick[] | null>;
  waiting(): void;
}

/** Outcome is what became of a flow: cards, nothing because she did not take them, or an
 * answer that who asks has; no: she said no. They may want her back at an address of theirs. */
export type Outcome = { cards: string[] } | "no" | { redirect: string; no: boolean };

/** After these an offer is not over: the same may come of it on another day. */
const LATER = ["no_answer", "bad_answer", "wrong_code", "closed", "failed"];

export class App {
  core: Core;
  reader = new Reader();
  camera: Camera;
  vault!: Vault;
  open: Open | null = null;
  offline: "kept" | "no" = "no";
  dead = false; // the core has stopped
  half = false; // an offer was taken half
  back = ""; // what the browser brought back from a sign-in: the query of this page's address
  closed = () => {}; // told when a pocket was closed by itself
  brought: string | null = null; // the offer or request that the page's address brought, until a pocket is open for it
  private used = Date.now();

  constructor(public stopped: (why: Stop) => void) {
    this.core = new Core(() => { this.dead = true; stopped("core"); });
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
    void this.core.development(["localhost", "127.0.0.1"].includes(location.hostname)); // a laptop that is its own server
    this.guard();
    return null;
  }

  get lang() { return localStorage.getItem(LANG); }
  set lang(l: string | null) { if (l) localStorage.setItem(LANG, l); }
  /** shared: several people keep their cards on this phone. */
  get shared() { return localStorage.getItem(SHARED) === "1"; }
  set shared(on: boolean) { localStorage.setItem(SHARED, on ? "1" : "0"); }

  async begin(picture: string, secret: Secret) { await this.into(await this.vault.create(picture, secret)); }
  async enter(pocket: Pocket, secret: Secret) { await this.into(await this.vault.open(pocket, secret)); }

  private async into(open: Open) {
    const kept = await open.get(STATE);
    this.must(kept ? await this.core.open(kept) : await this.core.fresh());
    this.open = open;
    this.used = Date.now();
    this.half = !!(await open.get(HALF))?.length;
    if (!kept) await this.keep();
  }

  /** close forgets what is open; keys and content stay sealed on the disk. */
  close() {
    this.open = null;
    this.camera.stop();
    void this.core.forget();
  }

  /** keep seals what the core has now, and lets go of keys and of the offer that was under way, all at once. */
  async keep(gone: string[] = [], half: Uint8Array | null = null) {
    const { wallet } = this.must(await this.core.wallet());
    await this.open!.put({ [STATE]: wallet, ...(half ? { [HALF]: half } : {}) }, [], gone);
  }

  /** run takes an offer or a request to its end; text null goes on with the offer that was taken half. replaces is the card that new copies are fetched of. */
  async run(flow: Flow, text: string | null, ways: Ways, replaces = ""): Promise<Outcome> {
    try {
      return await this.steps(flow, text, ways, replaces);
    } catch (e) {
      // What is over for good is not offered again.
      if (flow === "offer" && this.half && e instanceof Refused && !LATER.includes(e.reason)) await this.drop();
      throw e;
    }
  }

  private async steps(flow: Flow, text: string | null, ways: Ways, replaces: string): Promise<Outcome> {
    const { core } = this, open = this.open!;
    const half = text === null ? await open.get(HALF) : null;
    if (half) replaces = new TextDecoder().decode((await open.get(FOR)) ?? new Uint8Array());
    this.must(text === null ? await core.resume(half!, tag()) : await core.begin(flow, text, tag()));
    // Secrets of the offer, and the new keys, are on the disk before anything is sent that rests on them.
    const note = async (keys: Named[] = []) => {
      if (flow !== "offer") return;
      await open.put({ [HALF]: this.must(await core.state()).state, [FOR]: new TextEncoder().encode(replaces) }, keys);
      this.half = this.open === open;
    };
    let no = false;
    for (let lost = 0, heard = ""; ;) {
      if (this.open !== open) throw new Refused("closed");
      const s = this.must(await core.step(flow, now()));
      switch (s.do) {
        case "fetch": {
          ways.waiting();
          const a = await send(s), r = await core.taken(flow, a.status, a.type, a.body, now());
          if (r.ok) { lost = 0; if (s.bearer || s.method === "POST") await note(); break; }
          if (r.why === "wrong_code") break; // she is asked again
          if (no) return { redirect: "", no }; // it holds, whether they hear of it or not
          if (r.why !== "no_answer" || ++lost > 2) this.must(r);
          await new Promise((done) => setTimeout(done, 1000 * lost));
          break;
        }
        case "ask": {
          const a = await ways.offered(s, heard);
          if (!a) { await this.drop(); return "no"; }
          ways.waiting();
          this.must(await core.agree(a.ids, a.code, a.signIn ? here() : ""));
          break;
        }
        case "visit": {
          // The state that the answer must name, and what proves who asked, are sealed in this pocket; an answer is good once.
          const query = this.back, r = query ? await core.callback(query) : null;
          this.back = "";
          heard = r && !r.ok ? (r.why === "refused" ? "signin_no" : "why_mix_up") : "";
          await note();
          if (r && (r.ok || r.why === "refused")) break;
          if (!(await ways.visit(new URL(s.url).host, heard))) { await this.drop(); return "no"; }
          location.assign(s.url);
          return new Promise(() => {}); // the page goes
        }
        case "keys": {
          const made = await Promise.all(Array.from({ length: s.count }, make));
          const { handles } = this.must(await core.keys(made.map((k) => k.point)));
          await note(made.map((k, i) => ({ key: k.key, handle: handles[i] })));
          break;
        }
        case "sign": this.must(await core.signed(flow, await Promise.all(s.sign.map((x) => open.sign(x.handle, x.bytes))))); break;
        case "wait": ways.waiting(); await new Promise((done) => setTimeout(done, Math.min(60, Math.max(1, s.until - now())) * 1000)); break;
        case "chain": this.must(await core.chain()); break;
        case "consent": {
          const c = this.must(await core.choices(now()));
          const picks = await ways.asked(s, c);
          this.must(picks ? await core.answer(picks, now()) : await core.refuse(now()));
          await this.keep();
          no = !picks; // told in the same words by who has such a card and who has none
          ways.waiting();
          break;
        }
        case "done": {
          if (flow === "ask") return { redirect: s.redirect ?? "", no };
          const { ids, handles } = this.must(await core.received(replaces, now()));
          await this.keep(handles, new Uint8Array());
          this.half = false;
          return { cards: ids };
        }
      }
    }
  }

  /** drop forgets the offer that was taken half. */
  async drop() {
    await this.open?.put({ [HALF]: new Uint8Array() });
    this.half = false;
  }

  /** code is what a card shows now: a live one is new each time (again: on the screen where the one before still stands), and good until a time, or for the desk whose challenge it answers. */
  async code(card: { id: string; live: boolean }, challenge: string, again: boolean): Promise<{ text: string; until: number; desk?: boolean }> {
    if (!card.live) {
      const { text } = this.must(await this.core.show(card.id, now()));
      await this.keep();
      return { text, until: 0 };
    }
    const at = now(), s = this.must(await this.core.live(card.id, challenge, at, again));
    const { text } = this.must(await this.core.liveSigned(await this.open!.sign(s.handle, s.sign), at));
    await this.keep();
    return challenge ? { text, until: 0, desk: true } : { text, until: at + CODE };
  }

  /** wish asks the desk, under the key of this phone, to let somebody collect with a card, or no longer. */
  async wish(id: string, to: string, ends: boolean): Promise<string> {
    const s = this.must(await this.core.wish(id, to, ends, now()));
    const { text } = this.must(await this.core.wishSigned(await this.open!.sign(s.handle, s.sign), now()));
    await this.keep();
    return text;
  }

  /** check proves what could not be proved when it came, and asks the issuers' lists how the cards stand: all at once or none, and only what says nothing of her. */
  async check() {
    const { core, open } = this, fetched = new Map<string, Promise<Uint8Array | null>>();
    const get = async (url: string, accept: string) => {
      const a = await send({ do: "fetch", method: "GET", url, accept, type: "", bearer: "", body: null, max: 4 << 20 });
      return a.status === 200 ? a.body : null;
    };
    const keysAt = async (issuer: string, at: string) => {
      const said = await get(at, "application/json"), next = said ? (await core.keyset(issuer, said)).uri : "";
      return next ? get(next, "application/jwk-set+json") : said;
    };
    const keysOf = (issuer: string, at: string) => fetched.get(at) ?? fetched.set(at, keysAt(issuer, at)).get(at)!;
    let news = false;
    const gone: string[] = []; // keys of cards that what is proved now takes the place of
    for (const u of this.must(await core.unproved()).issuers) {
      const keys = await keysOf(u.issuer, u.keys);
      if (!keys || this.open !== open) continue;
      const r = await core.prove(u.issuer, keys);
      if (r.ok) { news = true; gone.push(...r.handles); }
    }
    if (this.open !== open) return;
    if (open && gone.length) await this.keep(gone);
    for (const l of this.must(await core.lists()).lists) {
      const [token, keys] = await Promise.all([get(l.uri, "application/statuslist+jwt"), keysOf(l.issuer, l.keys)]);
      if (this.open !== open || !token || !keys) continue;
      news = !!(await core.lookup(l.issuer, l.uri, token, keys, now())).ok || news;
    }
    if (news && open && this.open === open) await this.keep();
  }

  must<T extends Reply>(said: T): T {
    if (!said.ok) throw new Refused(said.why || "failed", said.error);
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

/** here is the address of the app, which a browser comes back to after a sign-in. */
const here = () => new URL("./", location.href).href;

/** send does one request of the core as it stands: no cookies, no redirects, no more bytes than asked for. */
async function send(r: Fetch): Promise<{ status: number; type: string; body: Uint8Array }> {
  const nothing = { status: 0, type: "", body: new Uint8Array() };
  try {
    const headers: Record<string, string> = { Accept: r.accept };
    if (r.type) headers["Content-Type"] = r.type;
    if (r.bearer) headers.Authorization = `Bearer ${r.bearer}`;
    const answer = await fetch(r.url, { method: r.method, headers, body: r.body?.length ? (r.body as BodyInit) : null, redirect: "error", credentials: "omit", cache: "no-store",
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
