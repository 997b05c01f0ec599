// The start: one page at a time, the app kept on the phone, then Ready or what
// stands in the way.
import { App, type Stop } from "./app";
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

void start();

/** keep puts the app itself on the phone; where the browser cannot, it works while it is open, and says so. */
async function keep() {
  try {
    await navigator.serviceWorker.register("sw.js");
    await navigator.serviceWorker.ready;
    app.offline = "kept";
    document.getElementById("offline")?.remove();
  } catch {
    app.offline = "no";
    document.getElementById("offline")?.replaceChildren(t("ready.no_offline"));
  }
}

void keep();
