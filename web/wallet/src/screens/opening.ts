// A closed wallet: whose pocket, its PIN or finger; and the screen that tells nothing.
import { button, field, h, value } from "common/dom";
import { clock, date, t, text } from "common/i18n";
import { said } from "../aloud";
import { now } from "../app";
import { picture } from "../pictures";
import { act, page, why, type UI } from "../ui";
import { Wrong, type Pocket } from "../vault";
import { goOn } from "./add";
import { cards } from "./cards";
import { another } from "./first";

/** opening asks whose pocket it is, where there are several. */
export async function opening(ui: UI) {
  ui.app.close();
  const all = await ui.app.vault.pockets();
  if (all.length === 1 && !ui.app.shared) { enter(ui, all[0]); return; }
  page(ui, {
    name: "pockets", title: t("wallet.pockets"),
    body: [said("wallet.pockets_lead"), h("div", { class: "grid" }, all.map((p) =>
      h("button", { type: "button", class: "button tile", id: `pocket-${p.picture}`, "aria-label": text(`wallet.pic_${p.picture}`), click: () => enter(ui, p) }, picture(p.picture, "large"))))],
    actions: all.length < 6 ? act("plus", "wallet.pocket_new", "new-pocket", () => another(ui)) : null,
  });
}

function enter(ui: UI, p: Pocket) {
  const back = ui.app.shared ? () => void opening(ui) : undefined;
  const wrong = h("p", { class: "wrong", role: "alert" });
  const failed = (e: unknown) => wrong.replaceChildren(e instanceof Wrong ? e.wait ? t("wallet.pin_wait", { n: e.wait }) : t("wallet.pin_wrong") : t(why(e)));
  if (p.finger) {
    const go = () => ui.app.enter(p, "finger").then(() => entered(ui), failed);
    page(ui, { name: "open-finger", title: t("wallet.open"), back, body: [h("div", { class: "center" }, picture(p.picture, "large")), said("wallet.open_finger"), wrong],
      actions: act("finger", "wallet.open_go", "finger-go", () => void go(), "main") });
    return;
  }
  page(ui, {
    name: "open-pin", title: t("wallet.open"), back,
    body: h("form", { id: "form", submit: async (e: Event) => {
      e.preventDefault();
      const pin = value("pin");
      wrong.replaceChildren(t("wallet.wait"));
      await ui.app.enter(p, { pin }).then(() => entered(ui), failed);
    } }, h("div", { class: "center" }, picture(p.picture, "large")), said("wallet.open_pin"),
    field(t("wallet.pin"), "pin", { type: "password", inputmode: "numeric", maxlength: 6 }), wrong),
    actions: h("button", { class: "button main", type: "submit", form: "form", id: "pin-go" }, t("wallet.open_go")),
  });
  document.getElementById("pin")!.focus();
}

/** entered shows the cards, and looks how they stand where there is a network. */
async function entered(ui: UI) {
  await goOn(ui);
  if (navigator.onLine) await ui.app.check().then(() => cards(ui, () => ui.is("my-cards")), () => {});
}

/** hidden closes the pocket and shows a clock, as any phone does. */
export function hidden(ui: UI) {
  ui.app.close();
  ui.show({ name: "away", tone: "dark", title: clock(now()), body: h("p", { class: "lead center" }, date(now())),
    actions: button(t("wallet.go_on"), () => void opening(ui), "link", "unhide") });
}
