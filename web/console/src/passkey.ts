// Passkeys: the options of a ceremony are fetched, what the authenticator says goes
// back as a form of the page, so that the server's next page is an ordinary one.

interface Begun {
	handle: string;
	options: { publicKey: Record<string, unknown> };
}

type Fields = Record<string, string>;

export function passkeys(): void {
	if (!("PublicKeyCredential" in window)) return;
	for (const form of document.querySelectorAll<HTMLFormElement>("form[data-passkey]")) {
		const kind = form.dataset.passkey ?? "";
		form.hidden = false;
		form.method = "post";
		form.action = { "sign-in": "/desk/passkey/sign-in", proof: "/desk/passkey/proof", add: "/desk/passkey/add", approve: location.pathname + "/sign" }[kind] ?? location.pathname + "/passkey";
		form.addEventListener("submit", (e) => {
			e.preventDefault();
			void run(form, kind);
		});
	}
}

async function run(form: HTMLFormElement, kind: string): Promise<void> {
	const wrong = form.querySelector<HTMLElement>(".wrong");
	if (wrong) wrong.hidden = true;
	const begin = kind === "join" ? location.pathname + "/begin" : form.action + "/begin";
	try {
		const answer = await fetch(begin, { method: "POST" });
		if (answer.status === 401) { // the proof of identity is old
			location.assign("/desk/proof?next=" + encodeURIComponent(location.pathname));
			return;
		}
		if (!answer.ok) throw new Error(String(answer.status));
		const begun = (await answer.json()) as Begun;
		const said = kind === "add" || kind === "join" ? await make(begun) : await prove(begun);
		const fields: Fields = { handle: begun.handle, response: JSON.stringify(said) };
		const name = form.querySelector<HTMLInputElement>("#passkey-name");
		if (name) fields.name = name.value;
		for (const [key, value] of Object.entries(fields)) {
			const field = document.createElement("input");
			field.type = "hidden";
			field.name = key;
			field.value = value;
			form.append(field);
		}
		form.submit();
	} catch {
		if (wrong) wrong.hidden = false;
	}
}

async function make(begun: Begun): Promise<unknown> {
	const o = begun.options.publicKey as unknown as PublicKeyCredentialCreationOptions & { challenge: string; user: { id: string }; excludeCredentials?: { id: string }[] };
	const key = (await navigator.credentials.create({
		publicKey: { ...o, challenge: bytes(o.challenge), user: { ...o.user, id: bytes(o.user.id) }, excludeCredentials: list(o.excludeCredentials) },
	})) as PublicKeyCredential | null;
	if (!key) throw new Error("none");
	const r = key.response as AuthenticatorAttestationResponse;
	return { ...common(key), response: { clientDataJSON: text(r.clientDataJSON), attestationObject: text(r.attestationObject), transports: r.getTransports?.() ?? [] } };
}

async function prove(begun: Begun): Promise<unknown> {
	const o = begun.options.publicKey as unknown as PublicKeyCredentialRequestOptions & { challenge: string; allowCredentials?: { id: string }[] };
	const key = (await navigator.credentials.get({ publicKey: { ...o, challenge: bytes(o.challenge), allowCredentials: list(o.allowCredentials) } })) as PublicKeyCredential | null;
	if (!key) throw new Error("none");
	const r = key.response as AuthenticatorAssertionResponse;
	return {
		...common(key),
		response: { clientDataJSON: text(r.clientDataJSON), authenticatorData: text(r.authenticatorData), signature: text(r.signature), userHandle: r.userHandle ? text(r.userHandle) : undefined },
	};
}

function common(key: PublicKeyCredential): Record<string, unknown> {
	return { id: key.id, rawId: text(key.rawId), type: key.type, clientExtensionResults: key.getClientExtensionResults(), authenticatorAttachment: key.authenticatorAttachment ?? undefined };
}

function list(of: { id: string }[] | undefined): PublicKeyCredentialDescriptor[] {
	return (of ?? []).map((c) => ({ ...c, type: "public-key" as const, id: bytes(c.id) }));
}

function bytes(base64url: string): Uint8Array<ArrayBuffer> {
	const raw = atob(base64url.replace(/-/g, "+").replace(/_/g, "/"));
	return Uint8Array.from(raw, (c) => c.charCodeAt(0));
}

function text(b: ArrayBuffer): string {
	return btoa(String.fromCharCode(...new Uint8Array(b))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}
