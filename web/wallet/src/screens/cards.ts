// My cards, and one card with all that can be done with it.
import { bdi, button, h, type Child } from "common/dom";
import { date, t, tag } from "common/i18n";
import { said } from "../aloud";
import { now } from "../app";
import type { Card } from "../core";
import { picture } from "../pictures";
import { act, page, type UI } from "../ui";
import { add } from "./add";
import { backUp } from "./backup";
import { history } from "./history";
import { lend } from "./lend";
import { settings } from "./settings";
import { present } from "./show";

/** standing says in words and a shape how a card stands. */
function standing(c: Card): HTMLElement {
  const words = c.standing === "ends" ? t("wallet.ends", { date: day(c.until!) }) : c.standing === "ended" ? t("wallet.ended")
    : c.standing === "cancelled" ? t("wallet.cancelled", { who: c.issuer }) : c.standing === "unchecked" ? t("wallet.unchecked", { date: day(c.since!) }) : t("wallet.ready");
  return h("span", { class: `standing ${c.standing}` }, h("span", { class: "mark", "aria-hidden": "true" }), h("span", {}, words));
}

const day = (seconds: number) => date(seconds).textContent!;

/** face is what a card looks like: colour, whose it is, what it gives. */
const face = (c: Card): Child => [picture(c.gives, "large"), h("span", { class: "words" }, h("strong", {}, bdi(c.title)), h("span", { class: "issuer" }, mark(c.issuer), bdi(c.issuer)),
  standing(c), c.lent ? h("span", { class: "lent" }, picture("phones"), bdi(c.lent)) : null)];

/** mark stands for an organisation: the first letters of its name on its colour. */
const mark = (issuer: string) => h("span", { class: "org", "aria-hidden": "true" }, issuer.split(/\s+/).slice(0, 2).map((w) => [...w][0] ?? "").join("").toUpperCase());

const colours = ["blue", "green", "violet", "brown", "teal"];
const colour = (c: Card) => colours.includes(c.colour) ? c.colour : colours[[...c.issuer].reduce((n, x) => (n * 31 + x.codePointAt(0)!) >>> 0, 7) % colours.length];

const all = async (ui: UI) => ui.app.must(await ui.app.core.cards(now(), tag())).cards;

export async function cards(ui: UI) {
  const list = await all(ui);
  page(ui, {
    name: "cards", title: t("wallet.cards"),
    body: [list.length ? h("ul", { class: "wallet" }, list.map((c) => h("li", {},
      h("button", { type: "button", class: `card ${colour(c)}`, id: `card-${c.id}`, click: () => void card(ui, c.id) }, face(c))))) : said("wallet.no_cards", {}, "lead"),
    ui.app.offline === "no" ? said("wallet.not_kept", {}, "note") : null],
    actions: [act("plus", "wallet.add", "add", () => add(ui), list.length ? "" : "main"),
      h("div", { class: "row" }, [["clock", "wallet.history", "history", () => void history(ui)], ["back_up", "wallet.backup", "backup", () => backUp(ui)],
        ["settings", "wallet.settings", "settings", () => void settings(ui)]].map(([pic, key, id, go]) => act(pic as string, key as string, id as string, go as () => void, "tab")))],
  });
}

export async function card(ui: UI, id: string) {
  const c = (await all(ui)).find((x) => x.id === id);
  if (!c) { await cards(ui); return; }
  page(ui, {
    name: "card", title: bdi(c.title), back: () => void cards(ui),
    body: [h("div", { class: `card ${colour(c)}` }, face(c)),
      c.standing === "cancelled" ? said("wallet.cancelled_do") : c.standing === "ended" ? said("wallet.ended_do") : c.standing === "unchecked" ? said("wallet.unchecked_do") : null,
      c.facts.length ? h("dl", { class: "facts" }, c.facts.map((f) => h("div", {}, h("dt", {}, bdi(f.label)), h("dd", {}, bdi(f.value))))) : null,
      h("div", { class: "pair" }, act("phones", "wallet.lend", "lend", () => lend(ui, c)), act("hide", "wallet.remove", "remove", () => remove(ui, c)))],
    actions: act("scan", "wallet.show", "show", () => present(ui, c), "main tall"),
  });
}

function remove(ui: UI, c: Card) {
  page(ui, {
    name: "remove", title: t("wallet.remove"), back: () => void card(ui, c.id),
    body: [h("div", { class: `card ${colour(c)}` }, face(c)), said("wallet.remove_lead")],
    actions: h("div", { class: "pair" }, button(t("wallet.no"), () => void card(ui, c.id), "tall", "no"),
      button(t("wallet.remove_yes"), async () => {
        try { await ui.app.keep([], ui.app.must(await ui.app.core.remove(c.id)).gone); await cards(ui); } catch (e) { ui.warn(e); }
      }, "tall", "yes")),
  });
}

/** label says in one line which card it is, for other screens. */
export const label = (title: string, gives: string) => h("p", { class: "which" }, picture(gives), bdi(title));
