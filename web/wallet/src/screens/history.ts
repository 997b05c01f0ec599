// Who asked, and what they were told. It stands on this phone alone.
import { bdi, h } from "common/dom";
import { moment, t, tag } from "common/i18n";
import { said } from "../aloud";
import type { Entry } from "../core";
import { picture } from "../pictures";
import { page, type UI } from "../ui";
import { cards } from "./cards";

const pictures: Record<Entry["kind"], string> = { asked: "desk", shown: "scan", received: "plus", lent: "phones" };

export async function history(ui: UI) {
  const { entries } = ui.app.must(await ui.app.core.history(tag()));
  page(ui, {
    name: "history", title: t("wallet.history"), back: () => void cards(ui),
    body: [said("wallet.history_lead"), entries.length ? h("ul", { class: "log" }, entries.map((e) => h("li", { class: e.given ? "" : "no" }, picture(pictures[e.kind]),
      h("span", { class: "what" }, bdi(e.who || e.card), " ", t(e.kind === "asked" && !e.given ? "wallet.did_refuse" : `wallet.did_${e.kind}`),
        e.what.length ? h("small", {}, e.what.map((w, i) => [i ? ", " : null, bdi(w)])) : null, h("small", {}, moment(e.at)))))) : said("wallet.history_none")],
  });
}
