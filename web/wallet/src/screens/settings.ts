// Settings: language, lock, who uses the phone; and nothing left of a pocket, or of all.
import { button, field, h, value } from "common/dom";
import { languages, speak, t, tag, text } from "common/i18n";
import { said, whole } from "../aloud";
import { picture } from "../pictures";
import { act, page, why, type UI } from "../ui";
import { fingers, type Pocket, type Secret } from "../vault";
import { cards } from "./cards";
import { choosePIN } from "./first";
import { opening } from "./opening";

export async function settings(ui: UI) {
  const { app } = ui;
  const mine = (await app.vault.pockets()).find((p) => p.id === app.open!.id)!;
  const lang = h("select", { id: "lang", class: "language", "aria-label": text("ready.language"), change: async () => { app.lang = lang.value; await speak(lang.value); await settings(ui); } },
    languages.map((l) => h("option", { value: l.tag, lang: l.tag, selected: l.tag === tag() }, l.name)));
  const shared = h("input", { type: "checkbox", id: "shared", checked: app.shared, change: () => { app.shared = shared.checked; } });
  page(ui, {
    name: "settings", title: t("wallet.settings"), back: () => void cards(ui),
    body: [lang, h("label", { class: "switch" }, shared, picture("people"), h("span", {}, t("wallet.whose_shared"))),
      act("lock", "wallet.lock_change", "change", () => void change(ui, mine)),
      act("door", "wallet.close", "close", () => void opening(ui)),
      act("bin", "wallet.pocket_remove", "remove", () => wipe(ui, "pocket")),
      act("bin", "wallet.wipe", "wipe", () => wipe(ui, "all")),
      said("wallet.settings_lost", {}, "quiet"), h("p", { class: "quiet" }, h("a", { href: "LICENCES.txt" }, t("wallet.licences")))],
  });
}

/** change asks for what opens the pocket now, then for what is to. */
async function change(ui: UI, p: Pocket) {
  const back = () => void settings(ui);
  const to = async (old: Secret, secret: Secret) => { await ui.app.vault.change(p.id, old, secret); await settings(ui); ui.toast(t("common.done")); };
  const byFinger = await fingers();
  const next = (old: Secret) => p.finger || !byFinger ? choosePIN(ui, back, (secret) => to(old, secret)) : page(ui, {
    name: "change", title: t("wallet.lock_change"), back,
    body: [said("wallet.lock_lead"), act("finger", "wallet.lock_finger", "finger", () => void to(old, "finger").catch((e) => ui.warn(e)), "tall main"),
      act("lock", "wallet.lock_pin", "by-pin", () => choosePIN(ui, back, (secret) => to(old, secret)), "tall")],
  });
  if (p.finger) { next("finger"); return; }
  const wrong = h("p", { class: "wrong", role: "alert" });
  page(ui, {
    name: "old-pin", title: t("wallet.pin_old"), back,
    body: h("form", { id: "form", submit: async (e: Event) => {
      e.preventDefault();
      const pin = value("pin");
      wrong.replaceChildren(t("wallet.wait"));
      try { await ui.app.enter((await ui.app.vault.pockets()).find((x) => x.id === p.id)!, { pin }); next({ pin }); } catch (x) { wrong.replaceChildren(t(why(x))); }
    } }, said("wallet.open_pin"), field(t("wallet.pin"), "pin", { type: "password", inputmode: "numeric", maxlength: 6 }), wrong),
    actions: h("button", { class: "button main", type: "submit", form: "form", id: "pin-go" }, t("common.go")),
  });
  document.getElementById("pin")!.focus();
}

function wipe(ui: UI, what: "pocket" | "all") {
  const go = async () => {
    try {
      if (what === "pocket") {
        const { id } = ui.app.open!;
        ui.app.close();
        await ui.app.vault.remove(id);
        location.reload();
        return;
      }
      ui.app.close();
      await ui.app.vault.wipe();
      ui.show({ name: "wiped", title: t("wallet.wiped"), sign: "circle-tick", alert: true, body: said("wallet.wiped_lead", {}, "lead"), corner: h("span", { class: "corner" }, whole()), actions: button(t("wallet.again"), () => location.reload(), "", "again") });
    } catch (e) { ui.warn(e); }
  };
  page(ui, {
    name: "wipe", title: t(what === "all" ? "wallet.wipe" : "wallet.pocket_remove"), back: () => void settings(ui),
    body: [said(what === "all" ? "wallet.wipe_lead" : "wallet.pocket_remove_lead", {}, "lead"), said("wallet.wipe_desk")],
    actions: h("div", { class: "pair" }, button(t("wallet.no"), () => void settings(ui), "tall", "no"), button(t("wallet.wipe_yes"), () => void go(), "tall", "yes")),
  });
}
