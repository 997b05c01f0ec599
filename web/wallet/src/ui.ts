// The screens of the wallet: each can be read aloud, and hidden at one touch.
import { button, h } from "common/dom";
import { has, t, text } from "common/i18n";
import { Screens, type Screen } from "common/ui";
import { hush, said, whole } from "./aloud";
import { Refused, type App, type Stop } from "./app";
import { picture } from "./pictures";
import { Full, NoFinger } from "./vault";

export type { Screen } from "common/ui";

export class UI extends Screens {
  hide = () => {};
  constructor(public app: App) {
    super();
    document.addEventListener("keydown", (e) => { if (e.key === "Escape" && !e.defaultPrevented) document.querySelector<HTMLElement>("#screen .back")?.click(); });
  }

  /** warn says why something was not done; the reason's name is for whoever looks closer. */
  warn(e: unknown) {
    this.toast(t(why(e)));
    document.getElementById("toast")!.dataset.reason = e instanceof Refused ? `${e.reason} ${e.message}` : String(e);
  }
}

/** why is the sentence for what went wrong. */
export function why(e: unknown): string {
  if (e instanceof Full) return "wallet.why_full";
  if (e instanceof NoFinger) return "wallet.why_finger";
  const key = `wallet.why_${e instanceof Refused ? e.reason : "failed"}`;
  return has(key) ? key : "wallet.why_failed";
}

/** page shows a screen with what every screen has. */
export function page(ui: UI, s: Screen) {
  if (ui.app.dead) return; // the screen says so
  const hide = ui.app.open
    ? h("button", { type: "button", class: "ear", id: "hide", "aria-label": text("wallet.hide"), click: () => ui.hide() }, picture("hide")) : null;
  hush();
  ui.show({ ...s, corner: h("span", { class: "corner" }, whole(), hide) });
}

/** act is a large button with a picture before its words. */
export const act = (pic: string, key: string, id: string, go: () => void, kind = "") =>
  button([picture(pic), h("span", {}, t(key))], go, `pictured ${kind}`, id);

const stopSigns: Record<Stop, string> = { insecure: "lock", storage: "lock", twice: "list", core: "bolt" };

/** stopScreen says why nothing works and what to do. */
export const stopScreen = (why: Stop): Screen => ({
  name: `stop-${why}`, tone: "grey", sign: stopSigns[why], alert: true, title: t(`wallet.stop_${why}`), body: said(`wallet.stop_${why}_do`, {}, "lead"), corner: h("span", { class: "corner" }, whole()),
  actions: button(t("common.again"), () => location.reload(), "main"),
});
