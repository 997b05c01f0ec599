// The start of an app: one page at a time, and the app itself on the phone.

/** alone says whether this is the one page of the app; it stays so until it goes. */
export function alone(name: string): Promise<boolean> {
  if (!navigator.locks) return Promise.resolve(true);
  return new Promise((done) => {
    void navigator.locks.request(name, { ifAvailable: true }, (lock) => {
      done(!!lock);
      return lock ? new Promise(() => {}) : undefined; // held until the page goes
    });
  });
}

const RETRY = 5_000; // ms
const ANEW = "aidpass-anew";

/**
 * install puts the app itself on the phone, before anything is done with it. What came
 * over the network for a first visit may be of two builds, where the server was being
 * renewed; so the page begins anew from what the service worker has proved to be one.
 * Where the browser cannot keep it, it works while it is open, and says so. saying
 * shows a sentence while somebody waits.
 */
export async function install(saying: (key: string) => Promise<void>): Promise<"kept" | "no"> {
  const sw = navigator.serviceWorker;
  if (!sw) return "no";
  if (sw.controller) {
    void sw.register("sw.js").catch(() => {}); // a newer build is for the next start
    return "kept";
  }
  await saying("ready.keeping");
  for (let answer = await tried(sw); answer !== "no"; answer = await tried(sw)) {
    if (answer === "kept") {
      if (sessionStorage.getItem(ANEW)) return "kept"; // nor does the worker get hold of the page that began anew
      sessionStorage.setItem(ANEW, "1");
      location.reload();
      await new Promise(() => {});
    }
    await saying("ready.keeping_again");
    await new Promise((done) => setTimeout(done, RETRY));
  }
  return "no";
}

/** tried says what became of one install: again, where not all of it came or not of one build. */
async function tried(sw: ServiceWorkerContainer): Promise<"kept" | "again" | "no"> {
  const failed = new Promise<"again" | "no">((done) => {
    sw.addEventListener("message", (e) => done(e.data.install), { once: true });
    sw.startMessages();
  });
  try {
    await sw.register("sw.js");
  } catch {
    return "no";
  }
  return Promise.race([sw.ready.then(() => "kept" as const), failed]);
}
