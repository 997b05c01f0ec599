// Ask the phone: a code that one phone answers with a live code. No photograph that was
// made before can answer it.
import encodeQR from "qr";
import { button, h, shape } from "common/dom";
import { t, text } from "common/i18n";
import type { UI } from "../ui";
import { paint, stayAwake } from "common/qr";
import { scan } from "./scan";
import { verdict } from "./verdict";

const OPEN = 240_000, PAUSE = 1_500; // ms; the core takes an answer no longer

/** ask shows the challenge, then looks for the answer. back is where somebody goes who does not ask after all. */
export async function ask(ui: UI, back: () => void) {
  const { app } = ui;
  const code = await app.ask();
  if (!code) { ui.toast(t("ask.cannot")); return; }
  const canvas = h("canvas", { class: "qr moving", role: "img", "aria-label": text("ask.code"), "data-text": code });
  paint(canvas, encodeQR(code, "raw", { ecc: "low", border: 4 }));

  const answer = async (answered: string): Promise<"more" | void> => {
    const v = await app.judge(answered);
    if (v.answer === "none") {
      ui.toast(t("word.not_an_aid_card"));
      await new Promise((done) => setTimeout(done, PAUSE));
      return "more";
    }
    verdict(ui, v, answered);
  };
  const leave = () => { app.unask(); back(); };
  const over = setTimeout(() => { leave(); ui.toast(t("ask.over")); }, OPEN);
  const awake = stayAwake();
  ui.show({
    name: "ask", sign: "phone", title: t("ask.title"), back: leave,
    leave: () => { clearTimeout(over); awake(); },
    keys: (typed) => void answer(typed),
    body: [
      canvas,
      h("ol", { class: "checks" }, ["ask.theirs", "ask.ours"].map((key, i) => h("li", {}, shape(i ? "camera" : "phone", "small"), h("span", {}, t(key))))),
    ],
    actions: button([shape("camera", "small"), t("ask.scan")], () => scan(ui, { title: "ask.scan", found: answer, back: () => void ask(ui, back) }), "main", "scan-answer"),
  });
}
