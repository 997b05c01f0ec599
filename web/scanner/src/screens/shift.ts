// A shift opens with a volunteer's badge, or with a code and the supervisor's PIN,
// and closes when its journal is handed in, or when the next worker takes over. Who
// works is written down as a record of its own: all that follows it in the chain, up
// to the next, is that volunteer's.
import { now } from "../app";
import { button, field, h, value } from "common/dom";
import { t } from "common/i18n";
import { Full, type Shift } from "../store";
import { hold, stopScreen, type UI } from "../ui";
import { history } from "./history";
import { ready } from "./ready";
import { scan } from "./scan";
import { supervisor } from "./supervisor";

/** isBadge: a volunteer's badge, by its beginning. What it opens the core says. */
export const isBadge = (code: string) => code.startsWith("APB1:");

/** Cap on what a browser that may forget is trusted with. */
const UNSENT = 400;

export async function openShift(ui: UI) {
  const { keys } = await ui.app.lists();
  const wrong = h("p", { class: "wrong", role: "alert" });
  ui.show({
    name: "shift", title: t("shift.open"), back: () => void ready(ui),
    keys: (code) => { if (isBadge(code)) void takeBadge(ui, code); else ui.toast(t("badge.not")); },
    body: [
      h("p", { class: "lead" }, t("shift.lead")),
      h("form", { id: "form", submit: (e: Event) => {
        e.preventDefault();
        const staff = value("staff");
        if (!/^[A-Za-z0-9-]{1,16}$/.test(staff)) { wrong.replaceChildren(t("shift.code_wrong")); return; }
        const operator = keys ? value("code") : "";
        supervisor(ui, () => void begin(ui, { staff }, operator), () => void openShift(ui), "shift");
      } }, field(t("shift.code"), "staff", { maxlength: 16, dir: "ltr", autocapitalize: "characters" }),
      keys ? [field(t("shift.operator"), "code", { type: "password", maxlength: 60, "aria-describedby": "code-lead" }), h("p", { class: "quiet", id: "code-lead" }, t("shift.operator_lead"))] : null, wrong),
    ],
    actions: [
      h("button", { class: "button", type: "submit", form: "form", id: "shift-go" }, t("shift.without")),
      button(t("shift.badge"), () => scanBadge(ui, () => void openShift(ui)), "main", "badge"),
    ],
  });
}

/** scanBadge looks for a badge and nothing else. */
export function scanBadge(ui: UI, back: () => void) {
  scan(ui, { title: "shift.badge", back, found: async (code) => {
    if (!isBadge(code)) ui.toast(t("badge.not"));
    else if (await takeBadge(ui, code)) return;
    await new Promise((done) => setTimeout(done, 800));
    return "more";
  } });
}

/** badgeSeen is for a badge where a card is looked for: it opens a shift where none is open, and changes nothing else. True: another screen is shown. */
export async function badgeSeen(ui: UI, code: string): Promise<boolean> {
  const { app } = ui;
  if (!app.practice && app.device?.certified && !app.shiftOpen()) return takeBadge(ui, code);
  ui.toast(t("badge.is"));
  return false;
}

/** takeBadge opens the shift of a badge's holder, or hands the open one over. True: another screen is shown. */
export async function takeBadge(ui: UI, code: string): Promise<boolean> {
  const { app } = ui;
  const b = await app.core.badge(code, now());
  if (!b.ok || !app.device?.certified) {
    ui.toast(t(b.ok ? "ready.check_only" : `badge.${b.reason ?? "none"}`));
    return false;
  }
  await begin(ui, { staff: b.staff, until: b.until, lead: b.lead }, b.code, code);
  return true;
}

async function begin(ui: UI, who: Pick<Shift, "staff" | "until" | "lead">, operator: string, badge = "") {
  const { app } = ui;
  const before = app.shift;
  const goesOn = app.shiftOpen() && before!.staff === who.staff;
  if (!goesOn && !app.persisted && app.unsent() >= UNSENT) { await history(ui); ui.toast(t("shift.hand_in")); return; }
  try {
    if (goesOn) await app.keep({ shift: { ...before!, ...who } });
    else {
      if (before) {
        await end(ui);
        app.door = null; // the next worker opens the supervisor's door anew
      }
      await app.note("shift_open", 0, who.staff, (first) => ({ shift: { ...who, opened: now(), first } }));
    }
  } catch (e) {
    ui.show(stopScreen(ui, e instanceof Full ? "full" : "storage", { label: t("common.back"), act: () => void ready(ui) }));
    return;
  }
  const opened = !operator || (await app.unseal(operator, badge));
  await ready(ui);
  ui.toast(t(!opened ? (badge ? "shift.badge_closed" : "shift.operator_wrong") : goesOn ? "shift.goes_on" : before ? "shift.handed_over" : "shift.opened", { who: who.staff }));
}

/** end closes the shift in the journal and on the phone in one step: cut off in between, neither is done. */
async function end(ui: UI) {
  ui.hush(); // nor can the next one take back what this one gave
  await ui.app.lock(); // what one worker opened is not the next one's
  await ui.app.note("shift_close", 0, "", () => ({ shift: null }));
}

/** closing asks once more: a shift that is closed opens with a badge alone. It is refused while records are on this phone alone. */
export async function closing(ui: UI, back: () => void) {
  const { app } = ui;
  if (app.unsent()) { await history(ui); ui.toast(t("shift.hand_in")); return; }
  ui.show({
    name: "close", sign: "lock", title: t("shift.close"), back,
    body: h("p", { class: "lead" }, t("shift.close_lead", { who: app.shift?.staff ?? "" })),
    actions: hold(t("shift.close_hold"), "close", async () => {
      try {
        await end(ui);
      } catch (e) { // the shift goes on
        ui.show(stopScreen(ui, e instanceof Full ? "full" : "storage", { label: t("common.back"), act: () => void ready(ui) }));
        return;
      }
      await ready(ui);
    }),
  });
}
