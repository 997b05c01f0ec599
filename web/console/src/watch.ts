// Who else has a form of this record open, and that it has changed since the page was
// made. The stream ends by itself every few seconds and the browser asks again.
import { parts } from "./live";

interface News {
	stamp: string;
	says: string; // a sentence with its values isolated, made by the server; empty: nobody
}

export function watch(): void {
	const card = document.querySelector<HTMLElement>("[data-watch]");
	const from = card?.dataset.watch;
	if (!card || !from) return;
	const source = new EventSource(from);
	source.addEventListener("message", (e: MessageEvent<string>) => {
		const news = JSON.parse(e.data) as News;
		const presence = document.getElementById("presence");
		if (presence) {
			presence.hidden = news.says === "";
			presence.firstElementChild?.replaceChildren(...parts(news.says));
		}
		const changed = document.getElementById("news");
		if (changed && news.stamp !== card.dataset.stamp) changed.hidden = false;
	});
	addEventListener("pagehide", () => source.close());
}
