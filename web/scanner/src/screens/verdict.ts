// Verdict and hand-over: one word, one next action, and what the purpose needs.
import { now } from "../app";
import { Holder, Kind, type Entry, type Verdict } from "../core";
import { bdi, button, field, h, value, type Child } from "../dom";
import { age, date, number, t } from "../i18n";
import { feel } from "../feedback";
import { Full } from "../store";
import { hold, stopScreen, type UI } from "../ui";
import { practice } from "./practice";
import { ready } from "./ready";
import { scan, seen } from "./scan";
import { supervisor } from "./supervisor";

const CLOSES = 60_000;

/** verdict shows what the core said about code; code is "" for a typed number. */
export function verdict(ui: UI, v: Verdict, code: string) {
  const { app } = ui;
  const good = v.answer === "valid";
  const next = () => { if (code) seen(code); onward(ui); };
  const closing = setTimeout(next, CLOSES);
  const askPIN = good && !!(v.holder & Holder.pin) && !(v.holder & Holder.pinRight);
  const give = good && v.word !== "known";

  const actions: Child[] = [];
  if (askPIN) {
    actions.push(button(t("give.ask_pin"), () => pinOf(ui, code), "main", "ask-pin"));
  } else if (give && app.mayRecord()) {
    actions.push(hold(t("give.hold"), "give", () => record(ui, { kind: Kind.collection, by: 1, given: "", checks: checksOf(v) })));
  }
  if (v.word === "known" && app.mayRecord()) actions.push(button(t("give.known"), () => record(ui, { kind: Kind.note, card: true, code: "known" }), "main", "known"));
  if (v.word === "already_collected" && app.mayRecord()) actions.push(button(t("give.not_received"), () => complaint(ui, code), "", "complaint"));
  const onwards = button(t("verdict.next"), next, good && app.mayRecord() ? "" : "main", "next");
  actions.push(give && !askPIN && app.mayRecord() ? h("div", { class: "pair" }, button(t("give.other"), () => amounts(ui, v, code), "", "other"), onwards) : onwards);

  ui.show({
    name: "verdict", tone: v.colour, sign: v.shape, alert: true,
    title: t(`word.${v.word}`),
    leave: () => clearTimeout(closing),
    keys: (typed) => void again(ui, typed),
    body: [
      h("p", { class: "todo", id: "todo" }, t(`todo.${v.todo}`)),
      give && !app.mayRecord() ? h("p", { class: "note" }, t(!app.device?.certified ? "give.check_only" : app.shiftOver() ? "give.shift_over" : "give.no_shift")) : null,
      give ? checkWords(v) : null,
      facts(ui, v),
      h("div", { class: "minor" },
        give ? button(t("give.not_person"), () => notPerson(ui), "link", "not-person") : null,
        button(t("verdict.details"), () => supervisor(ui, () => details(ui, v, code), () => verdict(ui, v, code)), "link", "details")),
    ],
    actions,
  });
  document.getElementById("screen")!.dataset.word = v.word;
  document.getElementById("screen")!.dataset.reason = v.reason;
  feel(good, v.word, app.settings.sound);
}

/** onward is to the next card. */
const onward = (ui: UI) => (ui.app.practice ? void practice(ui) : scan(ui));

async function again(ui: UI, typed: string) {
  const v = await ui.app.judge(typed);
  if (v.answer !== "none") verdict(ui, v, typed);
}

function checkWords(v: Verdict): Child {
  const asked = [v.holder & Holder.photo && "check.photo", v.holder & Holder.pin && !(v.holder & Holder.pinRight) && "check.pin"].filter(Boolean) as string[];
  if (v.holder & (Holder.live | Holder.pinRight)) return h("p", { class: "check" }, t("give.proved"));
  return asked.length ? h("p", { class: "check" }, asked.map((k, i) => [i ? " · " : "", t(k)])) : null;
}

const checksOf = (v: Verdict) => (v.holder & Holder.photo ? [1] : []);

