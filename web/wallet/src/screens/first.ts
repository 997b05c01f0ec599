// The first start: a language, whose phone it is, a picture and a lock for one's pocket.
import { button, field, h, value } from "common/dom";
import { languages, speak, t, text } from "common/i18n";
import { said } from "../aloud";
import { pocketPictures, picture } from "../pictures";
import { act, page, why, type UI } from "../ui";
import { fingers, goodPIN, NoFinger, type Secret } from "../vault";
import { goOn } from "./add";
import { opening } from "./opening";

export function welcome(ui: UI) {
  page(ui, {
    name: "welcome", title: t("wallet.app_title"),
    body: [said("wallet.welcome"), h("div", { class: "grid" }, languages.map((l) =>
      button(h("bdi", { lang: l.tag }, l.name), async () => { ui.app.lang = l.tag; await speak(l.tag); whose(ui); }, "tall", `lang-${l.tag}`)))],
  });
}

function whose(ui: UI) {
  const go = (shared: boolean) => { ui.app.shared = shared; pocket(ui, () => whose(ui)); };
  page(ui, {
    name: "whose", title: t("wallet.whose"), back: () => welcome(ui),
    body: [said("wallet.whose_lead"), act("person", "wallet.whose_mine", "mine", () => go(false), "tall"), act("people", "wallet.whose_shared", "shared", () => go(true), "tall")],
  });
}

/** pocket makes a new one: its picture first. */
export async function pocket(ui: UI, back: () => void) {
  const taken = (await ui.app.vault.pockets()).map((p) => p.picture);
  page(ui, {
    name: "picture", title: t("wallet.picture"), back,
    body: [said("wallet.picture_lead"), h("div", { class: "grid" }, pocketPictures.filter((p) => !taken.includes(p)).map((p) =>
      h("button", { type: "button", class: "button tile", id: `pic-${p}`, "aria-label": text(`wallet.pic_${p}`), click: () => void lock(ui, p, back) }, picture(p, "large"))))],
  });
}

async function lock(ui: UI, pic: string, back: () => void) {
  const made = async (secret: Secret) => {
    try { await ui.app.begin(pic, secret); await goOn(ui); } catch (e) { if (!(e instanceof NoFinger)) throw e; await lock(ui, pic, back); ui.warn(e); }
  };
  if (!(await fingers())) { choosePIN(ui, () => void pocket(ui, back), made); return; }
  page(ui, {
    name: "lock", title: t("wallet.lock"), back: () => void pocket(ui, back),
    body: [said("wallet.lock_lead"), act("finger", "wallet.lock_finger", "finger", () => void made("finger"), "tall main"),
      act("lock", "wallet.lock_pin", "by-pin", () => choosePIN(ui, () => void lock(ui, pic, back), made), "tall")],
  });
}

/** choosePIN asks for a new PIN, twice. */
export function choosePIN(ui: UI, back: () => void, then: (secret: Secret) => Promise<void>) {
  const wrong = h("p", { class: "wrong", role: "alert" });
  const pin = (id: string, label: string) => field(t(label), id, { type: "password", inputmode: "numeric", maxlength: 6, autocomplete: "new-password" });
  page(ui, {
    name: "new-pin", title: t("wallet.pin_new"), back,
    body: h("form", { id: "form", submit: async (e: Event) => {
      e.preventDefault();
      if (!goodPIN(value("pin"))) { wrong.replaceChildren(t("wallet.pin_weak")); return; }
      if (value("pin") !== value("pin2")) { wrong.replaceChildren(t("wallet.pin_differ")); return; }
      wrong.replaceChildren(t("wallet.wait"));
      await then({ pin: value("pin") }).catch((x) => wrong.replaceChildren(t(why(x))));
    } }, said("wallet.pin_lead"), pin("pin", "wallet.pin"), pin("pin2", "wallet.pin_again"), wrong),
    actions: h("button", { class: "button main", type: "submit", form: "form", id: "pin-go" }, t("common.keep")),
  });
  document.getElementById("pin")!.focus();
}

/** another adds a pocket for one more person. */
export const another = (ui: UI) => void pocket(ui, () => void opening(ui));
