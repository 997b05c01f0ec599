// Practice: demo cards for every word, judged by the same core under a demo pack at
// the demo's own time. A grey-striped border, and nothing is stored.
import { h, shape } from "common/dom";
import { t } from "common/i18n";
import type { Verdict } from "../core";
import type { UI } from "../ui";
import { ready } from "./ready";
import { setup } from "./setup";
import { verdict } from "./verdict";

interface Demo { at: number; pack: string; key: string; code: string; cards: { word: string; shape: string; text: string; at?: number; journal?: string }[] }

const bytes = (base64: string) => Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));

export async function practice(ui: UI) {
  const { app } = ui;
  const demo: Demo = await (await fetch("demo.json")).json();
  if (!app.practice) {
    app.camera.stop();
    const real = { labels: app.labels };
    app.practice = true;
    app.core = app.newCore();
    await app.core.open(bytes(demo.pack), null, demo.at);
    await app.core.unlock(bytes(demo.key), demo.code);
    leave = async () => {
      app.core.stop();
      app.core = app.own;
      app.labels = real.labels;
      app.practice = false;
      await back(ui);
    };
  }
  const show = async (c: Demo["cards"][number]) => {
    await app.core.visits(c.journal ? bytes(c.journal) : null);
    app.labels = await app.core.labels(app.settings.lang);
    app.demoAt = c.at ?? demo.at;
    const judge = () => app.core.verify(c.text, app.demoAt) as Promise<Verdict>;
    verdict(ui, await judge(), "", judge);
  };
  ui.show({
    name: "practice", title: t("practice.title"), back: () => void leavePractice(ui),
    body: [h("p", { class: "lead" }, t("practice.lead")),
      h("ul", { class: "menu" }, demo.cards.map((c, i) => h("li", {}, h("button", { type: "button", id: `demo-${i}`, "data-word": c.word, click: () => void show(c) },
        shape(c.shape, "small"), h("span", {}, t(`word.${c.word}`)), h("span", { class: "arrow", "aria-hidden": "true" })))))],
  });
}

let leave: (() => Promise<void>) | undefined;
export const leavePractice = async (ui: UI) => (leave ? leave() : back(ui));

/** A phone without a PIN goes back to its set-up. */
const back = async (ui: UI) => (ui.app.pack && ui.app.pin ? ready(ui) : setup(ui));
