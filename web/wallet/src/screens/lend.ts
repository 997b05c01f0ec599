// A card is handed to another phone: hers stays hers, and the other's copy says whose it
// is. Only what could be copied by a photo goes so; a card that lives in this phone is
// made out to somebody else by the desk alone: what she asks of it goes under her key.
import { button, field, h, save, value } from "common/dom";
import { date, t, text } from "common/i18n";
import { said } from "../aloud";
import { now } from "../app";
import type { Card, Wish } from "../core";
import { act, page, type UI } from "../ui";
import { card, label } from "./cards";
import { code } from "./show";

export function lend(ui: UI, c: Card) {
  const back = () => void card(ui, c.id);
  const which = label(c.name || text("wallet.card"), c.picture);
  if (c.live && !c.held_for) { wishing(ui, c, back); return; }
  if (!c.paper || c.held_for) {
    page(ui, { name: "lend-desk", title: t("wallet.lend"), back, body: [which, said("wallet.lend_desk", {}, "lead")], actions: button(t("common.go"), back, "main", "go") });
    return;
  }
  page(ui, {
    name: "lend", title: t("wallet.lend"), back,
    body: h("form", { id: "form", submit: (e: Event) => { e.preventDefault(); void hand(ui, c, value("holder"), value("to"), back); } }, which, said("wallet.lend_lead"), said("wallet.lend_seen"),
      field(t("wallet.lend_whose"), "holder", { maxlength: 60, dir: "auto", required: true }), field(t("wallet.lend_to"), "to", { maxlength: 60, dir: "auto" })),
    actions: h("div", { class: "pair" }, button(t("wallet.cancel"), back, "tall", "no"), h("button", { class: "button tall", type: "submit", form: "form", id: "yes" }, t("wallet.go_on"))),
  });
}

/** wishing asks whom the desk shall let collect. */
function wishing(ui: UI, c: Card, back: () => void) {
  page(ui, {
    name: "wish", title: t("wallet.lend"), back,
    body: h("form", { id: "form", submit: (e: Event) => { e.preventDefault(); void wished(ui, c, value("to"), false); } }, label(c.name || text("wallet.card"), c.picture),
      said("wallet.lend_desk", {}, "lead"), said("wallet.wish_lead"), field(t("wallet.lend_to"), "to", { maxlength: 60, dir: "auto", required: true })),
    actions: h("div", { class: "pair" }, button(t("wallet.cancel"), back, "tall", "no"), h("button", { class: "button tall", type: "submit", form: "form", id: "yes" }, t("wallet.go_on"))),
  });
}

/** wished shows what the desk is asked, as a code and as a file. */
async function wished(ui: UI, c: Card, to: string, ends: boolean) {
  const back = () => void card(ui, c.id);
  try {
    const wish = await ui.app.wish(c.id, to, ends);
    await code(ui, async () => ({ text: wish, until: 0 }), back, [said(ends ? "wallet.wish_end_show" : "wallet.wish_show", { to }, "lead"),
      act("back_up", "wallet.file_save", "save", () => save("aidpass-wish.txt", new TextEncoder().encode(wish)))]);
  } catch (e) { back(); ui.warn(e); }
}

/** standing says what was asked of the desk about a card, and lets her take it back where its key is here. */
export const standing = (ui: UI, c: Card, w: Wish) => h("section", { class: "wish" },
  said(w.ends ? "wallet.wish_ended" : "wallet.wish_made", { to: w.to, date: date(w.at).textContent! }, "note"),
  c.state === "view_only" ? null : act("phones", w.ends ? "wallet.wish_show_end" : "wallet.wish_again", "wish-again", () => void wished(ui, c, w.to, w.ends)),
  w.ends || c.state === "view_only" ? null : act("bin", "wallet.wish_back", "wish-back", () => void wished(ui, c, w.to, true)));

async function hand(ui: UI, c: Card, holder: string, to: string, back: () => void) {
  try {
    const { text } = ui.app.must(await ui.app.core.handover(c.id, holder, to, now()));
    await ui.app.keep();
    await code(ui, async () => ({ text, until: 0 }), back, said("wallet.lend_show"));
  } catch (e) { back(); ui.warn(e); }
}
