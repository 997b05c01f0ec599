// Where and when somebody collected before, and where else a card is good: for a
// supervisor of the same organisation, and never of a protected site. The core decides
// what may be told; here a tap asks for it, and that is written down first.
import { button, h, bdi, type Child } from "common/dom";
import { moment, t } from "common/i18n";
import type { UI } from "../ui";
import { shown } from "./verdict";
import { supervisor } from "./supervisor";
import type { Meeting } from "./meeting";

/** whereabouts is the button that asks; null where there is nothing to tell, or the look could not be written down. */
export function whereabouts(ui: UI, m: Meeting, again: () => void): Child {
  const { app } = ui;
  if (!m.v.whereabouts || app.practice || !app.mayRecord()) return null;
  const b = button(t("where.show"), async () => {
    if (!app.supervisor("person")) { supervisor(ui, again, () => shown(ui, m)); return; } // the door has closed meanwhile
    b.disabled = true;
    if (!(await app.note("place_shown", m.v.verdict).then(() => true, () => false))) { ui.toast(t("give.failed")); b.disabled = false; return; }
    const w = await app.core.whereabouts(app.clock(), m.v.verdict);
    const row = (key: string, x: Child) => h("div", {}, h("dt", {}, t(key)), h("dd", {}, x));
    b.closest<HTMLElement>(".body")!.tabIndex = 0; // no button is left in it: the keyboard scrolls it so
    b.replaceWith(w.ok ? h("dl", { class: "facts", id: "where" },
      w.site ? row("where.collected", bdi(w.site)) : null, w.when ? row("where.at", moment(w.when)) : null,
      w.sites.length ? row("where.good", w.sites.map((s, i) => [i ? " · " : "", bdi(s)])) : null) : h("p", { class: "note" }, t("where.gone")));
  }, "", "show-where");
  return b;
}
