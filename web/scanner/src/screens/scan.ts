// Scan: the camera looks, a hand-held scanner types, a number is typed, a photo is read.
import { button, choose, field, h, shape, value } from "common/dom";
import { t, text } from "common/i18n";
import type { Denied } from "common/camera";
import type { UI } from "../ui";
import { ready } from "./ready";
import { badgeSeen, isBadge } from "./shift";
import { look, verdict } from "./verdict";

const SLEEP = 30_000, HINT = 4_000, AGAIN = 3_000, ALONE = 1_000; // ms
const hints = ["scan.hint", "scan.hint_back", "scan.hint_wipe", "scan.hint_light"];

let last = { text: "", at: 0 };

/** forgetLast lets the same card be seen at once. */
export const seen = (code: string) => { last = { text: code, at: Date.now() }; };

/** Use is another use of the camera; found says "more" to go on looking. */
export interface Use { title: string; found: (code: string) => Promise<"more" | void> | void; back: () => void | Promise<void> }

/** scan looks for cards; with use, for one other code. */
export function scan(ui: UI, use?: Use) {
  const { app } = ui;
  if (!use) app.unask();
  const hint = h("p", { class: "hint", role: "status" }, t(hints[0]));
  const torch = button([shape("torch", "small"), h("span", { class: "sr" }, t("scan.torch"))], async () => {
    lit = !lit;
    torch.setAttribute("aria-pressed", String(lit));
    await app.camera.torch(lit);
  }, "round torch hidden", "torch");
  const other = button([shape("turn", "small"), h("span", { class: "sr" }, t("scan.other_camera"))], async () => {
    const id = await app.camera.next();
    if (!id) return;
    await app.set({ camera: id });
    app.camera.stop();
    await camera();
    other.focus();
  }, "round other hidden", "other-camera");
  const zoom = h("input", { type: "range", id: "zoom", class: "zoom hidden", "aria-label": text("scan.zoom"), input: () => void app.camera.zoom(Number(zoom.value)) });
  const view = h("div", { class: "view" });
  app.camera.video.setAttribute("aria-label", text("scan.camera"));
  let lit = false, busy = false, step = 0, hinting = 0, sleeping = 0, two = 0;

  const take = async (code: string) => {
    if (busy) return;
    busy = true;
    if (use) {
      if ((await use.found(code)) === "more") busy = false;
      else stop();
      return;
    }
    if (isBadge(code)) {
      if (!(await badgeSeen(ui, code))) setTimeout(() => (busy = false), 1500);
      return;
    }
    const v = await app.judge(code);
    if (!ui.is("scan")) return;
    if (v.answer === "none") {
      ui.toast(t("word.not_an_aid_card"));
      setTimeout(() => (busy = false), 1500);
      return;
    }
    seen(code);
    verdict(ui, v, code);
  };
  const found = (texts: string[]) => {
    wake();
    // The worker's own badge hangs beside the card.
    if (!use && texts.length > 1 && app.shiftOpen()) texts = texts.filter((x) => !isBadge(x));
    if (texts.length > 1) { two = Date.now(); hint.replaceChildren(t("scan.two")); return; }
    if (Date.now() - two < ALONE) return; // one of the two was missed in this picture, not taken away
    if (!use && texts[0] === last.text && Date.now() - last.at < AGAIN) return;
    void take(texts[0]);
  };
  const wake = () => {
    clearTimeout(sleeping);
    clearInterval(hinting);
    step = 0;
    hinting = window.setInterval(() => {
      step = step % (hints.length - 1) + 1;
      hint.replaceChildren(t(hints[step]));
      view.dataset.hint = String(step);
    }, HINT);
    sleeping = window.setTimeout(sleep, SLEEP);
  };
  const stop = () => { clearTimeout(sleeping); clearInterval(hinting); document.removeEventListener("visibilitychange", hidden); app.camera.stop(); };
  const hidden = () => { if (document.hidden) sleep(); };
  const sleep = () => {
    stop();
    view.replaceChildren(h("div", { class: "asleep" }, shape("camera"), h("p", {}, t("scan.asleep")), button(t("scan.wake"), () => scan(ui, use), "", "wake")));
  };

  ui.show({
    name: "scan", tone: "dark", title: t(use ? use.title : "scan.title"), body: view,
    back: use ? use.back : () => ready(ui), leave: stop, keys: async (typed) => {
      if (use || isBadge(typed)) { await take(typed); return; }
      if ((await look(ui, typed)) === "none") ui.toast(t("word.not_an_aid_card"));
      else seen(typed);
    },
    actions: use ? null : [
      button([shape("type", "small"), t("scan.type")], () => typed(ui), "", "type"),
      button([shape("camera", "small"), t("scan.photo")], () => void photo(ui), "", "photo"),
    ],
  });

  if (app.settings.lowPower) {
    view.replaceChildren(h("div", { class: "asleep" }, shape("type"), h("p", {}, t("scan.hand_held")), button(t("scan.camera_on"), () => void camera(), "", "wake")));
    return;
  }
  void camera();

  async function camera() {
    view.replaceChildren(app.camera.video, h("div", { class: "frame", "aria-hidden": "true" }, h("i"), h("i"), h("i"), h("i")), other, torch, h("div", { class: "below" }, zoom, hint));
    const trouble = (why: Denied) => view.replaceChildren(h("div", { class: "asleep", "data-denied": why }, shape("camera"), h("h2", {}, t(`camera.${why}`)), h("p", {}, t(`camera.${why}_do`)),
      button(t("common.again"), () => scan(ui, use), "", "wake")));
    const denied = await app.camera.start(found, () => { stop(); trouble("busy"); }, app.settings.camera, app.settings.lowPower);
    if (!ui.is("scan")) return;
    if (denied) { trouble(denied); return; }
    lit = false;
    torch.setAttribute("aria-pressed", "false");
    torch.classList.toggle("hidden", !app.camera.hasTorch());
    other.classList.toggle("hidden", !(await app.camera.next()));
    const range = app.camera.zoomRange();
    zoom.classList.toggle("hidden", !range);
    if (range) for (const [name, value] of Object.entries(range)) (zoom as unknown as Record<string, string>)[name] = String(value);
    document.addEventListener("visibilitychange", hidden);
    wake();
  }
}

