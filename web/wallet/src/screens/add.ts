// A card comes: by a code, a link or a file. Who offers it is shown, and nothing is
// fetched of it before she agrees.
import { button, choose, field, h, value } from "common/dom";
import { t, text } from "common/i18n";
import { said } from "../aloud";
import { now } from "../app";
import type { Flow, Offered } from "../core";
import { picture } from "../pictures";
import { act, page, type UI } from "../ui";
import { asked } from "./ask";
import { fromPaper, restoreFrom } from "./backup";
import { card, cards, label } from "./cards";
import { look } from "./scan";

export function add(ui: UI) {
  page(ui, {
    name: "add", title: t("wallet.add"), back: () => void cards(ui),
    body: [said("wallet.add_lead"), act("scan", "wallet.add_scan", "scan", () => look(ui, { title: "wallet.add_scan", hint: "wallet.add_hint", back: () => add(ui), found: (code) => take(ui, code) }), "tall main"),
      act("link", "wallet.add_link", "link", () => link(ui), "tall"),
      act("file", "wallet.add_file", "file-open", () => void file(ui), "tall")],
  });
}

function link(ui: UI) {
  const wrong = h("p", { class: "wrong", role: "alert" });
  page(ui, {
    name: "link", title: t("wallet.add_link"), back: () => add(ui),
    body: h("form", { id: "form", submit: async (e: Event) => {
      e.preventDefault();
      if ((await take(ui, value("text"))) === "more") wrong.replaceChildren(t("wallet.why_none"));
    } }, said("wallet.link_lead"), field(t("wallet.link"), "text", { type: "text", dir: "ltr", maxlength: 16384, spellcheck: "false", autocapitalize: "none" }), wrong),
    actions: h("button", { class: "button main", type: "submit", form: "form", id: "link-go" }, t("common.go")),
  });
  document.getElementById("text")!.focus();
}

async function file(ui: UI) {
  const chosen = await choose(".aidwallet,.txt,.jwt,image/*,application/octet-stream");
  if (!chosen) return;
  try {
    if (chosen.name.endsWith(".aidwallet")) { restoreFrom(ui, chosen.bytes, () => add(ui)); return; }
    const words = new TextDecoder().decode(chosen.bytes.subarray(0, 65536)).trim();
    const { kind } = await ui.app.core.kind(words);
    const texts = kind === "other" ? await ui.app.reader.photo(new Blob([chosen.bytes as BlobPart])).catch(() => []) : [words];
    if (texts.length !== 1) ui.toast(t("wallet.why_none"));
    else await take(ui, texts[0]);
  } catch (e) { ui.warn(e); }
}

/** take goes on with whatever a code or a link is; "more" where it is nothing for a wallet. */
export async function take(ui: UI, scanned: string): Promise<"more" | void> {
  const paper = fromPaper(scanned.trim());
  if (paper) { restoreFrom(ui, paper, () => add(ui)); return; }
  const { kind } = await ui.app.core.kind(scanned.trim());
  switch (kind) {
    case "offer": return flow(ui, "offer", scanned.trim());
    case "request": return flow(ui, "ask", scanned.trim());
    case "card": return named(ui, scanned.trim());
    case "handover": return void kept(ui, () => ui.app.core.takeover(scanned.trim(), now()));
    default: ui.toast(t("wallet.why_none")); return "more";
  }
}

/** goOn shows the cards of the pocket that was just opened, or goes on with what the page's address brought. */
export async function goOn(ui: UI) {
  const { brought } = ui.app;
  ui.app.brought = null;
  await cards(ui);
  if (brought) await take(ui, brought);
}

/** named asks what a card from paper is to be called: its code does not say it in words. */
function named(ui: UI, code: string) {
  page(ui, {
    name: "named", title: t("wallet.named"), back: () => add(ui),
    body: h("form", { id: "form", submit: (e: Event) => { e.preventDefault(); void kept(ui, () => ui.app.core.paper(code, value("name"), now())); } },
      said("wallet.named_lead"), field(t("wallet.named_label"), "name", { maxlength: 40, dir: "auto" })),
    actions: h("button", { class: "button main", type: "submit", form: "form", id: "name-go" }, t("common.keep")),
  });
}

/** kept keeps what the core has taken in, and shows it. */
async function kept(ui: UI, put: () => Promise<{ ok: boolean; id: string }>) {
  try {
    const { id } = ui.app.must(await put());
    await ui.app.keep();
    received(ui, [id]);
  } catch (e) { await cards(ui); ui.warn(e); }
}

