// A card is handed to another phone: hers stays hers, and the other's copy says whose it
// is. Only what could be copied by a photo goes so; a card that lives in this phone is
// made out to somebody else by the desk alone.
import { button, field, h, value } from "common/dom";
import { t, text } from "common/i18n";
import { said } from "../aloud";
import { now } from "../app";
import type { Card } from "../core";
import { page, type UI } from "../ui";
import { card, label } from "./cards";
import { code } from "./show";

export function lend(ui: UI, c: Card) {
  const back = () => void card(ui, c.id);
  const which = label(c.name || text("wallet.card"), c.picture);
  if (!c.paper || c.held_for) {
    page(ui, { name: "lend-desk", title: t("wallet.lend"), back, body: [which, said("wallet.lend_desk", {}, "lead")], actions: button(t("common.go"), back, "main", "go") });
    return;
  }
  page(ui, {
    name: "lend", title: t("wallet.lend"), back,
    body: h("form", { id: "form", submit: (e: Event) => { e.preventDefault(); void hand(ui, c, value("holder"), value("to"), back); } }, which, said("wallet.lend_lead"), said("wallet.lend_seen"),
      field(t("wallet.lend_whose"), "holder", { maxlength: 60, dir: "auto", required: true }), field(t("wallet.lend_to"), "to", { maxlength: 60, dir: "auto" })),
    actions: h("div", { class: "pair" }, button(t("wallet.no"), back, "tall", "no"), h("button", { class: "button tall", type: "submit", form: "form", id: "yes" }, t("wallet.yes"))),
  });
}

async function hand(ui: UI, c: Card, holder: string, to: string, back: () => void) {
  try {
    const { text } = ui.app.must(await ui.app.core.handover(c.id, holder, to, now()));
    await ui.app.keep();
    await code(ui, async () => ({ text, until: 0 }), back, said("wallet.lend_show"));
  } catch (e) { back(); ui.warn(e); }
}
