// Behind the supervisor's PIN: reasons, overrides, the site's one-time decision, the
// end of a shift and the end of everything.
import { now } from "../app";
import { bdi, button, field, h, shape, value } from "common/dom";
import { moment, t } from "common/i18n";
import { tryPIN } from "../key";
import { Full, type OldLists } from "../store";
import { hold, stopScreen, type UI } from "../ui";
import { exportJournal } from "./history";
import { ready } from "./ready";
import { choosePIN, setup, showKey } from "./setup";
import { closing } from "./shift";
import { voices } from "./voices";

const OPEN = 120; // seconds the door stays open after a right PIN

/** supervisor asks for the PIN, then goes on; back where it is not given. It opens the way to one thing: person, history, shift, or the menu, and with the menu all of them. */
export function supervisor(ui: UI, then: () => void, back: () => void, to: "person" | "history" | "shift" | "menu" = "person") {
  const { app } = ui;
  if (app.supervisor(to) || app.practice) { then(); return; }
  if (!app.pin) { choosePIN(ui, then, back); return; }
  const wrong = h("p", { class: "wrong", role: "alert" });
  let trying = false; // one at a time: each miss counts
  const locked = () => { if (app.pin!.until > now()) wrong.replaceChildren(t("pin.locked", { n: Math.ceil((app.pin!.until - now()) / 60) })); };
  ui.show({
    name: "gate", sign: "lock", title: t("supervisor.title"), back,
    body: h("form", { id: "form", submit: async (e: Event) => {
      e.preventDefault();
      if (trying) return;
      if (!/^\d{6}$/.test(value("pin"))) { wrong.replaceChildren(t("pin.six")); return; }
      trying = true;
      const { right, keep } = await tryPIN(app.pin!, value("pin"), now());
      await app.keep({ pin: keep }).finally(() => { trying = false; });
      if (right) { app.door = { to, until: now() + OPEN }; then(); return; }
      wrong.replaceChildren(t("pin.wrong"));
      locked();
      (document.getElementById("pin") as HTMLInputElement).value = "";
    } }, field(t("pin.label"), "pin", { type: "password", inputmode: "numeric", maxlength: 6 }), wrong),
    actions: h("button", { class: "button main", type: "submit", form: "form", id: "pin-go" }, t("common.go")),
  });
  locked();
  document.getElementById("pin")!.focus();
}

export function supervisorMenu(ui: UI) {
  const { app } = ui;
  const item = (sign: string, key: string, act: () => void, id: string) =>
    h("li", {}, h("button", { type: "button", id, click: act }, shape(sign, "small"), h("span", {}, t(key)), h("span", { class: "arrow", "aria-hidden": "true" })));
  const toggle = (key: string, on: boolean, set: (on: boolean) => void, id: string) =>
    h("label", { class: "switch" }, h("input", { type: "checkbox", id, checked: on, change: (e: Event) => set((e.target as HTMLInputElement).checked) }), h("span", {}, t(key)));
  ui.show({
    name: "supervisor", title: t("supervisor.title"), back: () => void ready(ui),
    body: [
      h("ul", { class: "menu" },
        item("list", "history.export", () => void exportJournal(ui), "export"),
        app.shift ? item("lock", "shift.close", () => void closing(ui, () => supervisorMenu(ui)), "close-shift") : null,
        item("clock", "old.title", () => void oldLists(ui), "old-lists"),
        item("clock", "supervisor.clock", async () => { await app.core.clearClock(); await app.keepState(); ui.toast(t("common.done")); }, "clear-clock"),
        app.device ? item("key", "setup.key_show", () => void showKey(ui), "show-key") : null,
        item("key", "setup.title", () => setup(ui), "setup"),
        item("voice", "voices.title", () => void voices(ui), "voices"),
        item("lock", "supervisor.pin", () => choosePIN(ui, () => supervisorMenu(ui)), "new-pin"),
        item("triangle-bang", "wipe.title", () => wipe(ui), "wipe")),
      toggle("supervisor.sound", app.settings.sound, (sound) => void app.set({ sound }), "sound"),
      toggle("supervisor.low_power", app.settings.lowPower, (lowPower) => void app.set({ lowPower }), "low-power"),
    ],
  });
}

