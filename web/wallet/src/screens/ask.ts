// Before sharing: what is asked, by whom and how they are known, and what for. Least is
// told unless she says more, and No is as large as Yes.
import { bdi, button, h } from "common/dom";
import { t } from "common/i18n";
import { said } from "../aloud";
import type { Agreement, Asked } from "../core";
import { picture } from "../pictures";
import { page, type UI } from "../ui";
import { label } from "./cards";

export function asked(ui: UI, a: Asked): Promise<Agreement> {
  const more = new Map<string, HTMLInputElement>();
  return new Promise((done) => {
    const answer = () => done({ share: a.answers.map((x) => ({ query: x.query, card: x.card,
      without: x.told.filter((f) => f.optional && !more.get(x.query + " " + f.path)!.checked).map((f) => f.path) })) });
    page(ui, {
      name: "ask", title: t("wallet.ask"), back: () => done({ refuse: true }),
      body: [h("div", { class: "center" }, picture("desk", "large")), said("wallet.ask_who", { who: a.who }, "lead"), said(`wallet.ask_${a.proved}`, { host: a.host }, a.proved === "none" ? "note" : ""),
        a.purpose ? said("wallet.ask_for", { what: a.purpose }) : said("wallet.ask_no_purpose", {}, "note"),
        a.answers.map((x) => h("section", {}, label(x.title, x.gives),
          x.told.length ? h("dl", { class: "facts" }, x.told.filter((f) => !f.optional).map((f) => h("div", {}, h("dt", {}, bdi(f.label)), h("dd", {}, bdi(f.value))))) : said("wallet.ask_nothing"),
          x.told.filter((f) => f.optional).map((f) => {
            const box = h("input", { type: "checkbox", id: `more-${x.query}-${f.path}` });
            more.set(x.query + " " + f.path, box);
            return h("label", { class: "switch" }, box, h("span", {}, t("wallet.ask_more", { what: f.label }), " ", bdi(f.value)));
          }))), said("wallet.ask_logged", {}, "quiet")],
      actions: h("div", { class: "pair" }, button(t("wallet.no"), () => done({ refuse: true }), "tall", "no"), button(t("wallet.share"), answer, "tall", "yes")),
    });
  });
}
