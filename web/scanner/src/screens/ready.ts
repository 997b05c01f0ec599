// Ready: where we are, how old the lists are, what is not handed in yet.
import { now, type Stop } from "../app";
import type { ListAge, Lists } from "../core";
import { button, h, shape, bdi, type Child } from "common/dom";
import { age, date, languages, number, t, text, tag } from "common/i18n";
import { stopScreen, type UI } from "../ui";
import { ask } from "./ask";
import { history } from "./history";
import { listsScreen } from "./lists";
import { leavePractice, practice } from "./practice";
import { scan } from "./scan";
import { setup } from "./setup";
import { isBadge, openShift, scanBadge, takeBadge } from "./shift";
import { supervisor, supervisorMenu } from "./supervisor";
import { closed } from "./unlock";
import { look } from "./verdict";

/** languageRow names each language in itself. */
export function languageRow(ui: UI, again: () => void) {
  return h("select", { id: "lang", "aria-label": text("ready.language"), change: async (e: Event) => {
    await ui.app.set({ lang: (e.target as HTMLSelectElement).value });
    again();
  } }, languages.map((l) => h("option", { value: l.tag, lang: l.tag, selected: l.tag === tag() }, l.name)));
}

const AHEAD = 180 * 86400; // seconds; lists this old are seldom, a clock that runs ahead is not

/** oldest is the oldest list that a verdict may rest on, whosever it is: a verdict is as old as that. */
export const oldest = (l: Lists) => l.lists.filter((x) => x.kind !== "pack").reduce((a, b) => (b.age > a.age || (b.age === a.age && b.own) ? b : a));

/** whose says which list is the oldest one. */
export const whose = (x: ListAge) => (x.kind === "trust" ? t("ready.oldest_trust") : t("ready.oldest", { who: x.name }));

export async function ready(ui: UI) {
  const { app } = ui, turn = ui.turn;
  app.unask();
  if (!app.practice) {
    if (!app.pack) return setup(ui);
    const behind: Stop | null = await app.clockBehind();
    if (behind) return ui.show(stopScreen(ui, behind, { label: t("stop.clock_set"), act: () => void ready(ui) }));
  }
  const l = await app.lists();
  if (ui.turn !== turn) return; // they went on meanwhile
  const last = oldest(l);
  const fresh = last.age < 3 * 86400 ? "fresh" : last.age < 7 * 86400 ? "aging" : "old";
  const ahead = !app.practice && last.age > AHEAD;
  const shiftOpen = app.practice || app.shiftOpen();
  ui.show({
    name: "ready", title: app.practice ? t("practice.title") : bdi(app.pack!.site),
    corner: languageRow(ui, () => void ready(ui)),
    body: [
      h("div", { class: "chips" },
        h("button", { type: "button", class: `chip ${fresh}`, id: "lists-chip", click: () => void listsScreen(ui) }, h("span", { class: "mark", "aria-hidden": "true" }), 
          h("span", {}, t("ready.lists"), " ", age(last.age), h("small", { id: "oldest" }, whose(last)))),
        unsent(ui),
        h("span", { class: `chip ${ahead ? "old" : "plain"}`, id: "clock-chip" }, h("span", { class: "mark", "aria-hidden": "true" }), clockNow())),
      onOldLists(l),
      !app.practice && !l.round_open ? h("div", { class: "banner", id: "no-round", role: "status" }, h("p", {}, t("ready.no_round")),
        h("p", {}, l.round_opens ? [t("ready.round_opens", { date: date(l.round_opens).textContent! }), " "] : null, t("ready.no_round_do"))) : null,
      ahead ? h("p", { class: "note", id: "ahead" }, t("ready.clock_ahead")) : null,
      !app.practice && app.offline !== "kept" ? h("p", { class: "note", id: "offline" }, t("ready.no_offline")) : null,
      !app.persisted && !app.practice ? h("p", { class: "note" }, t("ready.not_kept")) : null,
      app.copied ? h("p", { class: "note" }, t("stop.copied_do")) : !app.practice && !app.device?.certified ? h("p", { class: "note" }, t("ready.check_only")) : null,
      !app.practice && app.device?.certified && !app.shift ? h("p", { class: "lead" }, t("ready.no_shift")) : null,
      !app.practice && app.shift ? h("p", { class: "lead", id: "shift" }, t(app.shiftOver() ? "shift.over" : "ready.shift", { who: app.shift.staff }), app.shift.lead && shiftOpen ? [" · ", t("shift.site_lead")] : null) : null,
      closed(ui, l, () => void ready(ui)),
      h("ul", { class: "menu" },
        item("clock", "history.title", () => void history(ui), "history"),
        item("list", "lists.title", () => void listsScreen(ui), "lists"),
        app.mayAsk() ? item("phone", "ask.title", () => void ask(ui, () => void ready(ui)), "ask-phone") : null,
        app.practice ? null : item("circle-tick", "practice.title", () => void practice(ui), "practice"),
        !app.practice && app.shiftOpen() && app.device?.certified ? item("type", "shift.change", () => scanBadge(ui, () => void ready(ui)), "hand-over") : null,
        app.practice ? null : item("key", "supervisor.title", () => supervisor(ui, () => supervisorMenu(ui), () => void ready(ui), "menu"), "supervisor")),
    ],
    keys: async (code) => {
      if (!app.practice && isBadge(code)) { await takeBadge(ui, code); return; }
      if ((await look(ui, code)) === "none") ui.toast(t("word.not_an_aid_card"));
    },
    actions: [
      !app.practice && app.device?.certified && !shiftOpen ? button(t("shift.open"), () => void openShift(ui), "main", "open-shift") : null,
      button([shape("camera", "small"), t("ready.scan")], () => scan(ui), shiftOpen || !app.device?.certified ? "main" : "", "scan"),
      app.practice ? button(t("practice.leave"), () => void leavePractice(ui), "", "leave-practice") : null,
    ],
  });
}

/** onOldLists says that the round is open on old lists, and how much of that is used. */
function onOldLists(l: Lists): Child {
  if (!l.old_lists_until) return null;
  const counted = l.old_lists_most !== undefined;
  return h("p", { class: "banner", id: "old-lists-open", role: "status" }, l.old_lists_spent ? t("old.spent", { most: l.old_lists_most! })
    : [t("ready.old_lists", { ceiling: l.old_lists_ceiling || "–" }), counted ? [h("br"), t("old.count", { n: l.old_lists_given!, most: l.old_lists_most! })] : null]);
}

/** unsent says how many records are on this phone alone. */
export function unsent(ui: UI) {
  const n = ui.app.unsent();
  return h("button", { type: "button", class: `chip ${n ? "aging" : "fresh"}`, id: "unsent-chip", "data-waiting": ui.app.waiting(), click: () => void history(ui) },
    h("span", { class: "mark", "aria-hidden": "true" }), t("ready.unsent"), " ", number(n));
}

const clockNow = () => bdi(new Intl.DateTimeFormat(tag(), { dateStyle: "medium", timeStyle: "short" }).format(now() * 1000));

const item = (sign: string, key: string, act: () => void, id: string) =>
  h("li", {}, h("button", { type: "button", id, click: act }, shape(sign, "small"), h("span", {}, t(key)), h("span", { class: "arrow", "aria-hidden": "true" })));
