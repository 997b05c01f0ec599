// Sealed facts open with the operator's code, and close again when nobody uses them.
import { field, h, value } from "../dom";
import { t } from "../i18n";
import type { UI } from "../ui";

/** unlock asks for the operator's code, then goes on. */
export function unlock(ui: UI, then: () => void, back: () => void) {
  const wrong = h("p", { class: "wrong", role: "alert" });
  ui.show({
    name: "unlock", sign: "lock", title: t("unlock.title"), back,
    body: h("form", { id: "form", submit: async (e: Event) => {
      e.preventDefault();
      wrong.replaceChildren(t("unlock.wait"));
      if (await ui.app.unseal(value("code"))) { then(); return; }
      wrong.replaceChildren(t("unlock.wrong"));
    } }, h("p", {}, t("unlock.ask")), field(t("shift.operator"), "code", { type: "password", maxlength: 60 }), wrong),
    actions: [h("button", { class: "button main", type: "submit", form: "form", id: "unlock-go" }, t("common.go"))],
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
