// Read aloud: whoever cannot read hears every sentence. What was recorded in the app's
// language is played, else the phone's own voice speaks.
import { h } from "common/dom";
import { clip, t, tag, text } from "common/i18n";
import { picture } from "./pictures";

type Values = Record<string, string | number>;

let playing: HTMLAudioElement | undefined;

/** hush ends what is being said. */
export function hush() {
  playing?.pause();
  playing = undefined;
  globalThis.speechSynthesis?.cancel();
}

/** tell says a text, by its recording where key has one. */
export function tell(words: string, key = ""): Promise<void> {
  hush();
  return new Promise((done) => {
    const recorded = key && clip(key);
    if (recorded) {
      playing = new Audio(recorded);
      playing.onended = playing.onerror = () => done();
      void playing.play().catch(() => done());
      return;
    }
    if (!globalThis.speechSynthesis) { done(); return; }
    const u = new SpeechSynthesisUtterance(words.replace(/[\u2066-\u2069]/g, ""));
    u.lang = tag();
    u.onend = u.onerror = () => done();
    speechSynthesis.speak(u);
  });
}

const ear = (label: string, act: () => void, id = "") =>
  h("button", { type: "button", class: "ear", id: id || undefined, "aria-label": label, click: act }, picture("ear"));

/** said is a sentence with a button that reads it. */
export function said(key: string, values: Values = {}, more = ""): HTMLElement {
  const words = text(key, values);
  const p = h("p", { class: more || undefined, "data-key": Object.keys(values).length ? undefined : key }, t(key, values));
  return h("div", { class: "said" }, p, ear(text("wallet.aloud", { what: words }), () => void tell(words, Object.keys(values).length ? "" : key)));
}

/** changing is a sentence with its button that put says, with a sign before it, and may say anew. */
export function changing(kind: string): { element: HTMLElement; put: (sign: Node, words: DocumentFragment) => void } {
  const p = h("p"), button = ear("", () => void tell(p.innerText)), element = h("div", { class: `said ${kind}` });
  return {
    element,
    put: (sign, words) => { p.replaceChildren(words); element.replaceChildren(sign, p, button); button.setAttribute("aria-label", text("wallet.aloud", { what: p.textContent! })); },
  };
}

const SPOKEN = "h1, h2, p, .facts > div, .field > span, legend, .switch, .choices label, .button, .pass .words, .log .what, a";

/** whole reads the screen from its title to its last button. */
export function whole(): HTMLElement {
  return ear(text("wallet.aloud_all"), async () => {
    const screen = document.getElementById("screen")!, name = screen.dataset.screen;
    for (const e of screen.querySelectorAll<HTMLElement>(SPOKEN)) {
      if (screen.dataset.screen !== name || !e.isConnected) return;
      if (!e.offsetParent || !e.innerText.trim() || e.parentElement!.closest(SPOKEN)) continue;
      e.classList.add("spoken");
      await tell(e.innerText, e.dataset.key);
      e.classList.remove("spoken");
    }
  }, "aloud");
}
