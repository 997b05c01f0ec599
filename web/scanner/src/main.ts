// The start: one page at a time, the app kept on the phone, then Ready or what
// stands in the way.
import { App, type Stop } from "./app";
import { h } from "common/dom";
import { speak, t } from "common/i18n";
import { alone, install } from "common/start";
import { ready, unsent } from "./screens/ready";
import { keepSending } from "./server";
import { setup } from "./screens/setup";
import { guard } from "./screens/unlock";
import { stopScreen, UI } from "./ui";

let ui: UI | undefined;
const app = new App((why) => void speaking.then(() => ui?.show(stopScreen(ui, why))));
const speaking = speak(localStorage.getItem("aidpass-lang") ?? navigator.language.split("-")[0]); // before anything is said
ui = new UI(app);

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
  if (!(await alone("aidpass-scanner"))) { ui!.show(stopScreen(ui!, "twice")); return; }
  keepSending(app, () => document.getElementById("unsent-chip")?.replaceWith(unsent(ui!)));
  if (app.pack && app.pin) await ready(ui!);
  else setup(ui!);
}

const saying = async (key: string) => {
  await speaking;
  ui!.show({ name: "installing", title: t("app.title"), body: h("p", { class: "lead", id: "installing", role: "status" }, t(key)) });
};

void install(saying).then((offline) => { app.offline = offline; return start(); });
