// A card is handed to another phone: hers stays hers, the other's copy says for whom it
// is, and until when. The other phone shows a code, this one answers with one.
import { button, h } from "common/dom";
import { t } from "common/i18n";
import { said } from "../aloud";
import { now } from "../app";
import type { Card } from "../core";
import { picture } from "../pictures";
import { page, type UI } from "../ui";
import { make } from "../vault";
import { add, kept } from "./add";
import { card, label } from "./cards";
import { look } from "./scan";
import { code } from "./show";

/** lend asks for the other phone's code, then whether she is sure. */
export function lend(ui: UI, c: Card) {
  page(ui, {
    name: "lend", title: t("wallet.lend"), back: () => void card(ui, c.id),
    body: [label(c.title, c.gives), said("wallet.lend_lead"), said("wallet.lend_seen")],
    actions: h("div", { class: "pair" }, button(t("wallet.no"), () => void card(ui, c.id), "tall", "no"),
      button(t("wallet.lend_scan"), () => look(ui, { title: "wallet.lend_scan", hint: "wallet.lend_hint", back: () => lend(ui, c), found: (scanned) => sign(ui, c, scanned) }), "tall", "yes")),
  });
}

async function sign(ui: UI, c: Card, to: string): Promise<"more" | void> {
  const { kind } = await ui.app.core.kind(to);
  if (kind !== "receiver") { ui.toast(t("wallet.lend_wrong")); return "more"; }
  try {
    const d = ui.app.must(await ui.app.core.delegate(c.id, to, now()));
    const { text } = ui.app.must(await ui.app.core.shown(await ui.app.open!.sign(d.key, d.sign)));
    await ui.app.keep();
    await code(ui, { ...c, live: false }, async () => ({ text, until: 0 }), () => void card(ui, c.id), said("wallet.lend_show"));
  } catch (e) { await card(ui, c.id); ui.warn(e); }
}

/** receive shows this phone's code, and then takes the answer. */
export async function receive(ui: UI) {
  try {
    const key = await make();
    const { text } = ui.app.must(await ui.app.core.receiver(key.point, now()));
    await ui.app.keep([key]);
    const c = { live: false } as Card;
    const lead = [said("wallet.receive_lead"),
      button([picture("scan"), h("span", {}, t("wallet.receive_scan"))], () => look(ui, { title: "wallet.receive_scan", hint: "wallet.add_hint", back: () => add(ui), found: async (scanned) => {
        if ((await ui.app.core.kind(scanned)).kind !== "lent") { ui.toast(t("wallet.why_none")); return "more"; }
        await kept(ui, () => ui.app.core.add(scanned, now()));
      } }), "main pictured", "receive-scan")];
    await code(ui, c, async () => ({ text, until: 0 }), () => add(ui), lead);
  } catch (e) { add(ui); ui.warn(e); }
}