/** Stopped: she did not want to wait. */
class Stopped extends Error {}

/** flow takes an offer or a request to its end, screen by screen; text null goes on with an offer taken half. */
export async function flow(ui: UI, which: Flow, link: string | null) {
  let stopped = false;
  const still = () => { if (stopped) throw new Stopped(); };
  const wait = () => {
    still();
    if (!ui.is("working")) page(ui, { name: "working", title: t("wallet.wait"), body: h("div", { class: "center" }, picture("clock", "large")),
      actions: button(t("wallet.stop"), () => { stopped = true; void cards(ui); }, "", "stop") });
  };
  wait();
  try {
    const done = await ui.app.run(which, link, {
      waiting: wait,
      offered: (o) => { still(); return offered(ui, o); },
      asked: (a, c) => { still(); return asked(ui, a, c); },
    });
    if (stopped) { await cards(ui, () => ui.is("my-cards")); return; }
    if (done === "no") await cards(ui);
    else if ("cards" in done) received(ui, done.cards);
    else if (done.no) refused(ui, done.redirect);
    else told(ui, done.redirect);
  } catch (e) {
    if (!ui.app.open) return;
    if (stopped) { await cards(ui, () => ui.is("my-cards")); return; }
    await cards(ui);
    ui.warn(e);
  }
}

/** offered shows what comes and from whom, and asks for the code that was given beside it; null: no. */
function offered(ui: UI, o: Offered): Promise<{ ids: string[]; code: string } | null> {
  return new Promise((done) => {
    const wrong = h("p", { class: "wrong", role: "alert" }, o.again ? t("wallet.why_wrong_code") : null);
    const answer = () => {
      const code = o.code ? value("code") : "";
      if (o.code?.length && code.replace(/\s/g, "").length !== o.code.length) { wrong.replaceChildren(t("wallet.code_length", { n: o.code.length })); return; }
      done({ ids: o.can.map((c) => c.id), code });
    };
    page(ui, {
      name: "offered", title: t("wallet.offered"), back: () => done(null),
      body: [dedupe(o.can).map((c) => label(c.name || text("wallet.card"), c.picture)), said("wallet.offered_by", { who: o.issuer_name || host(o.issuer), host: host(o.issuer) }, "lead"),
        o.cannot.length ? said("wallet.offered_cannot", { n: o.cannot.length }, "note") : null,
        o.code ? h("form", { id: "form", submit: (e: Event) => { e.preventDefault(); answer(); } }, said("wallet.code_lead"), wrong,
          field(t("wallet.code_label"), "code", { inputmode: o.code.numeric ? "numeric" : "text", maxlength: 64, dir: "ltr", autocapitalize: "characters" }),
          o.code.description ? h("p", { class: "quiet" }, h("bdi", {}, o.code.description)) : null) : null],
      actions: h("div", { class: "pair" }, button(t("wallet.no"), () => done(null), "tall", "no"), button(t("wallet.yes"), answer, "tall", "yes")),
    });
  });
}

const host = (url: string) => new URL(url).host;
/** dedupe leaves one of the forms that a card comes in: to her they are one card. */
const dedupe = (can: Offered["can"]) => can.filter((c, i) => can.findIndex((x) => x.name === c.name) === i);

function received(ui: UI, ids: string[]) {
  page(ui, {
    name: "received", tone: "green", sign: "circle-tick", title: t("wallet.received"), alert: true, body: said("wallet.received_lead", {}, "lead"),
    actions: button(t("common.go"), () => void (ids.length === 1 ? card(ui, ids[0]) : cards(ui)), "main", "go"),
  });
}

const back = (redirect: string) => redirect && h("a", { class: "button", href: redirect, rel: "noreferrer", id: "redirect" }, t("wallet.told_back"));

/** told: the answer is with whoever asked. They may want her back at an address of theirs. */
function told(ui: UI, redirect: string) {
  page(ui, {
    name: "told", tone: "green", sign: "circle-tick", title: t("wallet.told"), alert: true, body: said("wallet.told_lead", {}, "lead"),
    actions: [back(redirect), button(t("common.go"), () => void cards(ui), "main", "go")],
  });
}

function refused(ui: UI, redirect: string) {
  page(ui, { name: "refused", title: t("wallet.refused"), body: said("wallet.refused_lead", {}, "lead"), actions: [back(redirect), button(t("common.go"), () => void cards(ui), "main", "go")] });
}
