// Keeps the app on the phone: every file of one build, each proved by its hash, or
// none of it. The page after the next start runs the new build, never one in use.

const worker = self as unknown as ServiceWorkerGlobalScope;
declare const FILES: [path: string, sha256: string][];
declare const BUILD: string;
declare const APP: string;

const CACHE = `aidpass-${APP}-${BUILD}`;
const hex = (b: ArrayBuffer) => [...new Uint8Array(b)].map((x) => x.toString(16).padStart(2, "0")).join("");

async function bring([path, sha256]: [string, string]) {
  const response = await fetch(path, { cache: "no-cache", redirect: "error" });
  if (!response.ok) throw new Error(`${path}: status ${response.status}`);
  const bytes = await response.clone().arrayBuffer();
  if (hex(await crypto.subtle.digest("SHA-256", bytes)) !== sha256) throw new Error(`${path} is not of this build`);
  return [path, response] as const;
}

async function install() {
  // A portal that answers everything with its own page must not become the app:
  // nothing is kept until all of it is here and proved.
  const all = await Promise.all(FILES.map(bring)).catch((e) => failed("again", e));
  try {
    const cache = await caches.open(CACHE);
    for (const [path, response] of all) await cache.put(path, response);
  } catch (e) {
    await caches.delete(CACHE);
    await failed("no", e);
  }
}

/** failed tells the page that waits for the first install whether to try again. */
async function failed(install: "again" | "no", e: unknown): Promise<never> {
  for (const page of await worker.clients.matchAll({ includeUncontrolled: true })) page.postMessage({ install });
  throw e;
}

async function activate() {
  for (const name of await caches.keys()) {
    if (name.startsWith(`aidpass-${APP}-`) && name !== CACHE) await caches.delete(name);
  }
  await worker.clients.claim();
}

async function answer(request: Request): Promise<Response> {
  const cache = await caches.open(CACHE);
  const kept = await cache.match(request.mode === "navigate" ? "index.html" : request, { ignoreSearch: true });
  return kept ?? fetch(request);
}

worker.addEventListener("install", (e) => e.waitUntil(install()));
worker.addEventListener("activate", (e) => e.waitUntil(activate()));
worker.addEventListener("fetch", (e) => {
  if (e.request.method === "GET" && new URL(e.request.url).origin === worker.location.origin) e.respondWith(answer(e.request));
});
