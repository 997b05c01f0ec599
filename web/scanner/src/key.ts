// The device key: made here, never to leave. One P-256 key signs (ES256) and opens
// what is sealed to the device (ECDH); browsers give a key one use, so it is held
// twice, and the bytes that passed between the two handles are gone at once.
import type { Keys, PIN } from "./store";

const ec = { namedCurve: "P-256" };

export async function newKeys(): Promise<Keys> {
  const made = await crypto.subtle.generateKey({ name: "ECDSA", ...ec }, true, ["sign", "verify"]);
  const bytes = new Uint8Array(await crypto.subtle.exportKey("pkcs8", made.privateKey));
  const keys = {
    sign: await crypto.subtle.importKey("pkcs8", bytes, { name: "ECDSA", ...ec }, false, ["sign"]),
    agree: await crypto.subtle.importKey("pkcs8", bytes, { name: "ECDH", ...ec }, false, ["deriveBits"]),
    point: new Uint8Array(await crypto.subtle.exportKey("raw", made.publicKey)),
  };
  bytes.fill(0);
  return keys;
}

export const sign = async (k: Keys, bytes: Uint8Array) =>
  new Uint8Array(await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, k.sign, bytes as BufferSource));

/** agree multiplies each point with the device key: 32 bytes each. */
export const agree = (k: Keys, points: Uint8Array[]) =>
  Promise.all(points.map(async (p) => {
    const other = await crypto.subtle.importKey("raw", p as BufferSource, { name: "ECDH", ...ec }, false, []);
    return new Uint8Array(await crypto.subtle.deriveBits({ name: "ECDH", public: other }, k.agree, 256));
  }));

// The supervisor's PIN: six digits are soon tried, so it slows down and locks; it
// guards the screen, and nothing is encrypted with it.
const ROUNDS = 210_000, FREE = 5;

async function derive(pin: string, salt: Uint8Array) {
  const key = await crypto.subtle.importKey("raw", new TextEncoder().encode(pin), "PBKDF2", false, ["deriveBits"]);
  return new Uint8Array(await crypto.subtle.deriveBits({ name: "PBKDF2", hash: "SHA-256", salt: salt as BufferSource, iterations: ROUNDS }, key, 256));
}

export const goodPIN = (pin: string) => /^\d{6}$/.test(pin) && !/^(\d)\1{5}$/.test(pin) && pin !== "123456" && pin !== "654321";

export async function newPIN(pin: string): Promise<PIN> {
  const salt = crypto.getRandomValues(new Uint8Array(16));
  return { salt, hash: await derive(pin, salt), failures: 0, until: 0 };
}

/** tryPIN says whether it is right and what to keep. After five misses each further one waits twice as long, from a minute. */
export async function tryPIN(p: PIN, pin: string, at: number): Promise<{ right: boolean; keep: PIN }> {
  if (at < p.until) return { right: false, keep: p };
  const hash = await derive(pin, p.salt);
  if (hash.every((b, i) => b === p.hash[i])) return { right: true, keep: { ...p, failures: 0, until: 0 } };
  const failures = p.failures + 1;
  const wait = failures < FREE ? 0 : 60 * 2 ** Math.min(failures - FREE, 10);
  return { right: false, keep: { ...p, failures, until: wait ? at + wait : 0 } };
}
