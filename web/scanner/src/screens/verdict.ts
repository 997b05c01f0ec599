// Verdict: one word, one next action, and what the purpose needs.
import { Holder, Kind, type Verdict } from "../core";
import { bdi, button, h, shape, type Child } from "common/dom";
import { age, cardNumber, date, day, number, t } from "common/i18n";
import { feel } from "../feedback";
import { hold, type UI } from "../ui";
import { ask } from "./ask";
import { complaint, notPerson, override, reasons } from "./desk";
import { byNumber, which } from "./number";
import { facing, meeting, onward, type Meeting } from "./meeting";
import { whereabouts } from "./whereabouts";
import { amounts, checks, collector, names, offer, pinOf, record } from "./give";
import { consent } from "./person";
import { seen } from "./scan";
import { supervisor } from "./supervisor";
import { unlock } from "./unlock";

/** verdict shows what the core said about code. again judges the same once more, where the code alone does not say how. */
export function verdict(ui: UI, v: Verdict, code: string, again?: () => Promise<Verdict>) {
  ui.app.door = null; // it was opened for another person
  shown(ui, meeting(ui, v, code, again));
  feel(v.answer === "valid", v.word, ui.app.settings.sound);
}

/** shown is the verdict of somebody who is still at the table. */
export function shown(ui: UI, m: Meeting) {
  const { app } = ui, { v, code } = m;
  const good = v.answer === "valid", known = v.word === "known", give = good && !known, typed = !!v.row && v.reason === "number_only";
  const next = () => { if (code) seen(code); onward(ui); };
  const askPIN = give && !!(v.holder & Holder.pin) && !(v.holder & Holder.pinRight);
  const may = app.mayRecord(), locked = v.tables === "locked" && (good || v.reason === "number_only");

  const actions: Child[] = [];
  let leads = true; // no other action is the one that leads
  const lead = (c: Child) => { actions.push(c); leads = false; };
  if (askPIN) lead(button(t("give.ask_pin"), () => pinOf(ui, m), "main", "ask-pin"));
  else if (give && may) lead(hold(t("give.hold"), "give", () => record(ui, m, { kind: Kind.collection, given: "" })));
  else if (known && may) lead(button(t("person.ask_consent"), () => consent(ui, m), "main", "known"));
  else if (app.mayAsk() && v.reasons.some((r) => LIVE.includes(r))) lead(button([shape("phone", "small"), t("ask.title")], () => void ask(ui, () => shown(ui, m)), "main", "ask-phone"));
  else if (typed && may) lead(button(t("number.record"), () => byNumber(ui, m), "main", "record-number"));
  if (v.word === "already_collected" && may) actions.push(button(t("give.not_received"), () => void complaint(ui, m), "", "complaint"));
  const onwards = button(t("verdict.next"), next, leads ? "main" : "", "next");
  actions.push(give && !askPIN && may ? h("div", { class: "pair" }, button(t("give.other"), () => amounts(ui, m), "", "other"), onwards) : onwards);

  const told = give || typed ? offer(ui, m, facts(ui, v)) : null;
  const link = (key: string, id: string, act: () => void) => button(t(key), act, "link", id);
  facing(ui, m, {
    name: "verdict", tone: v.colour, sign: v.shape, alert: true,
    title: t(`word.${v.word}`),
    keys: (text) => void look(ui, text),
    body: [
      h("p", { class: "todo", id: "todo" }, t(typed ? "number.found" : `todo.${v.todo}`)),
      v.reasons.includes("ok_old_lists") ? h("p", { class: "banner", id: "on-old-lists" }, t("verdict.old_lists")) : null,
      good && v.grace_until ? h("p", { class: "note", id: "grace" }, t("verdict.grace", { date: date(v.grace_until - 1).textContent! })) : null,
      v.old_lists_spent !== undefined ? h("p", { class: "banner", id: "old-spent" }, t("old.spent", { most: v.old_lists_spent })) : null,
      give && !may ? h("p", { class: "note" }, t(!app.device?.certified ? "give.check_only" : app.shiftOver() ? "give.shift_over" : "give.no_shift")) : null,
      locked ? h("div", { class: "note split", id: "locked" }, h("p", {}, t(v.reason === "number_only" ? "unlock.number" : "unlock.lead")),
        button(t("unlock.open"), () => unlock(ui, async () => shown(ui, { ...m, v: await m.again() }), () => shown(ui, m)), "small", "unlock")) : null,
      v.reason === "number_only" && !v.row && v.tables === "open" ? h("p", { class: "note", id: "no-row" }, t("number.no_row")) : null,
      told,
      give ? asked(m) : null,
      give || typed ? checks(ui, m, () => notPerson(ui, m)) : null,
      told ? null : facts(ui, v),
      h("div", { class: "minor" },
        give && may ? collector(m) : null,
        give || typed ? names(ui, m) : null,
        link("verdict.details", "details", () => supervisor(ui, () => details(ui, m), () => shown(ui, m)))),
    ],
    actions,
  }, next);
  const screen = document.getElementById("screen")!;
  screen.classList.toggle("compact", !!told || give);
  screen.dataset.word = v.word;
  screen.dataset.reason = v.reason;
}

