// Single keys on the page of two records: 1 one person, 2 two people, 3 later, U undo, arrows
// for other pairs. They can be switched off (WCAG 2.1.4), and are off where something is typed.

const store = "aidpass.desk.keys";

export function keys(): void {
	const line = document.getElementById("keys");
	const off = document.getElementById("keys-off");
	const on = document.getElementById("keys-on");
	if (!line || !off || !on) return;
	line.hidden = false;
	const set = (active: boolean): void => {
		off.hidden = !active;
		on.hidden = active;
		for (const [id, key] of Object.entries(shortcuts)) {
			const button = document.getElementById(id);
			if (active) button?.setAttribute("aria-keyshortcuts", key);
			else button?.removeAttribute("aria-keyshortcuts");
		}
	};
	let active = read() !== "off";
	set(active);
	const change = (to: boolean): void => {
		active = to;
		write(to ? "on" : "off");
		set(to);
		(to ? off : on).focus();
	};
	off.addEventListener("click", () => change(false));
	on.addEventListener("click", () => change(true));
	let gone = false; // one key a page: what comes after it was meant for this pair
	addEventListener("pageshow", () => (gone = false));
	addEventListener("keydown", (e) => {
		if (!active || gone || e.repeat || e.ctrlKey || e.altKey || e.metaKey || e.isComposing || typing(e.target)) return;
		const what = target(e);
		if (!what) return;
		e.preventDefault();
		gone = true;
		what.click();
	});
}

const shortcuts: Record<string, string> = { same: "1", different: "2", later: "3", undo: "U" };

function target(e: KeyboardEvent): HTMLElement | null {
	const rtl = document.documentElement.dir === "rtl";
	switch (e.code) {
		case "Digit1":
		case "Numpad1":
			return document.getElementById("same");
		case "Digit2":
		case "Numpad2":
			return document.getElementById("different");
		case "Digit3":
		case "Numpad3":
			return document.getElementById("later");
		case "KeyU":
			return document.querySelector<HTMLElement>(".note form button") ?? document.getElementById("undo");
		case "ArrowLeft":
			return document.getElementById(rtl ? "next" : "previous");
		case "ArrowRight":
			return document.getElementById(rtl ? "previous" : "next");
	}
	return null;
}

function typing(at: EventTarget | null): boolean {
	return at instanceof Element && at.closest("input, select, textarea, [contenteditable]") !== null;
}

// What the browser keeps may be refused: then the keys are on at each page.
function read(): string | null {
	try {
		return localStorage.getItem(store);
	} catch {
		return null;
	}
}

function write(value: string): void {
	try {
		localStorage.setItem(store, value);
	} catch {
		// nothing is kept
	}
}