/** typed takes the printed number of a card, or the whole text of a code from a hand-held scanner. */
export function typed(ui: UI) {
  const wrong = h("p", { class: "wrong", role: "alert" });
  const go = async (e?: Event) => {
    e?.preventDefault();
    if (isBadge(value("number"))) { await badgeSeen(ui, value("number")); return; }
    if ((await look(ui, value("number"))) === "none") wrong.replaceChildren(t("type.wrong"));
  };
  ui.show({
    name: "type", title: t("scan.type"), back: () => scan(ui),
    body: h("form", { submit: go, id: "form" }, h("p", {}, t("type.lead")),
      field(t("label.card_number_short"), "number", { inputmode: "text", autocapitalize: "characters", spellcheck: "false", dir: "ltr", maxlength: 5000 }), wrong),
    actions: h("button", { class: "button main", type: "submit", form: "form", id: "look" }, t("type.go")),
  });
  document.getElementById("number")!.focus();
}

async function photo(ui: UI) {
  const file = await choose("image/*");
  if (!file) return;
  const texts = await ui.app.reader.photo(new Blob([file.bytes as BlobPart])).catch(() => []);
  if (texts.length !== 1) { ui.toast(t(texts.length ? "scan.two" : "scan.photo_none")); return; }
  if (isBadge(texts[0])) { await badgeSeen(ui, texts[0]); return; }
  const v = await ui.app.judge(texts[0]);
  if (v.answer === "none") ui.toast(t("word.not_an_aid_card"));
  else verdict(ui, v, texts[0]);
}
