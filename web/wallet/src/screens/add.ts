// A card comes: by a code, a link or a file. Who offers it is shown, and nothing is
// fetched of it before she agrees.
import { button, choose, field, h, value } from "common/dom";
import { decimal, t } from "common/i18n";
import { said } from "../aloud";
import { now, type Ways } from "../app";
import type { Agreement, Offered } from "../core";
import { picture } from "../pictures";
import { act, page, type UI } from "../ui";
import { asked } from "./ask";
import { restoreFrom } from "./backup";
import { card, cards, label } from "./cards";
import { receive } from "./lend";
import { look } from "./scan";

export function add(ui: UI) {
  page(ui, {
    name: "add", title: t("wallet.add"), back: () => void cards(ui),
    body: [said("wallet.add_lead"), act("scan", "wallet.add_scan", "scan", () => look(ui, { title: "wallet.add_scan", hint: "wallet.add_hint", back: () => add(ui), found: (code) => take(ui, code) }), "tall main"),
      act("link", "wallet.add_link", "link", () => link(ui), "tall"),
      act("file", "wallet.add_file", "file-open", () => void file(ui), "tall"), act("phones", "wallet.add_phone", "phone", () => void receive(ui), "tall")],
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
    const { kind } = await ui.app.core.kind(chosen.bytes);
    if (kind === "backup") { restoreFrom(ui, chosen.bytes, () => add(ui)); return; }
    const texts = kind === "none" ? await ui.app.reader.photo(new Blob([chosen.bytes as BlobPart])).catch(() => []) : [new TextDecoder().decode(chosen.bytes).trim()];
    if (texts.length !== 1 || (await take(ui, texts[0])) === "more") ui.toast(t("wallet.why_none"));
  } catch (e) { ui.warn(e); }
}

/** take goes on with whatever a code or a link is; "more" where it is nothing for a wallet. */
export async function take(ui: UI, text: string): Promise<"more" | void> {
  const { kind } = await ui.app.core.kind(text.trim());
  switch (kind) {
    case "offer": case "request": return flow(ui, text.trim());
    case "card": case "lent": return void kept(ui, () => ui.app.core.add(text.trim(), now()));
    default: ui.toast(t("wallet.why_none")); return "more";
  }
}

/** kept keeps what the core has taken in, and shows it. */
export async function kept(ui: UI, put: () => Promise<{ ok: boolean; reason?: string; card: string }>) {
  try {
    const { card: id } = ui.app.must(await put());
    await ui.app.keep();
    received(ui, [id]);
  } catch (e) { await cards(ui); ui.warn(e); }
}

/** No: she said so; nothing went wrong. */
class No extends Error {}

/** flow takes an offer or a request to its end, screen by screen. */
async function flow(ui: UI, text: string) {
  const wait = () => { if (!ui.is("working")) page(ui, { name: "working", title: t("wallet.wait"), body: h("div", { class: "center" }, picture("clock", "large")), actions: button(t("wallet.stop"), () => { stopped = true; void cards(ui); }, "", "stop") }); };
  let stopped = false, wasAsked = false, saidNo = false;
  const still = <T>(x: T): T => { if (stopped) throw new No(); return x; };
  const ways: Ways = {
    waiting: () => { still(0); wait(); },
    offered: async (o) => { const a = await offered(ui, still(o)); if (!a) throw new No(); return a; },
    asked: async (a) => { wasAsked = true; const answer = await asked(ui, still(a)); saidNo = "refuse" in answer; return answer; },
  };
  wait();
  try {
    const done = await ui.app.run(text, ways);
    if (stopped) return;
    if (saidNo) refused(ui);
    else if (!wasAsked) received(ui, done.cards);
    else told(ui, done.redirect);
  } catch (e) {
    if (e instanceof No || stopped) { if (!ui.is("cards")) await cards(ui); return; }
    if (saidNo) { refused(ui); return; } // whether they heard of it or not, nothing was told
    await cards(ui);
    ui.warn(e);
  }
}

/** offered shows what comes and from whom, and asks for the code that was given beside it; null: no. */
function offered(ui: UI, o: Offered): Promise<Agreement | null> {
  return new Promise((done) => {
    const wrong = h("p", { class: "wrong", role: "alert" }, o.again ? t("wallet.why_wrong_code") : null);
    const answer = () => {
      const code = o.code ? (o.code.numeric ? decimal(value("code")) : value("code")) : "";
      if (o.code && (!code || o.code.length && code.length !== o.code.length)) { wrong.replaceChildren(t("wallet.code_length", { n: o.code.length })); return; }
      done({ cards: o.cards.map((c) => c.id), code });
    };
    page(ui, {
      name: "offered", title: t("wallet.offered"), back: () => done(null),
      body: [o.cards.map((c) => label(c.title, c.gives)), said("wallet.offered_by", { who: o.issuer, host: o.host }, "lead"),
        o.cannot ? said("wallet.offered_cannot", { n: o.cannot }, "note") : null,
        o.code ? h("form", { id: "form", submit: (e: Event) => { e.preventDefault(); answer(); } }, said("wallet.code_lead"),
          field(t("wallet.code_label"), "code", { inputmode: o.code.numeric ? "numeric" : "text", maxlength: 64, dir: "ltr", autocapitalize: "characters" }),
          o.code.description ? h("p", { class: "quiet" }, h("bdi", {}, o.code.description)) : null) : null, wrong],
      actions: h("div", { class: "pair" }, button(t("wallet.no"), () => done(null), "tall", "no"), button(t("wallet.yes"), answer, "tall", "yes")),
    });
  });
}

function received(ui: UI, ids: string[]) {
  page(ui, {
    name: "received", tone: "green", sign: "circle-tick", title: t("wallet.received"), alert: true, body: said("wallet.received_lead", {}, "lead"),
    actions: button(t("common.go"), () => void (ids.length === 1 ? card(ui, ids[0]) : cards(ui)), "main", "go"),
  });
}

/** told: the answer is with whoever asked. They may want her back at an address of theirs. */
function told(ui: UI, redirect?: string) {
  page(ui, {
    name: "told", tone: "green", sign: "circle-tick", title: t("wallet.told"), alert: true, body: said("wallet.told_lead", {}, "lead"),
    actions: [redirect ? h("a", { class: "button", href: redirect, rel: "noreferrer", id: "redirect" }, t("wallet.told_back")) : null, button(t("common.go"), () => void cards(ui), "main", "go")],
  });
}

function refused(ui: UI) {
  page(ui, { name: "refused", title: t("wallet.refused"), body: said("wallet.refused_lead", {}, "lead"), actions: button(t("common.go"), () => void cards(ui), "main", "go") });
}
