// Judges the cases of a verdicts.json with a browser binary and writes one JSON
// object a line, in the order of the cases, to standard output.
//
//   node judge.mjs wasm_exec.js scanner.wasm verdicts.json
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";

const [runtime, binary, list] = process.argv.slice(2).map((p) => resolve(p));
createRequire(import.meta.url)(runtime); // defines globalThis.Go
const go = new Go();
const { instance } = await WebAssembly.instantiate(await readFile(binary), go.importObject);
const ready = new Promise((done) => { globalThis.aidpassReady = done; });
go.run(instance);
await ready;

const { device_key, code, cases } = JSON.parse(await readFile(list, "utf8"));
const folder = list.replace(/\.json$/, "");
const file = async (name) => new Uint8Array(await readFile(join(folder, name)));
const device = new Uint8Array(Buffer.from(device_key, "base64"));

// must stops at what the page itself would have to mend.
const must = (reply, what) => {
  if (!reply.ok) throw new Error(`${what}: ${reply.error}`);
  return reply;
};

const lines = [];
for (const c of cases) {
  const at = Date.parse(c.at) / 1000;
  must(aidpass("forget"), "forget");
  if (c.pack) aidpass("open", await file(c.pack), c.state ? await file(c.state) : null, at); // a refused pack is a case
  for (const journal of c.journals ?? []) must(aidpass("visits", await file(journal)), c.name);
  if (c.unlock) must(aidpass("unlock", device, code), c.name);
  if (c.nonce) must(aidpass("ask", c.audience, c.nonce), c.name);
  if (c.challenge) must(aidpass("challenge", await file(c.challenge)), c.name);
  const reply = c.pin ? aidpass("pin", c.text, at, c.pin) : aidpass("verify", c.text, at);
  lines.push(JSON.stringify({ case: c.name, ...reply }));
}
process.stdout.write(lines.join("\n") + "\n", () => process.exit(0));
