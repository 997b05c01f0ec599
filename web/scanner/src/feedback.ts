// What a verdict sounds and feels like: one beep for what may be given, the same
// soft vibration for everything else, so that nobody in the queue hears a refusal.
import { clip } from "./i18n";

let audio: AudioContext | undefined;

export function feel(good: boolean, word: string, sound: boolean) {
  navigator.vibrate?.(good ? 80 : [120, 80, 120]);
  if (!sound) return;
  const recorded = clip(word);
  if (recorded) { void new Audio(recorded).play().catch(() => {}); return; }
  if (!good) return;
  audio ??= new AudioContext();
  const tone = audio.createOscillator(), gain = audio.createGain(), at = audio.currentTime;
  tone.frequency.value = 880;
  gain.gain.setValueAtTime(0.25, at);
  gain.gain.exponentialRampToValueAtTime(0.001, at + 0.16);
  tone.connect(gain).connect(audio.destination);
  tone.start(at);
  tone.stop(at + 0.17);
}