// What the purpose needs, and with all set (behind the PIN) the rest of it.
function facts(ui: UI, v: Verdict, all = false): Child {
  const rows: [Child, Child][] = [];
  const label = (claim: string) => ui.app.label(`${v.type}.${claim}`, claim);
  const claim = (name: string) => v[`claim_${name}`];
  if (v.facts >= 2) {
    const benefit = Object.entries(v).find(([k, x]) => k.startsWith("claim_") && x && typeof x === "object" && !Array.isArray(x));
    if (benefit) rows.push([label(benefit[0].slice(6)), benefitText(benefit[1] as Record<string, any>)]);
    if (v.earlier_rest) rows.push([t("facts.rest"), bdi(v.earlier_rest)]);
    for (const name of all ? Object.keys(v).filter((k) => k.startsWith("claim_") && k !== "claim_name").map((k) => k.slice(6)) : v.answer === "valid" ? ["size_band"] : ["collect_from", "collect_to", "round", "rounds"]) {
      const x = claim(name);
      if (x === undefined || x === null || (typeof x === "object" && !Array.isArray(x))) continue;
      const said = ui.app.label(`${v.type}.${name}=${x}`, "");
      rows.push([label(name), said ? bdi(said) : typeof x === "number" ? number(x) : bdi(Array.isArray(x) ? x.join(" – ") : String(x))]);
    }
    if (v.valid_from && v.reason === "not_yet_valid") rows.push([t("facts.from"), date(v.valid_from)]);
    if (v.valid_until && (all || v.answer === "valid")) rows.push([t("facts.until"), date(v.valid_until)]);
  }
  if (v.number && (all || v.answer !== "valid")) rows.push([t("label.card_number_short"), bdi(spaced(v.number))]);
  const name = claim("name");
  return [
    rows.length ? h("dl", { class: "facts" }, rows.map(([k, x]) => h("div", {}, h("dt", {}, k), h("dd", {}, x)))) : null,
    !all && v.facts >= 2 && typeof name === "string" ? nameOnTap(ui, name) : null,
  ];
}

/** A name stays covered until somebody asks, and that is written down. */
function nameOnTap(ui: UI, name: string) {
  const b = button(t("facts.name"), async () => {
    if (ui.app.mayRecord()) await ui.app.note("name_shown", true).catch(() => {});
    b.replaceWith(h("p", { class: "name" }, bdi(name)));
  }, "small", "show-name");
  return b;
}

function benefitText(b: Record<string, any>): Child {
  const parts: string[] = [];
  if (b.amount) parts.push(`${b.amount} ${b.currency ?? ""}`.trim());
  for (const i of b.items ?? []) parts.push(typeof i === "object" ? Object.values(i).join(" ") : String(i));
  if (b.visits) parts.push(String(b.visits));
  return parts.map((p, i) => [i ? ", " : "", bdi(p)]);
}

const spaced = (n: string) => n.replace(/(.{4})(?=.)/g, "$1 ");

/** record stores an entry; only then is anything said to be recorded. */
async function record(ui: UI, entry: Entry) {
  try {
    const sequence = await ui.app.record(entry);
    onward(ui);
    ui.toast(t("give.recorded"), ui.app.practice ? undefined : { label: t("give.undo"), act: () => void undo(ui, sequence) });
    document.getElementById("toast")!.dataset.sequence = String(sequence);
  } catch (e) {
    if (e instanceof Full) { ui.show(stopScreen(ui, "full", { label: t("common.back"), act: () => ready(ui) })); return; }
    onward(ui); // what was judged is no longer in hand
    ui.toast(t("give.failed"));
  }
}

async function undo(ui: UI, sequence: number) {
  try {
    await ui.app.cancel(sequence, "undo");
    ui.toast(t("give.undone"));
  } catch {
    ui.toast(t("give.failed"));
  }
}

/** amounts: another quantity, a part, another collector. */
function amounts(ui: UI, v: Verdict, code: string) {
  let part = false;
  const rest = h("div", { class: "hidden" }, field(t("give.rest"), "rest", { maxlength: 60 }));
  const toggle = h("label", { class: "switch" }, h("input", { type: "checkbox", id: "part", change: (e: Event) => {
    part = (e.target as HTMLInputElement).checked;
    rest.classList.toggle("hidden", !part);
  } }), h("span", {}, t("give.part")));
  const who = h("fieldset", { class: "choices" }, h("legend", {}, t("give.who")), ["holder", "alternate", "proxy"].map((w, i) =>
    h("label", {}, h("input", { type: "radio", name: "who", value: i + 1, checked: i === 0 }), h("span", {}, t(`give.who_${w}`)))));
  const wrong = h("p", { class: "wrong", role: "alert" });
  ui.show({
    name: "amounts", tone: "plain", title: t("give.other"), back: () => verdict(ui, v, code),
    body: [field(t("give.quantity"), "quantity", { maxlength: 60, placeholder: "2 kg", dir: "auto" }), toggle, rest, who, wrong],
    actions: hold(t("give.hold"), "give", async () => {
      const left = value("rest");
      if (part && !left) { wrong.replaceChildren(t("give.rest_needed")); return; }
      const by = Number((document.querySelector("input[name=who]:checked") as HTMLInputElement).value);
      await record(ui, { kind: part ? Kind.partial : Kind.collection, given: value("quantity"), rest: part ? left : "", by, checks: checksOf(v) });
    }),
  });
}

