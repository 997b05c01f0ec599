// A card comes: by a code, a link or a file. Who offers it is shown, and nothing is
// fetched of it before she agrees.
import { button, choose, field, h, value } from "common/dom";
import { t, text } from "common/i18n";
import { said } from "../aloud";
import { now, type Agreed } from "../app";
import type { Card, Flow, Offered } from "../core";
import { picture } from "../pictures";
import { act, page, type UI } from "../ui";
import { asked } from "./ask";
import { fromPaper, restoreFrom } from "./backup";
import { card, cards, label } from "./cards";
import { link, look } from "./scan";

export function add(ui: UI) {
  page(ui, {
    name: "add", title: t("wallet.add"), back: () => void cards(ui),
    body: [said("wallet.add_lead"), act("scan", "wallet.add_scan", "scan", () => look(ui, { title: "wallet.add_scan", hint: "wallet.add_hint", back: () => add(ui), found: (code) => take(ui, code) }), "tall main"),
      act("link", "wallet.add_link", "link", () => link(ui, () => add(ui), (text) => take(ui, text)), "tall"),
      act("file", "wallet.add_file", "file-open", () => void file(ui), "tall")],
  });
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

/** renew fetches new copies of a card, by an offer that the desk makes. */
export function renew(ui: UI, c: Card) {
  page(ui, {
    name: "renew", title: t("wallet.renew"), back: () => void card(ui, c.id),
    body: [label(c.name || text("wallet.card"), c.picture), said("wallet.renew_lead", {}, "lead")],
    actions: act("scan", "wallet.add_scan", "scan", () => look(ui, { title: "wallet.add_scan", hint: "wallet.add_hint", back: () => renew(ui, c), found: (code) => take(ui, code, c.id) }), "tall main"),
  });
}

/** take goes on with whatever a code or a link is; "more" where it is nothing for a wallet. An offer may bring new copies of the card replaces. */
export async function take(ui: UI, scanned: string, replaces = ""): Promise<"more" | void> {
  const paper = fromPaper(scanned.trim());
  if (paper) { restoreFrom(ui, paper, () => add(ui)); return; }
  const { kind } = await ui.app.core.kind(scanned.trim());
  switch (kind) {
    case "offer": return flow(ui, "offer", scanned.trim(), replaces);
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
  else if (ui.app.back && ui.app.half) await flow(ui, "offer", null); // she comes back from signing in
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
export async function flow(ui: UI, which: Flow, link: string | null, replaces = "") {
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
      offered: (o, heard) => { still(); return offered(ui, o, heard); },
      visit: (host, heard) => { still(); return visit(ui, host, heard); },
      asked: (a, c) => { still(); return asked(ui, a, c); },
    }, replaces);
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
function offered(ui: UI, o: Offered, heard: string): Promise<Agreed | null> {
  return new Promise((done) => {
    const byCode = o.code && !o.must_sign_in ? o.code : null, ids = o.can.map((c) => c.id);
    const wrong = h("p", { class: "wrong", role: "alert" }, o.again ? t("wallet.why_wrong_code") : null);
    const answer = () => {
      const code = byCode ? value("code") : "";
      if (byCode?.length && code.replace(/\s/g, "").length !== byCode.length) { wrong.replaceChildren(t("wallet.code_length", { n: byCode.length })); return; }
      done({ ids, code, signIn: o.must_sign_in });
    };
    page(ui, {
      name: "offered", title: t("wallet.offered"), back: () => done(null),
      body: [dedupe(o.can).map((c) => label(c.name || text("wallet.card"), c.picture)), said("wallet.offered_by", { who: o.issuer_name || host(o.issuer), host: host(o.issuer) }, "lead"),
        o.cannot.length ? said("wallet.offered_cannot", { n: o.cannot.length }, "note") : null,
        heard ? said(`wallet.${heard}`, {}, "note") : null, o.must_sign_in ? said("wallet.signin_lead") : null,
        byCode ? h("form", { id: "form", submit: (e: Event) => { e.preventDefault(); answer(); } }, said("wallet.code_lead"), wrong,
          field(t("wallet.code_label"), "code", { inputmode: byCode.numeric ? "numeric" : "text", maxlength: 64, dir: "ltr", autocapitalize: "characters" }),
          byCode.description ? h("p", { class: "quiet" }, h("bdi", {}, byCode.description)) : null) : null,
        byCode && o.sign_in ? act("person", "wallet.signin_instead", "sign-in", () => done({ ids, code: "", signIn: true })) : null],
      actions: h("div", { class: "pair" }, button(t("wallet.no"), () => done(null), "tall", "no"), button(t("wallet.yes"), answer, "tall", "yes")),
    });
  });
}

/** visit says where she signs in, before her browser goes there. */
const visit = (ui: UI, host: string, heard: string) => new Promise<boolean>((done) => page(ui, {
  name: "sign-in", title: t("wallet.signin"), back: () => done(false),
  body: [h("div", { class: "center" }, picture("person", "large")), heard ? said(`wallet.${heard}`, {}, "note") : null, said("wallet.signin_go", { host }, "lead"), said("wallet.signin_back")],
  actions: h("div", { class: "pair" }, button(t("wallet.no"), () => done(false), "tall", "no"), button(t("wallet.yes"), () => done(true), "tall", "yes")),
}));

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
