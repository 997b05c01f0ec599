// A shift opens with a volunteer's badge and closes when its journal is handed in.
// The badge is written down as a record of its own: all that follows it in the
// chain, up to the next, is that volunteer's.
import { now } from "../app";
import { button, field, h, value } from "../dom";
import { t } from "../i18n";
import { Full } from "../store";
import { stopScreen, type UI } from "../ui";
import { history } from "./history";
import { ready } from "./ready";
import { scan } from "./scan";
import { supervisor } from "./supervisor";

/** Cap on what a browser that may forget is trusted with. */
const UNSENT = 400;

export function openShift(ui: UI) {
  const wrong = h("p", { class: "wrong", role: "alert" });
  ui.show({
    name: "shift", title: t("shift.open"), back: () => void ready(ui),
    body: [
      h("p", { class: "lead" }, t("shift.lead")),
      h("form", { id: "form", submit: (e: Event) => {
        e.preventDefault();
        const staff = value("staff");
        if (!/^[A-Za-z0-9-]{1,16}$/.test(staff)) { wrong.replaceChildren(t("shift.code_wrong")); return; }
        const operator = value("code");
        supervisor(ui, () => void begin(ui, staff, operator), () => openShift(ui));
      } }, field(t("shift.code"), "staff", { maxlength: 16, dir: "ltr", autocapitalize: "characters" }),
      field(t("shift.operator"), "code", { type: "password", maxlength: 60 }), wrong),
    ],
    actions: [
      button(t("shift.badge"), () => scan(ui, { title: "shift.badge", found: (code) => void badge(ui, code), back: () => openShift(ui) }), "", "badge"),
      h("button", { class: "button main", type: "submit", form: "form", id: "shift-go" }, t("shift.without")),
    ],
  });
}

/** badge is a signed card of the type "badge", of the organisation whose pack this is, valid today. */
async function badge(ui: UI, code: string) {
  const v = await ui.app.judge(code);
  if (v.answer !== "valid" || v.type !== "badge" || !v.number) { openShift(ui); ui.toast(t("shift.badge_wrong")); return; }
  await begin(ui, v.number, "");
}

async function begin(ui: UI, staff: string, operator: string) {
  const { app } = ui;
  if (!app.persisted && app.unsent() >= UNSENT) { ui.toast(t("shift.hand_in")); return history(ui); }
  try {
    const first = await app.note("shift_open", false, staff);
    await app.keep({ shift: { staff, opened: now(), first } });
  } catch (e) {
    ui.show(stopScreen(ui, e instanceof Full ? "full" : "storage", { label: t("common.back"), act: () => void ready(ui) }));
    return;
  }
  const opened = !operator || (await app.unseal(operator));
  await ready(ui);
  if (!opened) ui.toast(t("shift.operator_wrong"));
}

/** closeShift is refused while records are on this phone alone. */
export async function closeShift(ui: UI) {
  const { app } = ui;
  if (app.unsent()) { await history(ui); ui.toast(t("shift.hand_in")); return; }
  await app.note("shift_close");
  await app.keep({ shift: null });
  await ready(ui);
}