/** oldLists is the site's one-time decision: two people, a reason, a ceiling, an end. One for each pack: the next needs newer lists. */
async function oldLists(ui: UI) {
  const { app } = ui;
  const back = () => supervisorMenu(ui);
  const before = await app.store.get("oldLists");
  if (before && before.pack === app.pack?.sequence) {
    const open = now() < before.until;
    ui.show({
      name: "old-lists-taken", title: t("old.title"), back,
      body: [h("p", { class: "lead" }, t(open ? "old.is_open" : "old.was_open")),
        h("dl", { class: "facts" }, ([["old.reason", before.reason], ["old.first", before.lead], ["old.second", before.second], ["old.ceiling", before.ceiling || "–"]] as const)
          .map(([k, x]) => h("div", {}, h("dt", {}, t(k)), h("dd", {}, bdi(x)))), h("div", {}, h("dt", {}, t("lists.ends")), h("dd", {}, moment(before.until))))],
      actions: open ? hold(t("old.end"), "end-old", () => decide(ui, { ...before, until: now() }, "old_lists_end")) : button(t("common.back"), back, "main", "back"),
    });
    return;
  }
  const wrong = h("p", { class: "wrong", role: "alert" });
  ui.show({
    name: "old-lists-form", title: t("old.title"), back,
    body: [h("p", {}, t("old.lead")),
      field(t("old.reason"), "reason", { maxlength: 40 }), field(t("old.first"), "lead", { maxlength: 16, dir: "ltr" }), field(t("old.second"), "second", { maxlength: 16, dir: "ltr" }),
      field(t("old.ceiling"), "ceiling", { maxlength: 20 }), field(t("old.days"), "days", { type: "number", min: 1, max: 14, value: 1 }), wrong],
    actions: hold(t("old.open"), "open-old", async () => {
      const from = now(), days = Math.min(14, Math.max(1, Number(value("days")) || 1));
      const decision = { reason: value("reason"), lead: value("lead").toUpperCase(), second: value("second").toUpperCase(), ceiling: value("ceiling"), from, until: from + days * 86400, pack: app.pack!.sequence };
      if (!decision.reason || !decision.lead || !decision.second || decision.lead === decision.second) { wrong.replaceChildren(t("old.two")); return; }
      if (!/^\D*[1-9]\d{0,3}$/.test(decision.ceiling)) { wrong.replaceChildren(t("old.number")); return; }
      await decide(ui, decision, "old_lists");
    }),
  });
}

/** decide writes a decision into the journal, then puts it into force: what cannot be recorded is not done. */
async function decide(ui: UI, d: OldLists, code: string) {
  const { app } = ui;
  try {
    if (app.device?.certified) await app.note(`${code}:${d.lead}:${d.second}`, 0, d.reason, () => ({ oldLists: d }));
    else await app.keep({ oldLists: d });
  } catch (e) {
    ui.show(stopScreen(ui, e instanceof Full ? "full" : "storage", { label: t("common.back"), act: () => void ready(ui) }));
    return;
  }
  await app.core.oldLists(d.until > now() ? d : null);
  await ready(ui);
}

/** wipe leaves nothing; records that were never handed in are named first. */
function wipe(ui: UI) {
  const { app } = ui;
  ui.show({
    name: "wipe-form", tone: "amber", sign: "triangle-bang", title: t("wipe.title"), back: () => supervisorMenu(ui),
    body: [h("p", { class: "todo" }, t("wipe.lead")), app.unsent() ? h("p", { class: "todo" }, t("wipe.unsent", { n: app.unsent() })) : null],
    actions: [app.unsent() ? button(t("history.export"), () => void exportJournal(ui), "", "export") : null,
      hold(t("wipe.hold"), "wipe-all", async () => {
        await app.store.wipe();
        app.core.stop();
        location.reload();
      })],
  });
}
