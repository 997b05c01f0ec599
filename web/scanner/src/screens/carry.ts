// What is carried to and from the phone: files, and moving rows of codes from screen
// to camera. Whatever comes in is told apart by its first bytes.
import encodeQR from "qr";
import { button, choose, field, h, save, value, type Child } from "common/dom";
import { has, t, text } from "common/i18n";
import { stopScreen, type UI } from "../ui";
import { paint, stayAwake } from "common/qr";
import { ready } from "./ready";
import { scan } from "./scan";
import { setup } from "./setup";

type After = () => void | Promise<void>;

/** said shows what became of something carried; reason is for whoever looks closer. */
function said(ui: UI, words: Child, reason = "") {
  ui.toast(words);
  document.getElementById("toast")!.dataset.reason = reason;
}

/** load takes a file of any kind; why one is refused is said, and what was there stays. */
export async function load(ui: UI, after: After) {
  const file = await choose(".pack,.enrol,.upd,.exchange,.journal,.receipt,.aidpass,application/octet-stream");
  if (file) await take(ui, file.bytes, after);
}

/** take takes what was carried here. after shows the screen that stays; then it is said what happened. */
export async function take(ui: UI, bytes: Uint8Array, after: After): Promise<void> {
  const { app } = ui;
  const { kind } = await app.core.kind(bytes);
  try {
    switch (kind) {
      case "status": return await lists(ui, bytes, after);
      case "exchange": case "journal": return await table(ui, bytes, after);
      case "receipt": {
        const held = await app.receipt(bytes);
        if (held === "copied") return copied(ui);
        await after();
        return said(ui, held === null ? t("history.receipt_refused") : t("history.receipt_taken", { n: held }), held === null ? "receipt" : "");
      }
    }
  } catch {
    await after();
    return said(ui, t("stop.full"), "full");
  }
  const had = !!app.pack, open = app.unlocked;
  const done = await app.take(bytes);
  await after();
  if (done.ok) return said(ui, [t(had ? "lists.taken" : "lists.first", { site: done.site }), open && !app.unlocked ? [" ", t("unlock.closed")] : null]);
  const key = `refused.${done.reason}`;
  said(ui, [t(has(key) ? key : "refused.other"), " ", had ? t("refused.kept") : null], done.reason);
}

const why: Record<string, string> = {
  status_rollback: "refused.status_rollback", status_wrong_list: "refused.status_base", status_unknown: "refused.status_base",
  full: "refused.full", storage: "refused.storage",
};

/** lists takes newer status lists alone. */
async function lists(ui: UI, bytes: Uint8Array, after: After) {
  const done = await ui.app.newer(bytes);
  await after();
  if ("refused" in done) said(ui, [t(why[done.refused] ?? "refused.status"), " ", t("refused.kept")], done.refused);
  else said(ui, done.newer.length ? t("lists.newer", { who: [...new Set(done.newer)].join(", ") }) : t("server.same"), done.newer.length ? "" : "same");
}

/** table takes what another table gave, so that this one knows. */
async function table(ui: UI, bytes: Uint8Array, after: After): Promise<void> {
  const known = await ui.app.other(bytes);
  if (known === "locked") return operator(ui, () => table(ui, bytes, after), after);
  if (known === "copied") return copied(ui);
  await after();
  if (typeof known === "number") said(ui, t("lists.others_taken", { n: known }));
  else said(ui, t(known === "sealed" ? "lists.other_site" : "lists.others_refused"), known);
}

const copied = (ui: UI) => ui.show(stopScreen(ui, "copied", { label: t("common.go"), act: () => void ready(ui) }));

/** operator asks for the code that opens what is sealed to this place. */
function operator(ui: UI, then: After, back: After) {
  const wrong = h("p", { class: "wrong", role: "alert" });
  ui.show({
    name: "operator", sign: "lock", title: t("shift.operator"), back: () => void back(),
    body: h("form", { id: "form", submit: async (e: Event) => {
      e.preventDefault();
      if (await ui.app.unseal(value("code"))) await then();
      else wrong.replaceChildren(t("shift.operator_wrong"));
    } }, h("p", {}, t("carry.sealed")), field(t("shift.operator"), "code", { type: "password", maxlength: 60 }), wrong),
    actions: h("button", { class: "button main", type: "submit", form: "form", id: "code-go" }, t("common.go")),
  });
  document.getElementById("code")!.focus();
}

