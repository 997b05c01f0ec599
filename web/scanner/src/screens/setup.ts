// Set up: the phone makes its key and shows it; the laptop answers with a pack that
// holds the phone's certificate. Nothing of it needs a server.
import { qr } from "common/qr";
import { button, field, h, save, value, bdi, type Child } from "common/dom";
import { goodPIN, newPIN } from "../key";
import { age, date, has, moment, t, text } from "common/i18n";
import type { UI } from "../ui";
import { enrolCode, enrolWith, newestPack, served } from "../server";
import { frames, load, take } from "./carry";
import { languageRow, oldest, ready, whose } from "./ready";
import { practice } from "./practice";

/** setup shows the four steps; onwards brings the next one before the eyes and under the fingers. */
export function setup(ui: UI, onwards = false) {
  const { app } = ui;
  const step = (n: number, done: boolean, title: Child, ...body: Child[]) =>
    h("li", { class: done ? "step done" : "step" }, h("h2", {}, h("span", { class: "n", "aria-hidden": "true" }, done ? "✓" : String(n)), title), h("div", {}, body));
  const enrolled = !!app.device, packed = !!app.pack, certified = !!app.device?.certified;
  const travel = h("ul", { class: "checks", id: "checks" });
  if (packed) void checks(ui, travel);
  const coded = !certified && served() && !!enrolCode(); // came by the office's code: that is the way on
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
              try { await app.enrol(value("name") || "tab"); if (served() && enrolCode()) server(ui); else await showKey(ui); } catch { ui.toast(t("stop.storage")); }
            }, "main", "make-key")]),
        step(3, packed, t("setup.pack"), packed ? h("p", {}, bdi(app.pack!.site), certified ? null : [" — ", t("ready.check_only")]) : h("p", {}, t("setup.pack_lead")),
          enrolled && coded ? button(t("server.ask"), () => server(ui), "main", "server") : null,
          button(t("setup.pack_load"), () => void load(ui, () => setup(ui, true)), packed || !enrolled || coded ? "" : "main", "load-pack"),
          enrolled ? button(t("setup.frames"), () => frames(ui), "", "frames") : null,
          enrolled && !certified && served() && !coded ? button(t("server.ask"), () => server(ui), "", "server") : null),
        step(4, !!app.pin, t("setup.pin"), app.pin ? null : button(t("setup.pin_choose"), () => choosePIN(ui, () => setup(ui, true), () => setup(ui)), packed && enrolled ? "main" : "", "choose-pin"))),
      packed ? h("section", { "aria-labelledby": "travel" }, h("h2", { id: "travel" }, t("travel.title")), travel, h("p", { class: "quiet" }, t("setup.travel")))
        : h("p", { class: "quiet" }, t("setup.travel")),
    ],
    // Not without a PIN: whoever opened the supervisor's door first would choose it.
    actions: [packed && app.pin ? button(t("setup.done"), () => void ready(ui), "main", "done") : button(t("practice.title"), () => void practice(ui), "", "practice")],
  });
  if (!onwards) return;
  const next = document.querySelector<HTMLElement>(".steps .main, .actions .main");
  next?.scrollIntoView({ block: "center" });
  next?.focus({ preventScroll: true });
}

