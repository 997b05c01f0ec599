// Voices: the words of verdicts, spoken by somebody of the site, in the language of
// the screen. They stay on this phone; a file carries them to others.
import type { App } from "../app";
import { button, choose, h, save } from "common/dom";
import { say, spokenWords, useVoices } from "../feedback";
import { clip, t, tag, text } from "common/i18n";
import type { Voices } from "../store";
import type { UI } from "../ui";
import { supervisorMenu } from "./supervisor";

const LONGEST = 4_000; // ms
const MOST = 64 << 10; // bytes of a word
const MOST_FILE = 6 << 20;
const KEY = new RegExp(`^[a-z]{2,3}/(${spokenWords.join("|")})$`), TYPE = /^audio\/(webm|mp4|ogg|mpeg)(;[ a-z0-9="'.-]{0,40})?$/;

/** The recording that runs, stopped when its screen is left. */
let running: MediaRecorder | undefined;

export async function voices(ui: UI) {
  const { app } = ui;
  const own: Voices = (await app.store.get("voices")) ?? {};
  ui.show({
    name: "voices", title: t("voices.title"), back: () => supervisorMenu(ui), leave: () => running?.stop(),
    body: [
      h("p", {}, t("voices.lead")),
      h("ul", { class: "cards" }, spokenWords.map((word) => {
        const key = `${tag()}/${word}`;
        const go = (label: string, act: () => void, id: string) =>
          h("button", { type: "button", class: "button small", id: `${id}-${word}`, "aria-label": `${text(label)}: ${text(`word.${word}`)}`, click: act }, t(label));
        return h("li", { "data-word": word },
          h("h2", {}, t(`word.${word}`)),
          h("p", { class: "quiet" }, t(own[key] ? "voices.own" : clip(word) ? "voices.bundled" : "voices.none")),
          h("div", { class: "pair" }, go("voices.record", () => void record(ui, own, word), "record"),
            own[key] || clip(word) ? go("voices.play", () => say(word), "play") : null,
            own[key] ? go("voices.delete", async () => { const { [key]: _, ...rest } = own; await keep(app, rest); await voices(ui); }, "delete") : null));
      })),
    ],
    actions: h("div", { class: "pair" },
      button(t("voices.load"), () => void load(ui, own), "", "load-voices"),
      Object.keys(own).length ? button(t("voices.save"), () => save(`${app.pack?.site ?? "site"}.voices`, encode(own)), "", "save-voices") : null),
  });
}

async function keep(app: App, all: Voices) {
  await app.store.put({ voices: all });
  useVoices(all);
}

async function record(ui: UI, own: Voices, word: string) {
  if (running) { running.stop(); return; }
  let stream: MediaStream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ audio: true, video: false });
  } catch {
    ui.toast(t("voices.denied"));
    return;
  }
  if (!ui.is("voices")) { stream.getTracks().forEach((track) => track.stop()); return; }
  const parts: Blob[] = [];
  // Speech at this rate takes 16 KiB in four seconds.
  const recorder = running = new MediaRecorder(stream, { audioBitsPerSecond: 32_000 });
  const b = document.getElementById(`record-${word}`)!;
  b.replaceChildren(t("voices.stop"));
  b.setAttribute("aria-label", `${text("voices.stop")}: ${text(`word.${word}`)}`);
  b.setAttribute("aria-pressed", "true");
  recorder.ondataavailable = (e) => parts.push(e.data);
  const timer = setTimeout(() => recorder.stop(), LONGEST);
  recorder.onstop = async () => {
    clearTimeout(timer);
    running = undefined;
    stream.getTracks().forEach((track) => track.stop());
    const whole = new Blob(parts), type = recorder.mimeType.replace(/^video/, "audio");
    if (!ui.is("voices")) return; // left in the middle: it was not meant
    if (!whole.size || whole.size > MOST || !TYPE.test(type)) { await voices(ui); ui.toast(t("voices.failed")); return; }
    try {
      await keep(ui.app, { ...own, [`${tag()}/${word}`]: { type, bytes: new Uint8Array(await whole.arrayBuffer()) } });
    } catch {
      ui.toast(t("stop.full"));
      return;
    }
    await voices(ui);
    document.getElementById(`play-${word}`)?.focus();
  };
  recorder.start();
}

// The file: {"aidpass": "voices-1", "voices": {"en/give": {"type": …, "data": base64}}}.

function encode(all: Voices): Uint8Array {
  const file = { aidpass: "voices-1", voices: {} as Record<string, { type: string; data: string }> };
  for (const [key, v] of Object.entries(all)) file.voices[key] = { type: v.type, data: btoa(Array.from(v.bytes, (b) => String.fromCharCode(b)).join("")) };
  return new TextEncoder().encode(JSON.stringify(file));
}

/** decode takes what encode wrote, and nothing that is only partly so. */
function decode(bytes: Uint8Array): Voices | null {
  try {
    if (bytes.length > MOST_FILE) return null;
    const file = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    if (file?.aidpass !== "voices-1") return null;
    const all: Voices = {};
    for (const [key, v] of Object.entries(file.voices as Record<string, { type: unknown; data: unknown }>)) {
      if (!KEY.test(key) || typeof v.type !== "string" || !TYPE.test(v.type) || typeof v.data !== "string") return null;
      const raw = Uint8Array.from(atob(v.data), (c) => c.charCodeAt(0));
      if (!raw.length || raw.length > MOST) return null;
      all[key] = { type: v.type, bytes: raw };
    }
    return Object.keys(all).length ? all : null;
  } catch {
    return null;
  }
}

async function load(ui: UI, own: Voices) {
  const file = await choose(".voices,application/octet-stream");
  if (!file) return;
  const all = decode(file.bytes);
  if (!all) { ui.toast(t("voices.refused")); return; }
  try {
    await keep(ui.app, { ...own, ...all });
  } catch {
    ui.toast(t("stop.full"));
    return;
  }
  await voices(ui);
  ui.toast(t("voices.taken", { n: Object.keys(all).length }));
}
