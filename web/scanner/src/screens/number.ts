// A typed number is signed by nobody: it finds the row of the sealed list, and only a
// holder check and the supervisor together open the recording.
import { Kind, type Numbered, type Verdict } from "../core";
import { bdi, button, h } from "common/dom";
import { t } from "common/i18n";
import { hold, type UI } from "../ui";
import { amounts, offer, record } from "./give";
import { facing, mustCheck, type Meeting } from "./meeting";
import { scan } from "./scan";
import { supervisor } from "./supervisor";
import { facts, shown, verdict } from "./verdict";

/** which asks for the programme where several rows have the number, and goes on with one. */
export function which(ui: UI, v: Numbered, typed: string) {
  const pick = (n: number) => async () => {
    const again = () => ui.app.core.number(typed, ui.app.clock(), n) as Promise<Verdict>;
    verdict(ui, n ? await again() : (v as Verdict), "", again);
  };
  if (!v.rows) { void pick(0)(); return; }
  ui.show({
    name: "which", title: t("number.which"), back: () => scan(ui),
    body: h("ul", { class: "menu" }, v.rows.map((r, i) => h("li", {}, h("button", { type: "button", id: `row-${i}`, click: pick(i + 1) },
      h("span", {}, bdi(r.name || r.programme), " · ", t("number.round", { n: r.round })), h("span", { class: "arrow", "aria-hidden": "true" }))))),
  });
}

/** byNumber is the supervisor's recording on the row of a number. */
export function byNumber(ui: UI, m: Meeting) {
  if (mustCheck(m)) { ui.toast(t("give.say_check")); return; }
  const code = "number_only", back = () => shown(ui, m);
  const open = async () => {
    m.v = await m.again();
    facing(ui, m, {
      name: "number", title: t("number.title"), back,
      body: [h("p", {}, t("number.lead")), offer(ui, m), facts(ui, m.v)],
      actions: [hold(t("give.hold"), "give", () => record(ui, m, { kind: Kind.collection, code })),
        button(t("give.other"), () => amounts(ui, m, { code }, () => void open()), "", "other")],
    });
  };
  supervisor(ui, () => void open(), back);
}
