// Lists and health: how old everything is, and the update by file.
import { button, h, bdi } from "common/dom";
import { age, date, number, t } from "common/i18n";
import type { UI } from "../ui";
import { newestPack, served } from "../server";
import { frames, hand, load, take } from "./carry";
import { ready } from "./ready";
import { closed } from "./unlock";

export async function listsScreen(ui: UI) {
  const { app } = ui;
  const l = await app.lists();
  const room = await navigator.storage?.estimate?.();
  const free = room?.quota ? Math.floor((room.quota - (room.usage ?? 0)) / 1e6) : 0;
  ui.show({
    name: "lists", title: t("lists.title"), back: () => void ready(ui),
    body: [
      closed(ui, l, () => void listsScreen(ui)),
      h("ul", { class: "cards" }, l.lists.map((x) => h("li", {},
        h("h2", {}, t(`lists.${x.kind}`)),
        h("p", {}, bdi(x.name), x.uri && l.lists.some((y) => y !== x && y.kind === x.kind && y.name === x.name) ? [" · ", bdi(x.uri.slice(x.uri.lastIndexOf("/") + 1))] : null),
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
      h("div", { class: "pair" }, button(t("setup.frames"), () => frames(ui, () => listsScreen(ui)), "", "frames"), button(t("carry.hand"), () => hand(ui, () => listsScreen(ui)), "", "hand")),
      served() ? button(t("server.newer"), () => void fetchNewer(ui), "", "newer") : null,
      button(t("carry.load"), () => void load(ui, () => listsScreen(ui)), "main", "update"),
    ],
  });
}

/** fetchNewer asks the server. Meanwhile the phone is free; what came is said wherever it is then. */
async function fetchNewer(ui: UI) {
  ui.toast(t("server.asking"));
  const pack = await newestPack(ui.app);
  if (!pack) { ui.toast(t("server.none")); return; }
  // The pack in use again: to take it once more would close what the operator's code opened.
  const held = await ui.app.store.get("pack");
  if (held?.length === pack.length && pack.every((b, i) => b === held[i])) { ui.toast(t("server.same")); return; }
  const before = ui.app.pack!.sequence;
  const stay = () => (ui.is("lists") ? listsScreen(ui) : undefined);
  await take(ui, pack, stay);
  if (ui.app.pack!.sequence === before) {
    const { reason } = document.getElementById("toast")!.dataset;
    if (!reason) ui.toast(t("server.same"));
  }
}
