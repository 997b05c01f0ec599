// Set up: the phone makes its key and shows it; the laptop answers with a pack that
// holds the phone's certificate. Nothing of it needs a server.
import encodeQR from "qr";
import { button, choose, field, h, save, value, bdi, type Child } from "../dom";
import { goodPIN, newPIN } from "../key";
import { has, t, text } from "../i18n";
import type { UI } from "../ui";
import { enrolCode, enrolWith, newestPack, served } from "../server";
import { languageRow, ready } from "./ready";
import { scan } from "./scan";
import { practice } from "./practice";

export function setup(ui: UI) {
  const { app } = ui;
  const step = (n: number, done: boolean, title: Child, ...body: Child[]) =>
    h("li", { class: done ? "step done" : "step" }, h("h2", {}, h("span", { class: "n", "aria-hidden": "true" }, done ? "✓" : String(n)), title), h("div", {}, body));
  const enrolled = !!app.device, packed = !!app.pack, certified = !!app.device?.certified;
  ui.show({
    name: "setup", title: t("setup.title"),
    body: [
      h("p", { class: "lead" }, t("setup.lead")),
      h("ol", { class: "steps" },
        step(1, true, t("ready.language"), languageRow(ui, () => setup(ui))),
        step(2, enrolled, t("setup.key"), enrolled
          ? button(t("setup.key_show"), () => void showKey(ui), "", "show-key")
          : [h("p", {}, t("setup.key_lead")), field(t("setup.name"), "name", { maxlength: 32, placeholder: "tab-1", dir: "auto", "aria-describedby": "name-lead" }),
            h("p", { class: "quiet", id: "name-lead" }, t("setup.name_lead")), button(t("setup.key_make"), async () => {
              try { await app.enrol(value("name") || "tab"); await showKey(ui); } catch { ui.toast(t("stop.storage")); }
            }, "main", "make-key")]),
        step(3, packed, t("setup.pack"), packed ? h("p", {}, bdi(app.pack!.site), certified ? null : [" — ", t("ready.check_only")]) : h("p", {}, t("setup.pack_lead")),
          button(t("setup.pack_load"), () => void load(ui, () => setup(ui)), packed || !enrolled ? "" : "main", "load-pack"),
          enrolled ? button(t("setup.frames"), () => frames(ui), "", "frames") : null,
          enrolled && !certified && served() ? button(t("server.ask"), () => server(ui), "", "server") : null),
        step(4, !!app.pin, t("setup.pin"), app.pin ? null : button(t("setup.pin_choose"), () => choosePIN(ui, () => setup(ui)), packed && enrolled ? "main" : "", "choose-pin"))),
      h("p", { class: "quiet" }, t("setup.travel")),
    ],
    // Not without a PIN: whoever opened the supervisor's door first would choose it.
    actions: [packed && app.pin ? button(t("setup.done"), () => void ready(ui), "main", "done") : button(t("practice.title"), () => void practice(ui), "", "practice")],
  });
}

/** load takes a pack file; why one is refused is said, and the old one stays. */
export async function load(ui: UI, after: () => void | Promise<void>) {
  const file = await choose(".pack,.enrol,.aidpass,application/octet-stream");
  if (file) await take(ui, file.bytes, after);
}

async function take(ui: UI, bytes: Uint8Array, after: () => void | Promise<void>) {
  const had = !!ui.app.pack;
  const done = await ui.app.take(bytes);
  await after(); // what is said belongs to the screen that stays
  if (done.ok) { ui.toast(t("lists.taken", { site: done.site })); return; }
  const key = `refused.${done.reason}`;
  ui.toast([t(has(key) ? key : "refused.other"), " ", had ? t("refused.kept") : null]);
  document.getElementById("toast")!.dataset.reason = done.reason;
}

