// The camera, for one code: an offer, a request, a desk's or another phone's.
import { button, choose, field, h, shape, value } from "common/dom";
import { t, text } from "common/i18n";
import type { Denied } from "common/camera";
import { said } from "../aloud";
import { picture } from "../pictures";
import { act, page, type UI } from "../ui";

const SLEEP = 60_000; // ms

/** Use is what is looked for; found says "more" to go on looking. */
export interface Use { title: string; hint: string; back: () => void; found: (code: string) => Promise<"more" | void> | void }

export function look(ui: UI, use: Use) {
  const { app } = ui;
  const view = h("div", { class: "view" });
  app.camera.video.setAttribute("aria-label", text("scan.camera"));
  let busy = false, sleeping = 0, over = false;
  const take = async (code: string) => {
    if (busy || over) return;
    busy = true;
    if ((await use.found(code)) === "more") setTimeout(() => (busy = false), 1500);
    else app.camera.stop();
  };
  const stop = () => { over = true; clearTimeout(sleeping); app.camera.stop(); };
  const still = (why: string, title: string, key: string, then: string) => {
    app.camera.stop();
    if (!over) view.replaceChildren(h("div", { class: "asleep", "data-denied": why || undefined }, shape("camera"), title ? h("h2", {}, t(title)) : null, h("p", {}, t(key)),
      button(t(then), () => look(ui, use), "", "wake")));
  };
  const trouble = (why: Denied) => still(why, `camera.${why}`, `wallet.camera_${why}`, "common.again");
  page(ui, {
    name: "scan", tone: "dark", title: t(use.title), body: view, back: use.back, leave: stop, keys: (typed) => void take(typed),
    actions: h("div", { class: "pair" }, act("file", "scan.photo", "photo", () => void photo()),
      act("link", "wallet.add_link", "link", () => link(ui, () => look(ui, use), use.found))),
  });
  view.replaceChildren(app.camera.video, h("div", { class: "frame", "aria-hidden": "true" }, h("i"), h("i"), h("i"), h("i")),
    h("div", { class: "below" }, h("p", { class: "hint", role: "status" }, picture("scan"), " ", t(use.hint))));
  sleeping = window.setTimeout(() => still("", "", "scan.asleep", "scan.wake"), SLEEP);
  void app.camera.start((texts) => void take(texts[0]), () => trouble("busy"), "", false).then((denied) => { if (denied) trouble(denied); });

  async function photo() {
    const file = await choose("image/*");
    if (!file) return;
    const texts = await app.reader.photo(new Blob([file.bytes as BlobPart])).catch(() => []);
    if (texts.length === 1) await take(texts[0]);
    else ui.toast(t(texts.length ? "scan.two" : "scan.photo_none"));
  }
}

/** link takes what a code says as text, copied from a message. */
export function link(ui: UI, back: () => void, found: Use["found"]) {
  const wrong = h("p", { class: "wrong", role: "alert" });
  page(ui, {
    name: "link", title: t("wallet.add_link"), back,
    body: h("form", { id: "form", submit: async (e: Event) => {
      e.preventDefault();
      if ((await found(value("text"))) === "more") wrong.replaceChildren(t("wallet.why_none"));
    } }, said("wallet.link_lead"), field(t("wallet.link"), "text", { type: "text", dir: "ltr", maxlength: 16384, spellcheck: "false", autocapitalize: "none" }), wrong),
    actions: h("button", { class: "button main", type: "submit", form: "form", id: "link-go" }, t("common.go")),
  });
  document.getElementById("text")!.focus();
}
