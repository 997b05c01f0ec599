// Lists and health: how old everything is, and the update by file.
import { button, choose, h, bdi, save } from "../dom";
import { age, date, number, t } from "../i18n";
import type { UI } from "../ui";
import { newestPack, served } from "../server";
import { ready } from "./ready";
import { load } from "./setup";

export async function listsScreen(ui: UI) {
  const { app } = ui;
  const l = await app.lists();
  const room = await navigator.storage?.estimate?.();
  const free = room?.quota ? Math.floor((room.quota - (room.usage ?? 0)) / 1e6) : 0;
  ui.show({
    name: "lists", title: t("lists.title"), back: () => void ready(ui),
    body: [
      h("ul", { class: "cards" }, l.lists.map((x) => h("li", {},
        h("h2", {}, t(`lists.${x.kind}`)),
        h("p", {}, bdi(x.name)),
        h("dl", { class: "facts" },
          h("div", {}, h("dt", {}, t("facts.age")), h("dd", {}, age(x.age))),
          !!x.next && h("div", {}, h("dt", {}, t(x.kind === "pack" ? "lists.ends" : "lists.next")), h("dd", {}, date(x.next))))))),
      app.pack?.faults.length ? h("p", { class: "note" }, t("lists.faults", { n: app.pack.faults.length })) : null,
      h("dl", { class: "facts" },
        app.device && h("div", {}, h("dt", {}, t("lists.device")), h("dd", {}, bdi(app.device.words))),
        !!app.device?.until && h("div", {}, h("dt", {}, t("lists.device_until")), h("dd", {}, date(app.device.until))),
        h("div", {}, h("dt", {}, t("lists.room")), h("dd", {}, t("lists.megabytes", { n: free }))),
        h("div", {}, h("dt", {}, t("history.records")), h("dd", {}, number(app.device?.records ?? 0)))),
    ],
    actions: app.practice ? null : [
      h("div", { class: "pair" }, button(t("lists.others"), () => void others(ui), "", "others"), button(t("lists.share"), () => void share(ui), "", "share")),
      served() ? button(t("server.newer"), () => void fetchNewer(ui), "", "newer") : null,
      button(t("lists.update"), () => void load(ui, () => listsScreen(ui)), "main", "update"),
    ],
  });
}

/** others takes another table's journal, so that this one knows what that one gave. */
async function others(ui: UI) {
  const file = await choose(".journal,.exchange,application/octet-stream");
  if (!file) return;
  try {
    const known = await ui.app.other(file.bytes);
    ui.toast(typeof known === "number" ? t("lists.others_taken", { n: known }) : t(known === "locked" ? "lists.locked" : "lists.others_refused"));
  } catch {
    ui.toast(t("stop.full"));
  }
}

/** share hands the own journal to the other tables, sealed to this place. */
async function share(ui: UI) {
  const file = await ui.app.share();
  if (!file) { ui.toast(t("lists.locked")); return; }
  save(`${ui.app.name || "tab"}.exchange`, file);
  ui.toast(t("lists.shared"));
}

async function fetchNewer(ui: UI) {
  const pack = await newestPack(ui.app);
  if (!pack) { ui.toast(t("server.none")); return; }
  const before = ui.app.pack!.sequence;
  const done = await ui.app.update(pack);
  await listsScreen(ui);
  ui.toast(!done.ok ? [t("refused.other"), " ", t("refused.kept")] : done.sequence === before ? t("server.same") : t("lists.taken", { site: done.site }));
}
