// One screen at a time: a heading that takes the focus, a body, and actions where
// the thumb is.
import { button, h, shape, type Child } from "./dom";
import { t, text } from "./i18n";

export interface Screen {
  name: string;
  title: Child;
  body: Child;
  actions?: Child;
  tone?: string; // colour of the whole screen: green, amber, grey, dark
  sign?: string; // shape above the title
  alert?: boolean; // said at once by screen readers
  back?: () => void;
  corner?: Child; // beside the title
  leave?: () => void;
  keys?: (typed: string) => void; // what a hand-held scanner typed before Enter
}

export class Screens {
  private shown: Screen | null = null;
  /** turn counts the screens shown: what was prepared for one that is gone must not come over the next. */
  turn = 0;
  private root = document.getElementById("screen")!;
  private toastBox = document.getElementById("toast")!;
  private toastTimer = 0;
  private lasting = false; // a toast with an action outlives its screen

  /** mark is said above every screen of an app that is not to be taken for real; "" for none. */
  constructor(private mark: () => string = () => "") { this.listen(); }

  show(s: Screen) {
    this.shown?.leave?.();
    this.shown = s;
    this.turn++;
    if (!this.lasting) this.hush();
    const title = h("h1", { tabindex: -1, id: "title" }, s.title);
    const head = h("div", { class: "head" },
      s.back && h("button", { type: "button", class: "back", "aria-label": text("common.back"), click: s.back }, h("span", { class: "arrow", "aria-hidden": "true" })),
      s.sign ? shape(s.sign) : null, title, s.corner);
    const body = h("div", { class: "body" }, s.body);
    if (!body.querySelector("button, input, select")) body.tabIndex = 0; // so that the keyboard scrolls it
    if (s.alert) head.setAttribute("role", "alert");
    this.root.className = `${s.name} tone-${s.tone ?? "plain"}`;
    this.root.dataset.screen = s.name;
    const mark = this.mark();
    document.body.classList.toggle("practice", !!mark);
    const parts: Node[] = [head, body];
    if (mark) parts.unshift(h("p", { class: "practice-mark" }, t(mark)));
    if (s.actions) parts.push(h("nav", { class: "actions", "aria-label": text("common.actions") }, s.actions));
    this.root.replaceChildren(...parts);
    title.focus({ preventScroll: true });
    this.root.scrollTop = 0;
  }

  is(name: string) { return this.shown?.name === name; }

  /** toast says something small; with an action it stays ten seconds. */
  toast(message: Child, action?: { label: Child; act: () => void }) {
    clearTimeout(this.toastTimer);
    this.toastBox.replaceChildren(h("p", {}, message), ...(action ? [button(action.label, () => { this.hush(); action.act(); }, "small", "undo")] : []));
    this.toastBox.className = "on";
    this.lasting = !!action;
    this.toastTimer = window.setTimeout(() => this.hush(), action ? 10_000 : 4_000);
  }

  hush() { this.lasting = false; this.toastBox.className = ""; this.toastBox.replaceChildren(); }

  // A hand-held scanner is a keyboard that types fast and presses Enter. Its keys
  // must not press the buttons of the page, a space least of all.
  private listen() {
    let typed = "", last = 0;
    document.addEventListener("keydown", (e) => {
      const s = this.shown;
      if (!s?.keys || e.ctrlKey || e.metaKey || e.altKey || (e.target instanceof HTMLInputElement && e.target.type !== "range")) return;
      const fast = e.timeStamp - last < 300;
      if (!fast) typed = "";
      if (e.key.length === 1 && (typed || /[0-9A-Za-z]/.test(e.key))) {
        typed += e.key;
        last = e.timeStamp;
        e.preventDefault();
      } else if (e.key === "Enter" && typed.length > 5 && fast) {
        e.preventDefault();
        e.stopPropagation();
        const all = typed;
        typed = "";
        s.keys(all);
      }
    }, true);
  }
}

const HOLD = 900, TWICE = 6_000, APART = 300; // ms

/** hold is a button that acts after a second of holding, so that no pocket gives aid.
 * Who cannot hold (a switch, a screen reader, a key without repeat) presses twice. */
export function hold(label: Child, id: string, act: () => Promise<void>): HTMLButtonElement {
  let timer = 0, armed = 0, release = 0, acted = false;
  const said = h("span", { class: "label" }, label);
  const again = h("span", { class: "label hidden" }, t("common.press_again"));
  const b = h("button", { type: "button", class: "button main hold", id }, h("span", { class: "fill", "aria-hidden": "true" }), said, again);
  const arm = (on: boolean) => {
    armed = on ? performance.now() : 0;
    said.classList.toggle("hidden", on);
    again.classList.toggle("hidden", !on);
    clearTimeout(release);
    if (on) release = window.setTimeout(() => arm(false), TWICE);
  };
  const go = async () => {
    if (!b.isConnected) return; // held while the screen changed: somebody else stands there
    acted = true;
    arm(false);
    b.disabled = true;
    b.classList.add("done");
    await act();
    b.disabled = false;
    end();
    if (b.isConnected) b.focus({ preventScroll: true }); // a button put out loses the keyboard
  };
  const begin = () => {
    if (timer || b.disabled) return;
    acted = false;
    b.classList.add("held");
    timer = window.setTimeout(() => void go(), HOLD);
  };
  const end = () => { clearTimeout(timer); timer = 0; b.classList.remove("held", "done"); };
  const stop = () => { if (!b.disabled) end(); };
  const press = () => {
    if (acted || b.disabled) return;
    if (!armed) arm(true);
    else if (performance.now() - armed > APART) void go();
  };
  b.addEventListener("pointerdown", begin);
  for (const name of ["pointerup", "pointerleave", "pointercancel", "blur"]) b.addEventListener(name, stop);
  b.addEventListener("keydown", (e) => {
    if (e.key !== "Enter" && e.key !== " ") return;
    e.preventDefault();
    if (!e.repeat) begin();
  });
  b.addEventListener("keyup", (e) => {
    if (e.key !== "Enter" && e.key !== " ") return;
    e.preventDefault();
    const held = timer !== 0;
    stop();
    if (held) press();
  });
  // Fingers hold; what clicks without one is a reader, a switch or a mouse.
  b.addEventListener("click", (e) => { if ((e as PointerEvent).pointerType !== "touch" || (e as PointerEvent).width <= 1) press(); });
  b.addEventListener("contextmenu", (e) => e.preventDefault());
  return b;
}
