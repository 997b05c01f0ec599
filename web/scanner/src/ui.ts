// The screens of the scanner, and those that say why nothing works.
import type { App, Stop } from "./app";
import { button, h, type Child } from "common/dom";
import { t } from "common/i18n";
import { Screens, type Screen } from "common/ui";

export { hold, type Screen } from "common/ui";

export class UI extends Screens {
  constructor(public app: App) { super(() => (app.practice ? "practice.mark" : "")); }
}

const stopSigns: Record<Stop, string> = { evicted: "key", storage: "lock", full: "lock", twice: "list", core: "bolt", memory: "bolt", clock: "clock", insecure: "lock", copied: "list" };

/** stopScreen says why nothing works and what to do. */
export function stopScreen(ui: UI, why: Stop, act?: { label: Child; act: () => void }): Screen {
  return {
    name: `stop-${why}`, tone: "grey", sign: stopSigns[why], alert: true,
    title: t(why === "clock" ? "word.set_the_clock" : `stop.${why}`),
    body: [h("p", { class: "lead" }, t(why === "clock" ? "todo.set_the_clock" : `stop.${why}_do`))],
    actions: act ? button(act.label, act.act, "main") : button(t("common.again"), () => location.reload(), "main"),
  };
}
