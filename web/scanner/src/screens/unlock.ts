// Sealed facts open with the operator's code, and close again when nobody uses them.
import type { Lists } from "../core";
import { button, field, h, value, type Child } from "common/dom";
import { t } from "common/i18n";
import type { UI } from "../ui";
import { isBadge, scanBadge, takeBadge } from "./shift";

/** closed says that the sealed lists are closed while somebody works, and opens them; null where nothing is closed. */
export function closed(ui: UI, l: Lists, back: () => void): Child {
  const { app } = ui;
  if (app.practice || l.tables !== "locked" || !app.mayRecord()) return null;
  return h("div", { class: "note split", id: "closed" }, h("p", {}, t("unlock.closed")), button(t("unlock.open"), () => unlock(ui, back, back, true), "small", "unlock"));
}

/** unlock asks for the operator's code, then goes on. byBadge: nobody stands at the table, and a badge does as well. */
export function unlock(ui: UI, then: () => void, back: () => void, byBadge = false) {
  const wrong = h("p", { class: "wrong", role: "alert" });
  ui.show({
    name: "unlock", sign: "lock", title: t("unlock.title"), back,
    body: h("form", { id: "form", submit: async (e: Event) => {
      e.preventDefault();
      wrong.replaceChildren(t("unlock.wait"));
      if (await ui.app.unseal(value("code"))) { then(); return; }
      wrong.replaceChildren(t("unlock.wrong"));
    } }, h("p", {}, t("unlock.ask")), field(t("shift.operator"), "code", { type: "password", maxlength: 60 }), wrong),
    keys: byBadge ? (code) => { if (isBadge(code)) void takeBadge(ui, code); else ui.toast(t("badge.not")); } : undefined,
    actions: [byBadge ? button(t("shift.badge"), () => scanBadge(ui, back), "", "badge") : null,
      h("button", { class: "button main", type: "submit", form: "form", id: "unlock-go" }, t("common.go"))],
  });
  document.getElementById("code")!.focus();
}

const IDLE = 10 * 60_000, LOOK = 5_000; // milliseconds

/** guard closes sealed facts when the shift's badge ends, and after ten minutes in which nobody touched the phone and nothing was judged. */
export function guard(ui: UI) {
  const { app } = ui;
  let over = false; // closed once: whoever has the code may open them to look after the shift
  const look = async () => {
    const ended = app.shiftOver() && !over;
    over = app.shiftOver();
    if (!app.unlocked || !ended && Date.now() - app.used < IDLE) return;
    await app.lock();
    ui.toast(t("unlock.locked"));
  };
  const touch = () => void look().then(() => { app.used = Date.now(); });
  for (const name of ["pointerdown", "keydown"]) document.addEventListener(name, touch, { capture: true, passive: true });
  document.addEventListener("visibilitychange", () => void look());
  setInterval(() => void look(), LOOK);
}
