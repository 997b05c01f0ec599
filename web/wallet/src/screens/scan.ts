// The camera, for one code: an offer, a request, a desk's or another phone's.
import { button, choose, h, shape } from "common/dom";
import { t, text } from "common/i18n";
import type { Denied } from "common/camera";
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
    actions: act("file", "scan.photo", "photo", () => void photo()),
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