/** frames collects a moving row of codes from a laptop or another phone. */
export function frames(ui: UI, back: After = () => (ui.app.pack && ui.app.pin ? ready(ui) : setup(ui, !!ui.app.pack))) {
  const awake = stayAwake();
  const end: After = () => { awake(); return back(); };
  scan(ui, { title: "setup.frames", back: end, found: async (code) => {
    const f = await ui.app.core.frame(code);
    if (f.message) { ui.app.camera.stop(); awake(); await take(ui, f.message, back); return; }
    if (f.frame) ui.toast(f.ok ? t("frames.progress", { n: f.have!, total: f.count! }) : t("frames.wrong"));
    return "more";
  } });
}

/** hand is what this phone can hand on, each as a file or as a moving row of codes. */
export function hand(ui: UI, back: After) {
  const { app } = ui;
  const name = app.name || "tab";
  const own = async () => {
    const file = await app.share();
    if (!file) operator(ui, () => hand(ui, back), () => hand(ui, back));
    return file;
  };
  const one = (id: string, file: () => Promise<Uint8Array | null>, as: string, then?: () => Promise<void>) =>
    h("li", {}, h("h2", {}, t(`carry.${id}`)), h("p", { class: "quiet" }, t(`carry.${id}_lead`)), h("div", { class: "pair" },
      button(t("carry.show"), async () => {
        const bytes = await file();
        if (bytes) await show(ui, t(`carry.${id}`), t(id === "office" ? "carry.show_office" : "carry.show_lead"), bytes, () => hand(ui, back));
      }, "", `show-${id}`),
      button(t("carry.save"), async () => {
        const bytes = await file();
        if (!bytes) return;
        save(as, bytes);
        await then?.();
        ui.toast(t("common.done"));
      }, "", `save-${id}`)));
  const records = app.device?.records ?? 0;
  ui.show({
    name: "hand", title: t("carry.hand"), back: () => void back(),
    body: h("ul", { class: "cards" },
      one("tables", own, `${name}.exchange`),
      // The office says by a receipt what it read from the screen; a file is in somebody's hand.
      one("office", () => app.store.journal(), `${app.pack?.site ?? "site"}-${app.device?.kid ?? "device"}-${records}.journal`, () => app.keep({ exported: records })),
      one("lists", async () => (await app.core.parts()).file ?? null, `${app.pack?.site ?? "site"}.upd`)),
  });
}

const CACHED = 300; // drawn codes that are kept, a second or two of a cheap phone's work each round

/** show lets a file move over the screen as codes, over and over, until somebody goes back. */
export async function show(ui: UI, title: Child, lead: Child, file: Uint8Array, back: After) {
  const made = await ui.app.core.frames(file);
  if (!made.ok) { ui.toast(t("carry.none")); return; }
  const all = made.frames, { round } = made, drawn: boolean[][][] = [];
  const canvas = h("canvas", { class: "qr moving", role: "img", "aria-label": text("carry.moving") });
  const bar = h("progress", { max: round, value: 0, "aria-label": text("carry.moving") });
  const where = h("p", { class: "quiet center", id: "where" });
  const pause = button(t("carry.pause"), () => { running ? stop() : go(); pause.replaceChildren(t(running ? "carry.pause" : "carry.go_on")); }, "", "pause");
  let at = 0, speed = 5, timer = 0, running = false;
  const draw = () => {
    const text = all[at];
    // Any mask is read; choosing the best of eight is too slow for five a second.
    const rows = drawn[at] ?? encodeQR(text, "raw", { ecc: "low", border: 4, mask: at & 7 });
    if (all.length <= CACHED) drawn[at] = rows;
    paint(canvas, rows);
    canvas.dataset.text = text;
    const n = at % round + 1; // the sums that follow a round are another
    bar.value = n;
    where.replaceChildren(t("carry.where", { n, total: round, seconds: Math.ceil(round / speed) }));
    at = (at + 1) % all.length;
  };
  const go = () => { stop(); running = true; timer = window.setInterval(draw, 1000 / speed); };
  const stop = () => { running = false; clearInterval(timer); };
  const pace = (by: number) => { speed = Math.min(6, Math.max(2, speed + by)); if (running) go(); };
  const awake = stayAwake();
  ui.show({
    name: "show", title, back: () => void back(), leave: () => { stop(); awake(); },
    body: [canvas, bar, where, h("p", { class: "quiet" }, lead)],
    actions: h("div", { class: "pair" }, button(t("carry.slower"), () => pace(-1), "", "slower"), pause, button(t("carry.faster"), () => pace(1), "", "faster")),
  });
  draw();
  if (all.length > 1) go();
}
