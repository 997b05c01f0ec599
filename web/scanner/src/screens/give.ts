// Give and record: what to give, who the person is tied to it by, how much of it, and
// ten seconds to take it back.
import { Refused } from "../app";
import { Check, Kind, type Due, type Entry } from "../core";
import { bdi, button, field, h, value, type Child } from "common/dom";
import { decimal, number, t, text } from "common/i18n";
import { Full } from "../store";
import { hold, stopScreen, type UI } from "../ui";
import { face, facing, mustCheck, onward, photoFits, type Meeting } from "./meeting";
import { ready } from "./ready";
import { scan, seen } from "./scan";
import { shown, verdict } from "./verdict";

/** offer is what to give in large type, beside the photo, with more under it. Null where the pack tells neither. */
export function offer(ui: UI, m: Meeting, more: Child = null): Child {
  const { due, photo, programme_name } = m.v;
  if (!due?.length && !photo) return null;
  const img = photo === "fits" ? h("img", { class: "face", id: "face", alt: text("give.photo") }) : null;
  if (img) setTimeout(() => void face(ui, img, m.v.verdict));
  return h("section", { class: "offer" }, img,
    h("div", {},
      due?.length ? h("ul", { class: "due", id: "due" }, due.map((l) => h("li", {}, h("strong", {}, amount(l)), l.label ? h("span", {}, bdi(l.label)) : null))) : null,
      programme_name ? h("p", { class: "programme" }, bdi(programme_name)) : null,
      more, photo === "other" ? h("p", { class: "note", id: "photo-other" }, t("give.photo_other")) : null));
}

/** amount is a number as it is written here, and its unit. */
const amount = (l: Due) => [number(Number(l.amount)), l.unit ? [" ", bdi(l.unit)] : null];

/** checks are pressed when they were made; nothing is taken for granted. */
export function checks(ui: UI, m: Meeting, notPerson: () => void, back = () => shown(ui, m)): Child {
  const toggle = (key: string, check: number, id: string) => {
    const b = button(t(key), () => {
      if (!m.checks.delete(check)) m.checks.add(check);
      b.setAttribute("aria-pressed", String(m.checks.has(check)));
    }, "toggle", id);
    b.setAttribute("aria-pressed", String(m.checks.has(check)));
    return b;
  };
  return h("div", { class: "trio", role: "group", "aria-label": text("give.checked") },
    photoFits(m) ? toggle("give.face_fits", Check.photo, "face-fits") : null,
    toggle("give.witness", Check.witness, "witness"),
    button(t("give.not_person"), notPerson, "toggle", "not-person"),
    h("button", { type: "button", class: "ask", id: "what-witness", "aria-label": text("witness.title"), click: () => whatWitness(ui, m, back) }, t("witness.ask")));
}

/** whatWitness says who that is, and when one is called. */
function whatWitness(ui: UI, m: Meeting, back: () => void) {
  facing(ui, m, {
    name: "what-witness", title: t("witness.title"), back,
    body: ["who", "when", "how"].map((k) => h("p", {}, t(`witness.${k}`))),
    actions: button(t("common.back"), back, "main", "witness-back"),
  });
}

/** collector asks who came, where somebody else than the holder may. */
export function collector(m: Meeting): Child {
  if (m.v.claim_collector_rule !== "holder_or_alternate" && !m.v.collectors) return null;
  const change = (e: Event) => { m.by = Number((e.target as HTMLSelectElement).value); };
  return h("select", { id: "who", class: "who", "aria-label": text("give.who"), change },
    ["holder", "alternate", "proxy"].map((w, i) => h("option", { value: i + 1, selected: m.by === i + 1 }, t(`give.who_${w}`))));
}

/** names stay covered until somebody asks, and that is written down first. */
export function names(ui: UI, m: Meeting): Child {
  const onCard = m.v.claim_name;
  if (!m.v.names && !m.v.collectors && typeof onCard !== "string") return null;
  const b = button(t(m.v.collectors ? "facts.names" : "facts.name"), async () => {
    b.disabled = true;
    if (ui.app.mayRecord() && !(await ui.app.note("name_shown", m.v.verdict).then(() => true, () => false))) { ui.toast(t("give.failed")); return; }
    const told = await ui.app.core.names(ui.app.clock(), m.v.verdict);
    const [own, others] = told.ok ? [told.names, told.collectors] : [[], []];
    if (!own.length && typeof onCard === "string") own.push(onCard);
    b.replaceWith(h("p", { class: "name", id: "names" }, own.map((n, i) => [i ? " · " : "", bdi(n)]),
      others.length ? h("small", {}, t("give.also"), " ", others.map((n, i) => [i ? " · " : "", bdi(n)])) : null));
  }, "link", "show-name");
  return b;
}

