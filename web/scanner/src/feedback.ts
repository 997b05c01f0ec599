// What a verdict sounds and feels like: one beep for what may be given, the same
// soft vibration for everything else, so that nobody in the queue hears a refusal.
// Where a word was recorded in the language of the screen, it is said instead: on
// this phone, else in the app.
import { clip, tag } from "common/i18n";
import type { Voice, Voices } from "./store";

/** The words that a verdict can be. */
export const spokenWords = ["give", "give_rest", "known", "already_collected", "not_today", "help_desk"];

let audio: AudioContext | undefined, own: Voices = {};

/** useVoices says what was recorded on this phone, by "language/word". */
export const useVoices = (voices: Voices) => { own = voices; };

/** say plays what was recorded for a word in the language of the screen; false: nothing was. */
export function say(word: string): boolean {
  const recorded = own[`${tag()}/${word}`];
  if (recorded) play(recorded);
  else if (clip(word)) void new Audio(clip(word)).play().catch(() => {});
  return !!recorded || !!clip(word);
}

function play(v: Voice) {
  const url = URL.createObjectURL(new Blob([v.bytes as BlobPart], { type: v.type }));
  const player = new Audio(url);
  player.onended = player.onerror = () => URL.revokeObjectURL(url);
  void player.play().catch(() => {});
}

export function feel(good: boolean, word: string, sound: boolean) {
  navigator.vibrate?.(good ? 80 : [120, 80, 120]);
  if (!sound || say(word) || !good) return;
  audio ??= new AudioContext();
  const tone = audio.createOscillator(), gain = audio.createGain(), at = audio.currentTime;
  tone.frequency.value = 880;
  gain.gain.setValueAtTime(0.25, at);
  gain.gain.exponentialRampToValueAtTime(0.001, at + 0.16);
  tone.connect(gain).connect(audio.destination);
  tone.start(at);
  tone.stop(at + 0.17);
}
