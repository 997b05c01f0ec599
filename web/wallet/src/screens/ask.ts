// Before sharing: what is asked, by whom and how they are known, and what for. Least is
// told unless she says more, and No is as large as Yes.
import { bdi, button, h, type Child } from "common/dom";
import { t, tag, text } from "common/i18n";
import { said } from "../aloud";
import { now } from "../app";
import type { Asked, Choices, Claim, Option, Pick, Want } from "../core";
import { picture } from "../pictures";
import { comma, details, labelled, language, machines, place, valued } from "../plainly";
import { page, type UI } from "../ui";
import { label } from "./cards";

/** asked shows a request and gives what she would answer with; null: no. */
export async function asked(ui: UI, a: Asked, c: Choices): Promise<Pick[] | null> {
  const answers = new Map(c.least.map((p) => [p.want, p]));
  const parts: Child[] = [];
  for (const w of c.wants) {
    // Another form of a card that goes already would tell the same a second time.
    const more = w.options.some((o) => answers.get(w.id)?.card === o.card || !c.least.some((p) => p.card === o.card));
    if (more) parts.push(await part(ui, w, answers));
  }
  return new Promise((done) => page(ui, {
    name: "ask", title: t("wallet.ask"), back: () => done(null),
    body: [h("div", { class: "center" }, picture("desk", "large")), said("wallet.ask_who", { who: called(a) }, "lead"),
      said(`wallet.ask_${a.who.how}`, { who: place(a.who.name), host: a.to }, a.who.how === "address" || a.who.how === "key" ? "note" : ""),
      a.purpose ? foreign(a) ? said("wallet.ask_for_in", { what: a.purpose, language: language(a.purpose_lang) }) : said("wallet.ask_for", { what: a.purpose }) : said("wallet.ask_no_purpose", {}, "note"),
      c.possible ? parts : said("wallet.why_nothing", {}, "note"), said("wallet.ask_logged", {}, "quiet"),
      machines(a.who.client_id) ? details(a.who.client_id) : null],
    actions: h("div", { class: "pair" }, button(t("wallet.no"), () => done(null), "tall", "no"),
      c.possible ? button(t("wallet.share"), () => done([...answers.values()]), "tall", "yes") : null),
  }));
}

/** called is who asks: the name they give themselves where they proved who they are, else where the answer goes. */
const called = ({ who, to }: Asked) => (who.how === "website" || who.how === "certificate" ? who.calls || place(who.name) : place(who.name)) || to;

/** foreign: what it is for is said in another language than the app's. */
const foreign = (a: Asked) => !!a.purpose_lang && a.purpose_lang.split("-")[0] !== tag();

/** part is one card that is asked for: which, what would be told of it, and how little would do. */
async function part(ui: UI, w: Want, answers: Map<string, Pick>): Promise<Child> {
  const chosen = answers.get(w.id);
  const o = w.options.find((x) => x.card === chosen?.card && x.form === chosen.form) ?? w.options[0];
  const { card, claims } = ui.app.must(await ui.app.core.card(o.card, now(), tag()));
  const known = new Map(claims.map((f) => [f.name, f]));
  const words = (names: string[]) => names.map((n) => known.get(n) ?? { name: n, label: n, value: "" });
  const named = (f: Claim) => bdi(labelled(f.name, f.label, card.type));
  const facts = h("dl", { class: "facts" });
  const fill = (way: number) => facts.replaceChildren(...words([...new Set([...o.always.filter((n) => known.has(n)), ...o.ways[way].claims])]).map((f) =>
    h("div", {}, h("dt", {}, named(f)), h("dd", {}, valued(f, card.type)))));
  const least = chosen?.way ?? fewest(o);
  const pick = (way: number) => { answers.set(w.id, { want: w.id, card: o.card, form: o.form, way }); fill(way); };
  fill(least);
  const ways = o.ways.length > 1 ? h("fieldset", { class: "choices" }, h("legend", {}, t("wallet.ask_less")), o.ways.map((x, i) =>
    h("label", {}, h("input", { type: "radio", name: `way-${w.id}`, id: `way-${w.id}-${i}`, checked: i === least, change: () => pick(i) }),
      h("span", {}, x.claims.length ? words(x.claims).map((f, n) => [n ? comma() : null, named(f)]) : t("wallet.ask_least"))))) : null;
  // What no answer needs is left out unless she adds it.
  const more = chosen ? null : h("input", { type: "checkbox", id: `more-${w.id}`, change: () => {
    if (more!.checked) pick(least); else answers.delete(w.id);
  } });
  return h("section", {}, label(card.name || text("wallet.card"), card.picture), more ? h("label", { class: "switch" }, more, h("span", {}, t("wallet.ask_more"))) : null,
    facts.children.length ? facts : said("wallet.ask_nothing"), ways, o.again ? said("wallet.ask_again", {}, "note") : null);
}

const fewest = (o: Option) => o.ways.reduce((best, x, i) => (x.claims.length < o.ways[best].claims.length ? i : best), 0);
