// The progress of long work, as the server tells it. The stream ends by itself every
// few seconds and the browser asks again; when the work is over the page is read anew.

interface News {
	state: string;
	done: number;
	total: number;
	says: string; // a sentence with its values isolated, made by the server
}

export function live(): void {
	const card = document.querySelector<HTMLElement>("[data-live]");
	const from = card?.dataset.live;
	if (!card || !from) return;
	const source = new EventSource(from);
	source.addEventListener("message", (e: MessageEvent<string>) => {
		const news = JSON.parse(e.data) as News;
		if (news.state !== "runs" && news.state !== "waits") {
			source.close();
			location.reload();
			return;
		}
		const says = document.getElementById("progress-says");
		// The sentence comes as markup: only its text is taken, each value in a bdi of our own.
		if (says) says.replaceChildren(...parts(news.says));
		const bar = card.querySelector("progress");
		if (bar && news.total > 0) {
			bar.max = news.total;
			bar.value = news.done;
		}
	});
}

export function parts(html: string): Node[] {
	const read = new DOMParser().parseFromString(html, "text/html");
	return [...read.body.childNodes].map((n) => {
		if (n.nodeName !== "BDI") return document.createTextNode(n.textContent ?? "");
		const value = document.createElement("bdi");
		value.textContent = n.textContent;
		return value;
	});
}
