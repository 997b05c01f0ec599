// KNOWN: the prepared person opens when she has said yes. What she says is written
// down as one of two codes, and no is as good as yes.
import { Holder } from "../core";
import { bdi, button, h } from "common/dom";
import { number, t } from "common/i18n";
import type { UI } from "../ui";
import { checks, offer } from "./give";
import { notPerson } from "./desk";
import { facing, onward, type Meeting } from "./meeting";
import { facts, shown } from "./verdict";

/** consent asks in words that are read out, before anything of the person is shown. */
export function consent(ui: UI, m: Meeting) {
  const say = (code: string, then: () => void) => async () => {
    if (!(await ui.app.note(code, m.v.verdict).then(() => true, () => false))) { ui.toast(t("give.failed")); return; }
    then();
  };
  facing(ui, m, {
    name: "consent", title: t("person.consent"), back: () => shown(ui, m),
    body: [h("p", { class: "quiet" }, t("person.read_out")), h("blockquote", { class: "aloud", id: "wording" }, t("person.wording", { org: m.v.issuer_name ?? "" }))],
    actions: h("div", { class: "pair" },
      button(t("person.no"), say("consent_no", () => { onward(ui); ui.toast(t("person.no_noted")); }), "tall", "consent-no"),
      button(t("person.yes"), say("consent_yes", () => void person(ui, m)), "tall", "consent-yes")),
  });
}

async function person(ui: UI, m: Meeting) {
  const told = await ui.app.core.names(ui.app.clock(), m.v.verdict);
  const list = (key: string, all: string[]) => (all.length ? h("div", {}, h("dt", {}, t(key)), h("dd", {}, all.map((n, i) => [i ? " · " : "", bdi(n)]))) : null);
  const onCard = typeof m.v.claim_name === "string" ? [m.v.claim_name] : [];
  facing(ui, m, {
    name: "person", tone: "plain", title: t("person.title"), back: () => shown(ui, m),
    body: [offer(ui, m),
      h("dl", { class: "facts", id: "person" }, list("person.names", told.ok && told.names.length ? told.names : onCard), list("give.also", told.ok ? told.collectors : []),
        m.v.size ? h("div", {}, h("dt", {}, t("facts.size")), h("dd", {}, number(m.v.size))) : null),
      facts(ui, { ...m.v, size: undefined }, true),
      m.v.holder & Holder.photo || m.v.photo ? checks(ui, m, () => notPerson(ui, m), () => void person(ui, m)) : null],
    actions: button(t("verdict.next"), () => onward(ui), "main", "next"),
  });
}
