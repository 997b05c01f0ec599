// My cards, and one card with all that can be done with it.
import { bdi, button, h, type Child } from "common/dom";
import { date, t, tag, text } from "common/i18n";
import { said } from "../aloud";
import { now } from "../app";
import type { Card } from "../core";
import { picture } from "../pictures";
import { details, issuer, labelled, place, telling, valued } from "../plainly";
import { act, page, type UI } from "../ui";
import { add, flow, renew } from "./add";
import { backUp } from "./backup";
import { history } from "./history";
import { lend, standing as wished } from "./lend";
import { settings } from "./settings";
import { answerDesk, present } from "./show";

/** standing says in words and a shape how a card stands. */
const standing = (c: Card) => h("span", { class: `standing ${c.state}` }, h("span", { class: "mark", "aria-hidden": "true" }),
  h("span", {}, t(`wallet.is_${c.state}`, { date: c.state_at ? date(c.state_at).textContent! : "", who: issuer(c) })));

/** origin says how this phone knows whose card it is. */
const origin = (c: Card) => (c.state === "unproved" ? null
  : said(`wallet.known_${c.known}`, { host: (c.known === "website" ? place(c.issuer) : "") || place(c.source) || issuer(c) }, c.known === "website" ? "quiet" : "note"));

const title = (c: Card) => c.name || text("wallet.card");

/** face is what a card looks like: colour, whose it is, what it gives. */
const face = (c: Card): Child => [picture(c.picture, "large"), h("span", { class: "words" }, h("strong", {}, bdi(title(c))), h("span", { class: "issuer" }, mark(issuer(c)), bdi(issuer(c))),
  standing(c), c.held_for ? h("span", { class: "lent" }, picture("phones"), h("span", {}, t("wallet.held_for", { who: c.held_for }))) : null)];

/** mark stands for an organisation: the first letters of its name. */
const mark = (issuer: string) => h("span", { class: "org", "aria-hidden": "true" }, issuer.split(/\s+/).slice(0, 2).map((w) => [...w][0] ?? "").join("").toUpperCase());

const colours = ["blue", "green", "violet", "brown", "teal"];
/** An issuer's own colour may be one that nothing can be read on: it chooses among ours. */
const colour = (c: Card) => colours[[...(c.issuer + c.colour)].reduce((n, x) => (n * 31 + x.codePointAt(0)!) >>> 0, 7) % colours.length];

const all = async (ui: UI) => ui.app.must(await ui.app.core.cards(now(), tag())).cards;

/** cards shows them all, if it is still wanted once they are known: she may have opened one meanwhile. */
export async function cards(ui: UI, still = () => true) {
  const list = await all(ui);
  if (!still()) return;
  page(ui, {
    name: "my-cards", title: t("wallet.cards"),
    body: [list.length ? h("ul", { class: "wallet" }, list.map((c) => h("li", {},
      h("button", { type: "button", class: `pass ${colour(c)}`, id: `card-${c.id}`, click: () => void card(ui, c.id) }, face(c))))) : said("wallet.no_cards", {}, "lead"),
    ui.app.half ? h("div", { class: "note split" }, said("wallet.half"), button(t("wallet.go_on"), () => void flow(ui, "offer", null), "small", "half")) : null,
    ui.app.offline === "no" ? said("wallet.not_kept", {}, "note") : null],
    actions: [act("plus", "wallet.add", "add", () => add(ui), list.length ? "" : "main"),
      h("div", { class: "row" }, [["clock", "wallet.history", "history", () => void history(ui)], ["back_up", "wallet.backup", "backup", () => backUp(ui)],
        ["settings", "wallet.settings", "settings", () => void settings(ui)]].map(([pic, key, id, go]) => act(pic as string, key as string, id as string, go as () => void, "tab")))],
  });
}

export async function card(ui: UI, id: string) {
  const { card: c, claims, wish } = ui.app.must(await ui.app.core.card(id, now(), tag()));
  page(ui, {
    name: "one-card", title: bdi(title(c)), back: () => void cards(ui),
    body: [h("div", { class: `pass ${colour(c)}` }, face(c)),
      ["ready", "ends_on", "not_yet"].includes(c.state) ? null : said(`wallet.do_${c.state}`, c.state === "unproved" ? { host: place(c.source) } : {}),
      claims.length ? h("dl", { class: "facts" }, claims.filter(telling).map((f) => h("div", {}, h("dt", {}, bdi(labelled(f.name, f.label, c.type))), h("dd", {}, valued(f, c.type))))) : null,
      wish ? wished(ui, c, wish) : null, c.type === "delegation" ? said("wallet.for_another", {}, "note") : null,
      origin(c), details(c.issuer, c.source),
      c.fetch ? [said("wallet.few_copies", { n: c.left }, "note"), act("turn", "wallet.renew", "renew", () => renew(ui, c))] : null,
      h("div", { class: "pair" }, ["ended", "cancelled"].includes(c.state) || c.type === "delegation" ? null : act("phones", "wallet.lend", "lend", () => lend(ui, c)), act("bin", "wallet.remove", "remove", () => remove(ui, c)))],
    actions: !c.live && !c.paper ? null : c.live
      ? h("div", { class: "pair" }, act("desk", "wallet.desk_scan", "desk", () => answerDesk(ui, c)), act("scan", "wallet.show", "show", () => present(ui, c), "main"))
      : act("scan", "wallet.show", "show", () => present(ui, c), "main tall"),
  });
}

function remove(ui: UI, c: Card) {
  page(ui, {
    name: "remove", title: t("wallet.remove"), back: () => void card(ui, c.id),
    body: [h("div", { class: `pass ${colour(c)}` }, face(c)), said("wallet.remove_lead")],
    actions: h("div", { class: "pair" }, button(t("wallet.no"), () => void card(ui, c.id), "tall", "no"),
      button(t("wallet.remove_yes"), async () => {
        try { await ui.app.keep(ui.app.must(await ui.app.core.remove(c.id, now())).handles); await cards(ui); } catch (e) { ui.warn(e); }
      }, "tall", "yes")),
  });
}

/** label says in one line which card it is, for other screens. */
export const label = (title: string, gives: string): HTMLElement => h("p", { class: "which" }, picture(gives), bdi(title));
