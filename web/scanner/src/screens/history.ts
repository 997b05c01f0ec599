// History of this shift: what was written down here. Numbers only, no names.
import { Kind, type Written } from "../core";
import { bdi, button, choose, h, save } from "common/dom";
import { cardNumber, clock, has, number, t } from "common/i18n";
import type { UI } from "../ui";
import { served, upload } from "../server";
import { take } from "./carry";
import { ready } from "./ready";
import { supervisor } from "./supervisor";

export async function history(ui: UI) {
  const { app } = ui;
  const all = app.practice ? [] : ((await app.core.records()).records ?? []);
  const mine = all.filter((r) => r.sequence >= (app.shift?.first ?? 1)).reverse();
  const count = mine.filter((r) => r.kind <= Kind.partial && !r.cancelled).length;
  ui.show({
    name: "history", title: t("history.title"), back: () => void ready(ui),
    body: [
      h("p", { class: "count" }, number(count), " ", h("span", {}, t("history.served"))),
      mine.length ? h("ol", { class: "log" }, mine.slice(0, 300).map((r) => line(ui, r))) : h("p", { class: "quiet" }, t("history.none")),
    ],
    actions: app.practice ? null : [
      h("div", { class: "pair" }, button(t("history.receipt"), () => void receipt(ui), "", "receipt"),
        served() ? button(t("server.send"), () => void send(ui), "", "send") : null),
      button(t("history.export"), () => void exportJournal(ui), app.unsent() ? "main" : "", "export"),
    ],
  });
}

function line(ui: UI, r: Written, alone = false) {
  const what = `history.kind_${r.kind}`;
  const [code, reason] = r.code.split(":");
  return h("li", { class: r.cancelled ? "cancelled" : "", "data-sequence": r.sequence },
    h("span", { class: "when" }, clock(r.at)),
    h("span", { class: "what" }, t(has(`code.${code}`) ? `code.${code}` : what), has(`override.${reason}`) ? [" · ", t(`override.${reason}`)] : null, r.given ? [" · ", given(r.given)] : null,
      r.kind === Kind.partial && r.rest ? h("small", {}, t("facts.rest"), " ", given(r.rest)) : null, r.number ? h("small", {}, cardNumber(r.number)) : null,
      r.cancelled ? h("small", {}, t("history.cancelled")) : null),
    !alone && (r.kind <= Kind.partial || r.code === "not_received") && !r.cancelled
      ? button(t("history.cancel"), () => supervisor(ui, () => takeBack(ui, r), () => void history(ui), "history"), "small")
      : null);
}

/** takeBack shows what will be taken back and asks once: the PIN opened the door, it did not say which record. */
function takeBack(ui: UI, r: Written) {
  const back = () => void history(ui);
  ui.show({
    name: "take-back", sign: "triangle-bang", title: t("history.cancel_ask"), back,
    body: [h("ol", { class: "log" }, line(ui, r, true)), h("p", { class: "todo" }, t("history.cancel_lead"))],
    actions: h("div", { class: "pair" }, button(t("common.back"), back, "", "leave-it"), button(t("history.cancel"), async () => {
      const done = await ui.app.cancel(r.sequence, "mistake").then(() => true, () => false);
      await history(ui);
      ui.toast(t(done ? "give.undone" : "give.failed"));
    }, "main", "take-back")),
  });
}

/** given says "RICE=10 kg;OIL=2 l" one by one, numbers as they are written here. */
const given = (s: string) => s.split(";").map((one, i) => {
  const [, n, rest] = /^(\d+(?:\.\d+)?)?(.*)$/.exec(one.split("=").reverse().join(" "))!;
  return [i ? ", " : "", n ? h("bdi", {}, number(Number(n)), rest) : bdi(rest)];
});

/** exportJournal hands out the whole journal; what was in it counts as handed in. */
export async function exportJournal(ui: UI) {
  const { app } = ui;
  const records = app.device?.records ?? 0; // before the file is read: what comes meanwhile does not count
  const journal = await app.store.journal();
  save(`${app.pack?.site ?? "site"}-${app.device?.kid ?? "device"}-${records}.journal`, journal);
  await app.keep({ exported: records });
  await history(ui);
  ui.toast(t("history.exported", { n: records }));
}

/** receipt takes the office's signed word on what it has of this phone. */
async function receipt(ui: UI) {
  const file = await choose(".receipt,application/octet-stream");
  if (!file) return;
  await take(ui, file.bytes, () => history(ui));
}

async function send(ui: UI) {
  const sent = await upload(ui.app);
  if (sent === null) { ui.toast(t("server.none")); return; }
  await history(ui);
  ui.toast(t("server.sent", { n: sent }));
}
