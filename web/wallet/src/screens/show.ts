// A card before a scanner: first whose desk it is where the card wants to know, then one
// code on a white screen, made anew while it is shown.
import encodeQR from "qr";
import { button, h, shape, type Child } from "common/dom";
import { clock, t, text } from "common/i18n";
import { paint, stayAwake } from "common/qr";
import { changing, said } from "../aloud";
import { now } from "../app";
import type { Card } from "../core";
import { picture } from "../pictures";
import { place } from "../plainly";
import { page, type UI } from "../ui";
import { card } from "./cards";
import { look } from "./scan";

const RENEW = 50, QUIET = 4; // seconds; modules around the code

/** Code is what stands on the screen; until says when it ends, 0: it does not; desk: it answers one. */
export interface Code { text: string; until: number; desk?: boolean }

/** present shows a card; to the desk of a challenge, as the answer to it. */
export const present = (ui: UI, c: Card, challenge = "") => void code(ui, (again) => ui.app.code(c, challenge, again), () => void card(ui, c.id));

/** answerDesk scans the code of a desk first: the card then answers that desk alone. */
export function answerDesk(ui: UI, c: Card) {
  look(ui, { title: "wallet.desk_scan", hint: "wallet.desk_hint", back: () => void card(ui, c.id), found: async (scanned) => {
    const d = await ui.app.core.challenge(scanned);
    if (!d.ok) { ui.toast(t("wallet.desk_wrong")); return "more"; }
    desk(ui, c, scanned, d.organisation, d.site);
  } });
}

/** desk shows who asks, before anything is shown to them. */
function desk(ui: UI, c: Card, challenge: string, who: string, site: string) {
  page(ui, {
    name: "desk", title: t("wallet.desk"), back: () => void card(ui, c.id),
    body: [h("div", { class: "center" }, picture("desk", "large")), said("wallet.desk_who", { who: place(who) || who, site: site || "–" }, "lead"), said("wallet.desk_sure")],
    actions: h("div", { class: "pair" }, button(t("wallet.no"), () => void card(ui, c.id), "tall", "no"),
      button(t("wallet.yes"), () => present(ui, c, challenge), "tall", "yes")),
  });
}

/** code is the white screen; get makes what it says, again and again where that ends. */
export async function code(ui: UI, get: (again: boolean) => Promise<Code>, back: () => void, lead: Child = null) {
  const canvas = h("canvas", { class: "qr full", role: "img", "aria-label": text("wallet.code") });
  const live = changing("live hidden");
  let timer = 0, over = false;
  const draw = async (again: boolean) => {
    const { text: content, until, desk } = await get(again);
    if (over) return;
    const rows = encodeQR(content, "raw", { ecc: "low", border: QUIET });
    paint(canvas, rows);
    canvas.dataset.text = content;
    canvas.dataset.modules = String(rows.length);
    live.element.classList.toggle("hidden", !until && !desk);
    // The first full minute at which it is over: until then a photo of it counts as well.
    live.put(shape(desk ? "lock" : "turn", "small"), desk ? t("wallet.live_desk") : t("wallet.live", { time: clock(Math.ceil(until / 60) * 60).textContent! }));
    if (until) timer = window.setTimeout(() => void draw(true).catch(stop), Math.max(5, Math.min(RENEW, until - now() - 30)) * 1000);
  };
  const stop = (e: unknown) => { if (!over) { back(); ui.warn(e); } };
  const awake = stayAwake();
  page(ui, {
    name: "show", tone: "white", title: t("wallet.show_title"), back,
    leave: () => { over = true; clearTimeout(timer); awake(); },
    body: [canvas, lead, said("wallet.bright"), live.element],
  });
  await draw(false).catch(stop);
}