/** frames collects a moving row of codes: an answer or a pack, shown by a laptop or another phone. */
export function frames(ui: UI) {
  const back = () => (ui.app.pack && ui.app.pin ? ready(ui) : setup(ui));
  scan(ui, { title: "setup.frames", back, found: async (code) => {
    const f = await ui.app.core.frame(code);
    if (f.message) { ui.app.camera.stop(); await take(ui, f.message, back); return; }
    if (f.frame && f.ok) ui.toast(t("frames.progress", { n: f.have!, total: f.count! }));
    return "more";
  } });
}

/** server enrols with a code of the office, then asks for the answer. */
function server(ui: UI) {
  const { app } = ui;
  const wrong = h("p", { class: "wrong", role: "alert" });
  ui.show({
    name: "server", title: t("server.ask"), back: () => setup(ui),
    body: [h("p", { class: "words", dir: "ltr" }, bdi(app.device!.words)),
      h("form", { id: "form", submit: async (e: Event) => {
        e.preventDefault();
        const told = await enrolWith(app, value("code").toUpperCase());
        if (told === "pending") { wrong.replaceChildren(t("server.wait")); return; }
        if (told !== "confirmed") { wrong.replaceChildren(t(told === "none" ? "server.none" : "server.refused")); return; }
        const pack = await newestPack(app);
        if (pack) await take(ui, pack, () => setup(ui));
        else wrong.replaceChildren(t("server.none"));
      } }, field(t("server.code"), "code", { maxlength: 12, dir: "ltr", autocapitalize: "characters", value: enrolCode() }), wrong)],
    actions: h("button", { class: "button main", type: "submit", form: "form", id: "code-go" }, t("common.go")),
  });
}

export async function showKey(ui: UI) {
  const { app } = ui;
  const { request, text: content } = await app.core.request(app.name);
  ui.show({
    name: "key", title: t("setup.key"), back: () => (app.pin && app.pack ? void ready(ui) : setup(ui)),
    body: [
      h("p", {}, t("setup.key_words")),
      h("p", { class: "words", dir: "ltr", id: "key-words" }, bdi(app.device!.words)),
      qr(content),
      h("p", { class: "quiet" }, t("setup.key_then")),
    ],
    actions: [button(t("setup.key_file"), () => save(`${app.name || "tab"}.devkey`, request), "", "save-key"), button(t("common.go"), () => setup(ui), "main", "go")],
  });
}

/** qr draws a code as a picture of crisp squares on white. */
export function qr(content: string): HTMLElement {
  const rows = encodeQR(content, "raw", { ecc: "medium", border: 4 });
  const canvas = h("canvas", { class: "qr", width: rows.length, height: rows.length, role: "img", "aria-label": text("setup.key_qr"), "data-text": content });
  const g = canvas.getContext("2d")!;
  g.fillStyle = "#fff";
  g.fillRect(0, 0, rows.length, rows.length);
  g.fillStyle = "#000";
  rows.forEach((row, y) => row.forEach((dark, x) => dark && g.fillRect(x, y, 1, 1)));
  return canvas;
}

export function choosePIN(ui: UI, after: () => void) {
  const wrong = h("p", { class: "wrong", role: "alert" });
  ui.show({
    name: "choose-pin", title: t("setup.pin"), back: after,
    body: h("form", { id: "form", submit: async (e: Event) => {
      e.preventDefault();
      const pin = value("pin");
      if (!goodPIN(pin)) { wrong.replaceChildren(t("pin.weak")); return; }
      if (pin !== value("pin2")) { wrong.replaceChildren(t("pin.differ")); return; }
      await ui.app.keep({ pin: await newPIN(pin) });
      after();
    } }, h("p", {}, t("setup.pin_lead")),
    field(t("pin.label"), "pin", { type: "password", inputmode: "numeric", maxlength: 6, autocomplete: "new-password" }),
    field(t("pin.again"), "pin2", { type: "password", inputmode: "numeric", maxlength: 6, autocomplete: "new-password" }), wrong),
    actions: h("button", { class: "button main", type: "submit", form: "form", id: "pin-go" }, t("common.keep")),
  });
  document.getElementById("pin")!.focus();
}