/** checks fills the list of what a phone needs before it travels, each ticked or with what to do. */
async function checks(ui: UI, list: HTMLElement) {
  const { app } = ui;
  const l = await app.lists();
  const pack = l.lists.find((x) => x.kind === "pack");
  const last = oldest(l);
  const camera = (await navigator.permissions?.query({ name: "camera" as PermissionName }).catch(() => null))?.state;
  const kept = !!navigator.serviceWorker?.controller;
  const one = (id: string, good: boolean, ...more: Child[]) =>
    h("li", { class: good ? "good" : "todo-item", "data-check": id, "data-good": String(good) },
      h("span", { class: "n", "aria-hidden": "true" }, good ? "✓" : "!"), h("span", { class: "sr" }, t(good ? "travel.yes" : "travel.no"), " "),
      h("span", {}, t(id === "device" && app.device?.until ? "lists.device_until" : !good && has(`travel.${id}_no`) ? `travel.${id}_no` : `travel.${id}`), more, good ? null : h("small", {}, t(`travel.${id}_do`))));
  list.replaceChildren(
    one("installed", kept),
    one("persisted", app.persisted),
    one("lists", last.age < 3 * 86400, " ", age(last.age), h("small", {}, whose(last))),
    one("pack", !!pack?.next && pack.next > Date.now() / 1000 + 3 * 86400, " ", pack?.next ? date(pack.next) : null),
    one("device", !!app.device?.certified, " ", app.device?.until ? date(app.device.until) : null),
    one("pin", !!app.pin),
    one("clock", !(await app.clockBehind()), " ", moment(Date.now() / 1000)),
    one("camera", camera !== "denied" && camera !== "prompt"),
    one("sent", !app.unsent()),
    h("li", { class: "todo-item" }, h("span", { class: "n", "aria-hidden": "true" }, "·"), h("span", {}, t("travel.badge"))));
}

/** server enrols with a code of the office, at once where the address brought one, then asks for the answer. */
function server(ui: UI) {
  const { app } = ui;
  const wrong = h("p", { class: "wrong", role: "alert" });
  let again = 0;
  const asked = async () => {
    clearTimeout(again);
    const told = await enrolWith(app, value("code").toUpperCase().replaceAll(/[^0-9A-Z]/g, ""));
    if (!ui.is("server")) return;
    wrong.classList.toggle("waiting", told === "pending"); // that is no fault
    if (told === "pending") {
      wrong.replaceChildren(t("server.wait"));
      again = window.setTimeout(() => void asked(), 3000); // until somebody at the office has compared the words
      return;
    }
    if (told !== "confirmed") { wrong.replaceChildren(t(told === "none" ? "server.none" : "server.refused")); return; }
    const pack = await newestPack(app);
    if (pack) await take(ui, pack, () => setup(ui, true));
    else wrong.replaceChildren(t("server.none"));
  };
  ui.show({
    name: "server", title: t("server.ask"), back: () => setup(ui), leave: () => clearTimeout(again),
    body: [h("p", { class: "words", dir: "ltr" }, bdi(app.device!.words)),
      h("form", { id: "form", submit: async (e: Event) => {
        e.preventDefault();
        await asked();
      } }, field(t("server.code"), "code", { maxlength: 12, dir: "ltr", autocapitalize: "characters", value: enrolCode() }), wrong)],
    actions: [button(t("server.without"), () => void showKey(ui), "", "without"), h("button", { class: "button main", type: "submit", form: "form", id: "code-go" }, t("common.go"))],
  });
  if (enrolCode()) void asked();
}

export async function showKey(ui: UI) {
  const { app } = ui;
  const { request, text: content } = await app.core.request(app.name);
  ui.show({
    name: "key", title: t("setup.key"), back: () => (app.pin && app.pack ? void ready(ui) : setup(ui)),
    body: [
      qr(content, text("setup.key_qr")),
      h("p", {}, t("setup.key_words")),
      h("p", { class: "words", dir: "ltr", id: "key-words" }, bdi(app.device!.words)),
      h("p", { class: "quiet" }, t("setup.key_then")),
    ],
    actions: h("div", { class: "pair" }, button(t("setup.key_file"), () => save(`${app.name || "tab"}.devkey`, request), "", "save-key"), button(t("common.go"), () => setup(ui, true), "main", "go")),
  });
}

export function choosePIN(ui: UI, after: () => void, back = after) {
  const wrong = h("p", { class: "wrong", role: "alert" });
  ui.show({
    name: "choose-pin", title: t("setup.pin"), back,
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
