// QR codes on the screen, and a screen that stays on while they are shown.
import encodeQR from "qr";
import { h } from "./dom";

/** qr is a code as a picture of crisp squares on white; label says what it is. */
export function qr(content: string, label: string): HTMLElement {
  const rows = encodeQR(content, "raw", { ecc: "medium", border: 4 });
  const canvas = h("canvas", { class: "qr", role: "img", "aria-label": label, "data-text": content });
  paint(canvas, rows);
  return canvas;
}

/** paint draws a code as crisp squares on white. */
export function paint(canvas: HTMLCanvasElement, rows: boolean[][]) {
  canvas.width = canvas.height = rows.length;
  const g = canvas.getContext("2d")!;
  g.fillStyle = "#fff";
  g.fillRect(0, 0, rows.length, rows.length);
  g.fillStyle = "#000";
  rows.forEach((row, y) => row.forEach((dark, x) => dark && g.fillRect(x, y, 1, 1)));
}

/** stayAwake keeps the screen on until what it returns is called; where the browser cannot, somebody taps it. */
export function stayAwake(): () => void {
  let held: WakeLockSentinel | undefined, over = false;
  const ask = () => {
    if (over || document.visibilityState !== "visible") return;
    navigator.wakeLock?.request("screen").then((lock) => { if (over) void lock.release(); else held = lock; }, () => {});
  };
  document.addEventListener("visibilitychange", ask); // the browser lets go of it when the page is hidden
  ask();
  return () => { over = true; document.removeEventListener("visibilitychange", ask); void held?.release().catch(() => {}); };
}