/** record stores an entry; only then is anything said to be recorded. What can be mended is said where the person still stands. */
export async function record(ui: UI, m: Meeting, entry: Entry) {
  if (mustCheck(m)) { ui.toast(t("give.say_check")); return; }
  try {
    const sequence = await ui.app.record({ by: m.by, checks: [...m.checks], verdict: m.v.verdict, ...entry });
    if (m.code) seen(m.code); // her card may still lie before the camera
    onward(ui);
    recorded(ui, sequence);
  } catch (e) {
    if (e instanceof Full) { ui.show(stopScreen(ui, "full", { label: t("common.back"), act: () => ready(ui) })); return; }
    if (e instanceof Refused && e.reason !== "again") { ui.toast(t(`give.refused_${e.reason}`)); return; }
    onward(ui); // what was judged is no longer in hand
    ui.toast(t("give.failed"));
  }
}

/** recorded says so, with ten seconds to take it back by a counter-entry; then is what follows on that. */
export function recorded(ui: UI, sequence: number, then = () => {}) {
  ui.toast(t("give.recorded"), ui.app.practice ? undefined : { label: t("give.undo"), act: () => void undo(ui, sequence, then) });
  document.getElementById("toast")!.dataset.sequence = String(sequence);
}

async function undo(ui: UI, sequence: number, then: () => void) {
  try {
    await ui.app.cancel(sequence, "undo");
    then();
    ui.toast(t("give.undone"));
  } catch {
    ui.toast(t("give.failed"));
  }
}

/** amounts: less, or something else, line by line; what stays due is reckoned by the core. entry is what else is to be recorded. */
export function amounts(ui: UI, m: Meeting, entry: Partial<Entry> = {}, back = () => shown(ui, m)) {
  const { due } = m.v;
  if (!due?.length) return quantity(ui, m, entry, back);
  const lines = due.map((l, i) => {
    const other = h("div", { class: "hidden" }, field(t("give.instead"), `instead-${i}`, { maxlength: 32, dir: "ltr", autocapitalize: "characters" }));
    return h("fieldset", { class: "line" }, h("legend", {}, l.label ? [bdi(l.label), " · "] : null, t("give.of", { amount: Number(l.amount) }), " ", bdi(l.unit)),
      field(t("give.given"), `amount-${i}`, { value: l.amount, inputmode: "decimal", dir: "ltr", maxlength: 20 }),
      h("label", { class: "switch" }, h("input", { type: "checkbox", id: `swap-${i}`, change: (e: Event) => { other.classList.toggle("hidden", !(e.target as HTMLInputElement).checked); } }),
        h("span", {}, t("give.something_else"))), other);
  });
  facing(ui, m, {
    name: "amounts", title: t("give.other"), back,
    body: [h("p", {}, t("give.amounts_lead")), lines],
    actions: hold(t("give.hold"), "give", () => record(ui, m, { kind: Kind.collection, ...entry, lines: due.map((l, i) => ({
      code: l.code, amount: decimal(value(`amount-${i}`)),
      instead: (document.getElementById(`swap-${i}`) as HTMLInputElement).checked ? value(`instead-${i}`) : "",
    })) })),
  });
}

/** quantity is amounts where the pack does not say what is due. */
function quantity(ui: UI, m: Meeting, entry: Partial<Entry>, back: () => void) {
  let part = false;
  const rest = h("div", { class: "hidden" }, field(t("give.rest"), "rest", { maxlength: 60 }));
  const toggle = h("label", { class: "switch" }, h("input", { type: "checkbox", id: "part", change: (e: Event) => {
    part = (e.target as HTMLInputElement).checked;
    rest.classList.toggle("hidden", !part);
  } }), h("span", {}, t("give.part")));
  const wrong = h("p", { class: "wrong", role: "alert" });
  facing(ui, m, {
    name: "amounts", tone: "plain", title: t("give.other"), back,
    body: [field(t("give.quantity"), "quantity", { maxlength: 60, placeholder: "2 kg", dir: "auto" }), toggle, rest, wrong],
    actions: hold(t("give.hold"), "give", async () => {
      const left = value("rest");
      if (part && !left) { wrong.replaceChildren(t("give.rest_needed")); return; }
      await record(ui, m, { kind: part ? Kind.partial : Kind.collection, given: value("quantity"), rest: part ? left : "", ...entry });
    }),
  });
}

/** pinOf asks the holder for the PIN of the card. */
export function pinOf(ui: UI, m: Meeting) {
  const wrong = h("p", { class: "wrong", role: "alert" });
  ui.show({
    name: "pin", title: t("give.ask_pin"), back: () => scan(ui),
    body: h("form", { id: "form", submit: async (e: Event) => {
      e.preventDefault();
      if (!/^\d{6}$/.test(value("pin"))) { wrong.replaceChildren(t("pin.six")); return; }
      const v = await ui.app.core.pin(m.code, ui.app.clock(), value("pin"), m.v.verdict);
      await ui.app.keepState();
      verdict(ui, v, m.code);
    } }, h("p", {}, t("give.pin_lead")), field(t("pin.label"), "pin", { type: "password", inputmode: "numeric", maxlength: 6 }), wrong),
    actions: h("button", { class: "button main", type: "submit", form: "form" }, t("common.go")),
  });
  document.getElementById("pin")!.focus();
}
