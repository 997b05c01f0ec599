// One person at the table: what was judged, how she was checked, and that nothing of
// her stays on the screen.
import { Holder, type Verdict } from "../core";
import type { Screen, UI } from "../ui";
import { practice } from "./practice";
import { scan } from "./scan";

export interface Meeting {
  v: Verdict;
  code: string; // "" for a typed number
  again: () => Promise<Verdict>; // the newest verdict is this one again
  checks: Set<number>; // made by staff; the core adds what was proved to it
  by: number; // who collects
}

/** meeting begins with a verdict. */
export function meeting(ui: UI, v: Verdict, code: string, again?: () => Promise<Verdict>): Meeting {
  let newest = v;
  const once = async () => (newest = code ? await ui.app.judge(code, newest.verdict) : newest);
  return { v, code, again: again ?? once, checks: new Set(), by: 1 };
}

/** mustCheck: the card or the list asks for a holder check, and none was made. */
export const mustCheck = ({ v, checks }: Meeting) =>
  !checks.size && !(v.holder & (Holder.live | Holder.pinRight)) && (!!(v.holder & Holder.photo) || !!v.photo || !!v.check || v.reason === "number_only");

export const photoFits = (m: Meeting) => m.v.photo !== "other" && (!!(m.v.holder & Holder.photo) || m.v.photo === "fits");

/** facing shows a screen with facts of a person: it closes by itself, and when nobody can be looking. */
export function facing(ui: UI, m: Meeting, s: Screen, away = () => onward(ui)) {
  const hidden = () => { if (document.hidden) away(); };
  const closing = setTimeout(away, Math.min(LONGEST, m.v.show_for ?? USUAL) * 1000);
  document.addEventListener("visibilitychange", hidden);
  // A hand-held scanner must press no button here that happens to have the focus.
  ui.show({ keys: () => {}, ...s, leave: () => {
    clearTimeout(closing);
    document.removeEventListener("visibilitychange", hidden);
    s.leave?.();
    forget();
  } });
}

const USUAL = 60, LONGEST = 180; // seconds

let photos: string[] = [];

/** face puts the photo into img once the core has told it; it goes with the screen. */
export async function face(ui: UI, img: HTMLImageElement, verdict: number) {
  const { ok, photo } = await ui.app.core.face(ui.app.clock(), verdict);
  if (!ok || !img.isConnected) return;
  const url = URL.createObjectURL(new Blob([photo as BlobPart], { type: "image/jpeg" }));
  photos.push(url);
  img.src = url;
}

function forget() {
  for (const url of photos) URL.revokeObjectURL(url);
  photos = [];
}

/** onward is to the next card. */
export const onward = (ui: UI) => (ui.app.practice ? void practice(ui) : scan(ui));
