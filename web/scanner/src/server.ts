// The office's server, where there is one: enrolment, newer packs, records handed in.
// Without it everything goes by file. An answer that is not what was asked for, as a
// portal's page, counts as no connection.
import type { App } from "./app";

const api = "/api/v1";
const WAIT = 12_000; // ms

/** served: the app comes from a server of the office, not from this phone's own cable or a plain file server. */
export const served = () => location.pathname.startsWith("/scanner/");

/** enrolCode is what the laptop's QR code put behind the address; no server ever sees it. */
export const enrolCode = () => /[#&]enrol=([0-9A-Za-z]+)/.exec(location.hash)?.[1] ?? "";

const base64 = (b: Uint8Array) => btoa(String.fromCharCode(...b)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
const hex = (b: ArrayBuffer) => [...new Uint8Array(b)].map((x) => x.toString(16).padStart(2, "0")).join("");

const ask = (path: string, init: RequestInit = {}) => fetch(api + path, { ...init, redirect: "error", cache: "no-store", signal: AbortSignal.timeout(WAIT) });

type Told = "pending" | "confirmed" | "refused" | "none";

/** enrolWith sends the phone's request with a code of the office; pressed again it asks how far that has come. */
export async function enrolWith(app: App, code: string): Promise<Told> {
  try {
    const { request } = await app.core.request(app.name);
    let r = await ask(`/devices/${app.device!.kid}`);
    if (r.status === 404) {
      r = await ask("/enrol", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ code, request: base64(request) }) });
    }
    if (r.status >= 500) return "none";
    const d = await r.json();
    if (d.device !== app.device!.kid || d.words !== app.device!.words) return "refused";
    if (d.state === "confirmed" && d.certificate) {
      await app.keep({ certificate: Uint8Array.from(atob(d.certificate.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0)) });
    }
    return d.state === "confirmed" || d.state === "pending" ? d.state : "refused";
  } catch {
    return "none";
  }
}

const SLOWEST = 4096; // bytes in WAIT, below which there is no connection

/** whole reads a long answer, as long as it moves. */
async function whole(path: string): Promise<Uint8Array | null> {
  const stop = new AbortController();
  let moved = SLOWEST;
  const watch = setInterval(() => { if (moved < SLOWEST) stop.abort(); moved = 0; }, WAIT);
  try {
    const r = await fetch(api + path, { redirect: "error", cache: "no-cache", signal: stop.signal });
    if (!r.ok || !r.body) { stop.abort(); return null; }
    const parts: Uint8Array[] = [], from = r.body.getReader();
    for (let part = await from.read(); !part.done; part = await from.read()) {
      parts.push(part.value);
      moved += part.value.length;
    }
    return new Uint8Array(await new Blob(parts as BlobPart[]).arrayBuffer());
  } finally {
    clearInterval(watch);
  }
}

/** newestPack is the pack of the phone's site, not yet looked at; null without a connection. */
export async function newestPack(app: App): Promise<Uint8Array | null> {
  try {
    const pack = await whole(`/devices/${app.device!.kid}/pack`);
    // A portal's page is no pack; whether a pack is whole and ours, the core says.
    return pack && [0xd9, 0xd9, 0xf7, 0x83].every((b, i) => pack[i] === b) ? pack : null;
  } catch {
    return null;
  }
}

interface Ack { sequence: number; sha256: string; state: "accepted" | "known" | "review" | "refused" }

const PART = 100; // records a request: some 30 KB, which the slowest network carries within WAIT

let sending: Promise<number | null> | undefined;

/** upload hands in what the server has not acknowledged, oldest first, and says up to which record it has all; null without a connection. */
export const upload = (app: App) => (sending ??= hand(app).finally(() => (sending = undefined)));

async function hand(app: App): Promise<number | null> {
  const began = app.exported;
  let held = began;
  try {
    const records = await app.store.records(held + 1);
    for (let at = 0; at < records.length;) {
      const part = records.slice(at, at + PART);
      const r = await ask(`/devices/${app.device!.kid}/journal`, { method: "POST", headers: { "Content-Type": "application/cbor-seq" }, body: new Blob(part as BlobPart[]) });
      const answer: { ack: string; device: string; records: Ack[] } = await r.json();
      if (!r.ok || answer.ack !== "aidpass-ack-1" || answer.device !== app.device!.kid) return null;
      // Each record is acknowledged by its own hash, or it stays ours to keep.
      let taken = 0;
      for (const [i, record] of part.entries()) {
        const a = answer.records[i], digest = hex(await crypto.subtle.digest("SHA-256", record as BufferSource));
        if (!a || a.sha256 !== digest || a.state === "refused") break;
        taken++;
      }
      if (!taken) break;
      at += taken;
      held += taken;
      await app.keep({ exported: Math.max(app.exported, held) });
    }
    return held;
  } catch {
    return held > began ? held : null;
  }
}

const SOON = 2_000, FIRST = 5_000, LONGEST = 600_000; // ms

/** keepSending hands records in by itself whenever there is a network, each failure waited out twice as long. told: the number of unsent records changed. */
export function keepSending(app: App, told: () => void) {
  if (!served()) return;
  let timer = 0, wait = FIRST;
  const later = (ms: number) => { if (!timer) timer = window.setTimeout(() => void go(), ms * (1 + Math.random() / 4)); };
  const go = async () => {
    const sent = app.device && app.waiting() ? await upload(app) : app.exported;
    timer = 0;
    told();
    if (!app.device || !app.waiting()) { wait = FIRST; return; }
    if (sent !== null) wait = SOON; // something came meanwhile, or is refused
    wait = Math.min(2 * wait, LONGEST);
    later(wait);
  };
  const now = () => { clearTimeout(timer); timer = 0; wait = FIRST; later(0); };
  app.recorded = () => later(SOON);
  window.addEventListener("online", now);
  now();
}
