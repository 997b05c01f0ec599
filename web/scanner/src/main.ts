// The start: one page at a time, the app kept on the phone, then Ready or what
// stands in the way.
import { App, type Stop } from "./app";
import { h } from "./dom";
import { speak, t } from "./i18n";
import { ready, unsent } from "./screens/ready";
import { keepSending } from "./server";
import { setup } from "./screens/setup";
import { guard } from "./screens/unlock";
import { stopScreen, UI } from "./ui";

let ui: UI | undefined;
const app = new App((why) => void speaking.then(() => ui?.show(stopScreen(ui, why))));
const speaking = speak(localStorage.getItem("aidpass-lang") ?? navigator.language.split("-")[0]); // before anything is said
ui = new UI(app);

/** Two pages would write one journal: the second steps back. */
function alone(): Promise<boolean> {
  if (!navigator.locks) return Promise.resolve(true);
  return new Promise((done) => {
    void navigator.locks.request("aidpass-scanner", { ifAvailable: true }, (lock) => {
      done(!!lock);
      return lock ? new Promise(() => {}) : undefined; // held until the page goes
    });
  });
}

async function start() {
  await speaking;
  const stop: Stop | null = await app.load();
  document.documentElement.dataset.ready = "1";
  if (stop) {
    const act = stop === "evicted" ? { label: t("setup.title"), act: () => { localStorage.removeItem("aidpass-enrolled"); setup(ui!); } }
      : stop === "clock" ? { label: t("stop.clock_set"), act: () => location.reload() } : undefined;
    ui!.show(stopScreen(ui!, stop, act));
    return;
  }
  guard(ui!);
  if (!(await alone())) { ui!.show(stopScreen(ui!, "twice")); return; }
  keepSending(app, () => document.getElementById("unsent-chip")?.replaceWith(unsent(ui!)));
  if (app.pack && app.pin) await ready(ui!);
  else setup(ui!);
}

const RETRY = 5_000; // ms

/**
 * install puts the app itself on the phone, before anything is done with it. What came
 * over the network for a first visit may be of two builds, where the server was being
 * renewed; so the page begins anew from what the service worker has proved to be one.
 * Where the browser cannot keep it, it works while it is open, and says so.
 */
async function install(): Promise<void> {
  const sw = navigator.serviceWorker;
  if (!sw) { app.offline = "no"; return; }
  if (sw.controller) {
    app.offline = "kept";
    void sw.register("sw.js").catch(() => {}); // a newer build is for the next start
    return;
  }
  await speaking;
  ui!.show({ name: "installing", title: t("app.title"), body: h("p", { class: "lead", id: "installing", role: "status" }, t("ready.keeping")) });
  for (let answer = await tried(sw); answer !== "no"; answer = await tried(sw)) {
    if (answer === "kept") {
      app.offline = "kept";
      if (sessionStorage.getItem(ANEW)) return; // nor does the worker get hold of the page that began anew
      sessionStorage.setItem(ANEW, "1");
      location.reload();
      await new Promise(() => {});
    }
    document.getElementById("installing")?.replaceChildren(t("ready.keeping_again"));
    await new Promise((done) => setTimeout(done, RETRY));
  }
  app.offline = "no";
}

const ANEW = "aidpass-anew";

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

void install().then(start);