/** What another live code of the phone, asked for here and now, may mend. */
const LIVE = ["live_required", "kb_wrong_nonce", "kb_stale"];

function asked(m: Meeting): Child {
  const { v } = m;
  if (v.holder & (Holder.live | Holder.pinRight)) return h("p", { class: "check" }, t("give.proved"));
  const keys = [v.holder & Holder.photo && !v.photo && "check.photo", v.holder & Holder.pin && "check.pin"].filter(Boolean) as string[];
  return keys.length ? h("p", { class: "check" }, keys.map((k, i) => [i ? " · " : "", t(k)])) : null;
}

// What the purpose needs, and with all set (behind the PIN) the rest of it.
export function facts(ui: UI, v: Verdict, all = false): Child {
  const rows: [Child, Child][] = [];
  const label = (claim: string) => ui.app.label(`${v.type}.${claim}`, claim);
  if (v.earlier_rest && (v.facts >= 2 || v.row) && !v.due?.length) rows.push([t("facts.rest"), bdi(v.earlier_rest)]);
  if (v.size && (v.answer === "valid" || v.reason === "number_only")) rows.push([t("facts.size"), number(v.size)]);
  if (v.facts >= 2) {
    for (const name of all ? Object.keys(v).filter((k) => k.startsWith("claim_") && !/^claim_(name|photo)/.test(k)).map((k) => k.slice(6)) : v.answer === "valid" ? ["size_band"] : ["collect_from", "collect_to", "round", "rounds"]) {
      const x = v[`claim_${name}`];
      if (x === undefined || x === null || (typeof x === "object" && !Array.isArray(x)) || (name === "size_band" && v.size && !all) || (name === "programme" && v.programme_name)) continue;
      const said = ui.app.label(`${v.type}.${name}=${x}`, "");
      rows.push([label(name), said ? bdi(said) : typeof x === "number" ? number(x) : typeof x === "string" && /^\d{4}-\d\d-\d\d$/.test(x) ? day(x) : bdi(Array.isArray(x) ? x.join(" – ") : String(x))]);
    }
    if (v.next) rows.push([t("facts.next"), date(v.next)]);
    if (v.valid_from && v.reason === "not_yet_valid" && v.valid_from > ui.app.clock()) rows.push([t("facts.from"), date(v.valid_from)]);
    if (v.valid_until && (all || v.answer === "valid")) rows.push([t("facts.until"), date(v.valid_until)]);
  }
  if (v.number && (all || v.answer !== "valid")) rows.push([t("label.card_number_short"), cardNumber(v.number)]);
  return rows.length ? h("dl", { class: "facts" }, rows.map(([k, x]) => h("div", {}, h("dt", {}, k), h("dd", {}, x)))) : null;
}

/** details: why, for the supervisor. */
function details(ui: UI, m: Meeting) {
  const { v, code } = m;
  const mayGive = (!!code || !!v.row) && v.answer !== "valid" && (v.facts > 0 || !!v.row) && ui.app.mayRecord();
  facing(ui, m, {
    name: "details", title: t("verdict.details"), back: () => shown(ui, m),
    body: [
      v.reasons.map((r) => h("section", { class: "reason" }, h("code", {}, bdi(r)), h("p", {}, t(`sentence.${r}`)))),
      whereabouts(ui, m, () => details(ui, m)),
      facts(ui, v, true),
      h("dl", { class: "facts" },
        v.programme_name && h("div", {}, h("dt", {}, t("facts.programme")), h("dd", {}, bdi(v.programme_name), v.claim_programme ? [" · ", bdi(String(v.claim_programme))] : null)),
        v.issuer_name && h("div", {}, h("dt", {}, t("facts.issuer")), h("dd", {}, bdi(v.issuer_name))),
        v.ceiling && h("div", {}, h("dt", {}, t("facts.ceiling")), h("dd", {}, bdi(v.ceiling))),
        v.age !== null && h("div", {}, h("dt", {}, t("facts.lists_age")), h("dd", {}, age(v.age)))),
    ],
    actions: [mayGive ? button(t("override.title"), () => void override(ui, m, reasons), "", "override") : null, button(t("verdict.next"), () => onward(ui), "main", "next")],
  });
}

/** look judges what was typed or read as text: a card's whole code, else a printed number. */
export async function look(ui: UI, text: string): Promise<"none" | void> {
  if (text.length <= LONGEST_NUMBER) {
    const judge = () => ui.app.core.number(text, ui.app.clock(), 0);
    const v = await judge();
    if (v.ok) { which(ui, v, text); return; }
  }
  const v = await ui.app.judge(text);
  if (v.answer === "none") return "none";
  verdict(ui, v, text);
}

/** No code of a card is as short as this, and no number as long, however it is spaced. */
const LONGEST_NUMBER = 24;
