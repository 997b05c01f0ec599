// Elements in one line, and the shapes of verdicts. Nothing is ever parsed as HTML.

export type Child = Node | string | null | undefined | false | Child[];
type Attributes = Record<string, string | boolean | number | ((e: any) => void) | undefined>;

/** h makes an element. Attributes whose value is a function are listeners ("click"). */
export function h<K extends keyof HTMLElementTagNameMap>(tag: K, attributes: Attributes = {}, ...children: Child[]): HTMLElementTagNameMap[K] {
  const e = document.createElement(tag);
  for (const [name, v] of Object.entries(attributes)) {
    if (typeof v === "function") e.addEventListener(name, v);
    else if (v === true) e.setAttribute(name, "");
    else if (v !== false && v !== undefined) e.setAttribute(name, String(v));
  }
  put(e, children);
  return e;
}

function put(e: Node, children: Child[]) {
  for (const c of children) {
    if (Array.isArray(c)) put(e, c);
    else if (c) e.appendChild(typeof c === "string" ? document.createTextNode(c) : c);
  }
}

/** bdi isolates a value, so that its own direction never reorders the sentence. */
export const bdi = (value: string | number) => HOST.test(String(value)) ? hosted(String(value)) : h("bdi", {}, String(value));

const HOST = /^[a-z0-9-]+(\.[a-z0-9-]+)*\.[a-z][a-z0-9-]+(:\d+)?$/i;

/** hosted is the name of a computer, which breaks before its dots alone: half a label at the end of a line could be taken for another name. */
const hosted = (name: string) => h("bdi", { class: "host", dir: "ltr" }, name.split(/(?=\.)/).map((label) => h("span", {}, label)));

const drawn: Record<string, string> = {
  "circle-tick": "M50 6a44 44 0 1 0 .01 0ZM29 51l15 16 28-33",
  "circle-tick-half": "M50 6a44 44 0 0 1 0 88M29 51l15 16 28-33M18 20l.1 0M6 42l.1 0M8 66l.1 0M26 86l.1 0",
  circle: "M50 6a44 44 0 1 0 .01 0ZM50 30a12 12 0 1 0 .01 0ZM28 74c4-26 40-26 44 0",
  "triangle-bang": "M50 8 95 90H5ZM50 36v26M50 74v4",
  dot: "M50 20a30 30 0 1 0 .01 0ZM38 50h24",
  bolt: "M56 4 22 56h24l-6 40 38-56H52Z",
  clock: "M50 6a44 44 0 1 0 .01 0ZM50 24v28l18 12",
  lock: "M24 44h52v46H24ZM34 44V30a16 16 0 0 1 32 0v14M50 62v12",
  camera: "M8 28h20l8-12h28l8 12h20v56H8ZM50 40a15 15 0 1 0 .01 0Z",
  list: "M10 24h8M30 24h60M10 50h8M30 50h60M10 76h8M30 76h60",
  key: "M30 46a22 22 0 1 0 .01 0ZM46 52 88 10M70 28l16 16M58 40l10 10",
  type: "M10 26h80v48H10ZM24 40h6M46 40h6M70 40h6M28 60h44",
  phone: "M30 6h40v88H30ZM46 82h8",
  voice: "M10 38h16l26-20v64L26 62H10ZM68 36c8 8 8 20 0 28M80 24c16 14 16 38 0 52",
  turn: "M20 40A34 34 0 0 1 80 34M82 14v22H60M80 60A34 34 0 0 1 20 66M18 86V64h22",
  torch: "M30 8h40v16L60 40v52H40V40L30 24Z",
};

/** shape draws a sign in the colour of the text beside it, hidden from readers: the word says it. */
export function shape(name: string, size = "sign"): SVGElement {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 100 100");
  svg.setAttribute("class", `shape ${size}`);
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("data-shape", name);
  const path = document.createElementNS(svg.namespaceURI, "path") as SVGPathElement;
  path.setAttribute("d", drawn[name] ?? drawn.dot);
  svg.appendChild(path);
  return svg as SVGElement;
}

/** button is one action; kind "main" once a screen. */
export function button(label: Child, act: () => void, kind = "", id = ""): HTMLButtonElement {
  return h("button", { type: "button", class: `button ${kind}`, id: id || undefined, click: act }, label);
}

/** field is a labelled input. */
export function field(label: Child, id: string, attributes: Attributes = {}): HTMLElement {
  return h("label", { class: "field", for: id }, h("span", {}, label), h("input", { id, autocomplete: "off", ...attributes }));
}

export const value = (id: string) => (document.getElementById(id) as HTMLInputElement).value.trim();

/** save hands a file to the person. */
export function save(name: string, bytes: Uint8Array) {
  const url = URL.createObjectURL(new Blob([bytes as BlobPart], { type: "application/octet-stream" }));
  const a = h("a", { href: url, download: name });
  a.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/** choose asks for a file and gives its bytes; null where none was chosen. */
export function choose(accept: string): Promise<{ name: string; bytes: Uint8Array } | null> {
  return new Promise((done) => {
    const input = h("input", { type: "file", accept, class: "hidden", "aria-hidden": "true", tabindex: -1, id: "file" });
    input.addEventListener("cancel", () => { input.remove(); done(null); });
    input.addEventListener("change", async () => {
      const f = input.files?.[0];
      input.remove();
      done(f ? { name: f.name, bytes: new Uint8Array(await f.arrayBuffer()) } : null);
    });
    document.body.appendChild(input);
    input.click();
  });
}
