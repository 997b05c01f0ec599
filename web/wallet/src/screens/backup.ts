// A back-up is one sealed file, printed or saved, and the words that open it. Cards that
// are bound to this phone's keys come back from the desk, not from a file.
import { button, choose, field, h, save, value } from "common/dom";
import { t, text } from "common/i18n";
import { qr } from "common/qr";
import { said } from "../aloud";
import { now } from "../app";
import { act, page, why, type UI } from "../ui";
import { cards } from "./cards";

const PRINTED = 1600; // bytes of a file that one printed code still holds
const PAPER = "AIDWALLET:"; // what such a code begins with; base64 follows

/** fromPaper is the back-up that a printed code holds; null where it holds none. */
export function fromPaper(code: string): Uint8Array | null {
  if (!code.startsWith(PAPER)) return null;
  try { return Uint8Array.from(atob(code.slice(PAPER.length)), (c) => c.charCodeAt(0)); } catch { return null; }
}

export function backUp(ui: UI) {
  page(ui, {
    name: "backup", title: t("wallet.backup"), back: () => void cards(ui),
    body: [said("wallet.backup_lead"), said("wallet.backup_bound"), act("back_up", "wallet.backup_make", "make", () => void make(ui), "tall main"),
      act("restore", "wallet.restore", "restore", () => void restore(ui), "tall")],
  });
}

async function make(ui: UI) {
  try {
    const { words } = ui.app.must(await ui.app.core.words());
    page(ui, {
      name: "backup-words", title: t("wallet.words"), back: () => backUp(ui),
      body: [said("wallet.words_lead"), h("ol", { class: "copied", dir: "ltr", lang: "en", id: "words" }, words.split(/\s+/).map((word) => h("li", {}, h("bdi", {}, word), " ")))],
      actions: button(t("wallet.words_written"), () => void made(ui, words), "main", "written"),
    });
  } catch (e) { ui.warn(e); }
}

async function made(ui: UI, words: string) {
  try {
    const { file } = ui.app.must(await ui.app.core.backup(words, now()));
    await ui.app.keep();
    const printed = file.length <= PRINTED ? h("div", { class: "paper" }, h("p", {}, t("wallet.paper")), qr(PAPER + btoa(String.fromCharCode(...file)), text("wallet.paper"))) : null;
    page(ui, {
      name: "backup-file", title: t("wallet.backup"), back: () => backUp(ui),
      body: [said("wallet.file_lead"), act("back_up", "wallet.file_save", "save", () => { save("wallet.aidwallet", file); ui.toast(t("common.done")); }, "tall main"),
        printed ? act("file", "wallet.file_print", "print", () => print(), "tall") : null, printed],
    });
  } catch (e) { backUp(ui); ui.warn(e); }
}

async function restore(ui: UI) {
  const chosen = await choose(".aidwallet,application/octet-stream");
  if (chosen) restoreFrom(ui, chosen.bytes, () => backUp(ui));
}

/** restoreFrom asks for the words of a back-up and takes its cards in. */
export function restoreFrom(ui: UI, file: Uint8Array, back: () => void) {
  const wrong = h("p", { class: "wrong", role: "alert" });
  page(ui, {
    name: "restore", title: t("wallet.restore"), back,
    body: h("form", { id: "form", submit: async (e: Event) => {
      e.preventDefault();
      wrong.replaceChildren(t("wallet.wait"));
      try {
        const { lost } = ui.app.must(await ui.app.core.restore(file, value("words"), await ui.app.open!.handles(), now()).then((r) => (r.ok || r.why ? r : { ...r, why: "words" })));
        await ui.app.keep();
        await cards(ui);
        ui.toast(t(lost.length ? "wallet.restored_some" : "wallet.restored", { n: lost.length }));
      } catch (x) { wrong.replaceChildren(t(why(x))); }
    } }, said("wallet.restore_lead"), field(t("wallet.words"), "words", { type: "text", dir: "ltr", autocapitalize: "none", spellcheck: "false", maxlength: 200 }), wrong),
    actions: h("button", { class: "button main", type: "submit", form: "form", id: "restore-go" }, t("common.go")),
  });
  document.getElementById("words")!.focus();
}
