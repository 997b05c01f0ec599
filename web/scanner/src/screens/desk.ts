// What happens when the word is not enough: somebody else stands there, she says that
// nothing was received, or the supervisor gives all the same.
import { Check, Kind } from "../core";
import { bdi, button, h } from "common/dom";
import { t } from "common/i18n";
import { hold, type UI } from "../ui";
import { checks, offer, record, recorded } from "./give";
import { facing, onward, type Meeting } from "./meeting";
import { supervisor } from "./supervisor";
import { facts, shown } from "./verdict";

export const reasons = ["known_to_staff", "lists_old", "card_damaged", "emergency"];

/** notPerson: the photo does not fit, or is not shown. A look in private and a witness are as good as a photo. */
export function notPerson(ui: UI, m: Meeting) {
  const checked = (check: number) => () => { m.checks.add(check); shown(ui, m); };
  facing(ui, m, {
    name: "not-person", tone: "amber", sign: "triangle-bang", title: t("give.not_person"), back: () => shown(ui, m),
    body: [h("p", { class: "todo" }, t("give.not_person_do"))],
    actions: [
      button(t("give.private_fits"), checked(Check.photo), "", "private"),
      button(t("give.witness_speaks"), checked(Check.witness), "", "witness-speaks"),
      button(t("give.help_desk"), async () => {
        if (ui.app.mayRecord()) await ui.app.note("not_this_person", m.v.verdict).catch(() => {});
        onward(ui);
      }, "main", "next"),
    ],
  });
}

/** complaint writes down that she says she did not receive, which can be taken back as a gift can; the supervisor may allow an emergency ration. */
export async function complaint(ui: UI, m: Meeting) {
  let sequence: number;
  try {
    sequence = await ui.app.note("not_received", m.v.verdict);
  } catch {
    ui.toast(t("give.failed"));
    return;
  }
  facing(ui, m, {
    name: "complaint", tone: "amber", sign: "triangle-bang", title: t("complaint.title"),
    body: [h("p", { class: "todo" }, t("complaint.lead"))],
    actions: [
      button(t("complaint.emergency"), () => supervisor(ui, () => void override(ui, m, ["emergency"]), () => onward(ui)), "", "emergency"),
      button(t("verdict.next"), () => onward(ui), "main", "next"),
    ],
  });
  recorded(ui, sequence, () => { if (ui.is("complaint")) shown(ui, m); });
}

/** override gives all the same: with a reason that is recorded, under the ceiling of the shift, after a second look. */
export async function override(ui: UI, m: Meeting, allowed: string[]) {
  const { app } = ui;
  const most = app.device?.overrides ?? 0, used = await app.overridden();
  m.v = await m.again(); // what is recorded belongs to the newest verdict
  const full = used >= most && !app.practice;
  facing(ui, m, {
    name: "override", title: t("override.title"), back: () => onward(ui),
    body: [
      h("p", {}, t("override.lead")),
      app.practice ? null : h("p", { class: full ? "banner" : "note", id: "ceiling", role: "status" },
        t(full ? "override.full" : "override.ceiling", { n: used, most }), app.device?.ceiling ? [" · ", bdi(app.device.ceiling)] : null),
      full ? null : [
        allowed.length === 1 ? h("p", { class: "lead" }, h("strong", {}, t(`override.${allowed[0]}`)))
          : h("fieldset", { class: "choices" }, h("legend", {}, t("override.reason")), allowed.map((r, i) =>
            h("label", {}, h("input", { type: "radio", name: "reason", value: r, checked: i === 0 }), h("span", {}, t(`override.${r}`))))),
        h("h2", {}, t("override.look")), checks(ui, m, () => notPerson(ui, m), () => void override(ui, m, allowed)), offer(ui, m), facts(ui, m.v)],
    ],
    actions: full ? button(t("verdict.next"), () => onward(ui), "main", "next") : hold(t("give.hold"), "give", () => {
      const r = document.querySelector<HTMLInputElement>("input[name=reason]:checked");
      return record(ui, m, { kind: Kind.collection, code: `override:${r?.value ?? allowed[0]}` });
    }),
  });
}