/** pinOf asks the holder for the PIN of the card. */
function pinOf(ui: UI, code: string) {
  const wrong = h("p", { class: "wrong", role: "alert" });
  ui.show({
    name: "pin", title: t("give.ask_pin"), back: () => scan(ui),
    body: h("form", { id: "form", submit: async (e: Event) => {
      e.preventDefault();
      if (!/^\d{6}$/.test(value("pin"))) { wrong.replaceChildren(t("pin.six")); return; }
      const v = await ui.app.core.pin(code, now(), value("pin"));
      await ui.app.keepState();
      verdict(ui, v, code);
    } }, h("p", {}, t("give.pin_lead")), field(t("pin.label"), "pin", { type: "password", inputmode: "numeric", maxlength: 6 }), wrong),
    actions: h("button", { class: "button main", type: "submit", form: "form" }, t("common.go")),
  });
  document.getElementById("pin")!.focus();
}

/** notPerson: the photo does not fit, or is not shown. The private check is an equal path. */
function notPerson(ui: UI) {
  ui.show({
    name: "not-person", tone: "amber", sign: "triangle-bang", title: t("word.help_desk"), back: () => scan(ui),
    body: [h("p", { class: "todo" }, t("give.not_person_do"))],
    actions: [button(t("verdict.next"), async () => {
      if (ui.app.mayRecord()) await ui.app.note("not_this_person", true).catch(() => {});
      scan(ui);
    }, "main", "next")],
  });
}

/** complaint writes down that she says she did not receive; the supervisor may allow an emergency ration. */
async function complaint(ui: UI, code: string) {
  try {
    await ui.app.note("not_received", true);
  } catch {
    ui.toast(t("give.failed"));
    return;
  }
  ui.show({
    name: "complaint", tone: "amber", sign: "triangle-bang", title: t("complaint.title"),
    body: [h("p", { class: "todo" }, t("complaint.lead"))],
    actions: [
      button(t("complaint.emergency"), () => supervisor(ui, () => override(ui, code, ["emergency"]), () => scan(ui)), "", "emergency"),
      button(t("verdict.next"), () => scan(ui), "main", "next"),
    ],
  });
}

/** details: why, for the supervisor. */
function details(ui: UI, v: Verdict, code: string) {
  const mayGive = !!code && v.answer !== "valid" && v.facts > 0 && ui.app.mayRecord();
  ui.show({
    name: "details", title: t("verdict.details"), back: () => verdict(ui, v, code),
    body: [
      v.reasons.map((r) => h("section", { class: "reason" }, h("code", {}, bdi(r)), h("p", {}, t(`sentence.${r}`)))),
      facts(ui, v, true),
      h("dl", { class: "facts" },
        v.issuer_name && h("div", {}, h("dt", {}, t("facts.issuer")), h("dd", {}, bdi(v.issuer_name))),
        v.age !== null && h("div", {}, h("dt", {}, t("facts.age")), h("dd", {}, age(v.age)))),
    ],
    actions: [mayGive ? button(t("override.title"), () => override(ui, code, reasons), "", "override") : null, button(t("verdict.next"), () => scan(ui), "main", "next")],
  });
}

const reasons = ["known_to_staff", "lists_old", "card_damaged", "emergency"];

/** override gives all the same, with a reason that is recorded. */
function override(ui: UI, code: string, allowed: string[]) {
  ui.show({
    name: "override", title: t("override.title"), back: () => scan(ui),
    body: [h("p", {}, t("override.lead")), h("fieldset", { class: "choices" }, h("legend", {}, t("override.reason")), allowed.map((r, i) =>
      h("label", {}, h("input", { type: "radio", name: "reason", value: r, checked: i === 0 }), h("span", {}, t(`override.${r}`)))))],
    actions: hold(t("give.hold"), "give", async () => {
      const r = (document.querySelector("input[name=reason]:checked") as HTMLInputElement).value;
      await ui.app.judge(code); // the record belongs to the newest verdict
      await record(ui, { kind: Kind.collection, by: 1, code: `override:${r}` });
    }),
  });
}
