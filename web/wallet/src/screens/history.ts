// Who asked, and what they were told. It stands on this phone alone.
import { bdi, h } from "common/dom";
import { moment, t, tag } from "common/i18n";
import { said } from "../aloud";
import { now } from "../app";
import { picture } from "../pictures";
import { comma, details, labelled, machines, other } from "../plainly";
import { page, type UI } from "../ui";
import { cards } from "./cards";

const pictures: Record<string, string> = { shown: "desk", declined: "desk", live: "scan", paper: "scan", added: "plus", removed: "bin", wished: "people", wish_ended: "people", handed_over: "phones", taken_over: "phones", backed_up: "back_up", restored: "restore" };

export async function history(ui: UI) {
  const { core } = ui.app;
  const names = new Map(ui.app.must(await core.cards(now(), tag())).cards.map((c) => [c.id, c.name]));
  const { events } = ui.app.must(await core.log());
  page(ui, {
    name: "history", title: t("wallet.history"), back: () => void cards(ui),
    body: [said("wallet.history_lead"), events.length ? h("ul", { class: "log" }, events.map((e) => {
      const of = e.cards.map((id) => names.get(id)).filter(Boolean).join(comma());
      return h("li", { class: e.kind === "declined" ? "no" : "" }, picture(pictures[e.kind] ?? "clock"), h("span", { class: "what" },
        other(e.who, e.name) ? h("div", {}, bdi(other(e.who, e.name))) : null, t(`wallet.did_${e.kind}`), of ? h("small", {}, bdi(of)) : null,
        e.for ? h("small", {}, t("wallet.ask_for", { what: e.for })) : null,
        e.claims.length ? h("small", {}, e.claims.map((w, i) => [i ? comma() : null, bdi(labelled(w))])) : null, h("small", {}, moment(e.at)), machines(e.who) ? details(e.who) : null));
    })) : said("wallet.history_none")],
  });
}
