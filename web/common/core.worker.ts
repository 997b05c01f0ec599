// The worker that holds the verifier: the Go core behind one function.
import "wasm_exec";

declare const APP: string; // the name of its binary
declare const DOOR: string; // and of its function
declare const Go: new () => { importObject: WebAssembly.Imports; run(i: WebAssembly.Instance): Promise<void> };
const worker = self as unknown as DedicatedWorkerGlobalScope & Record<string, (...args: unknown[]) => any>;

const ready = new Promise<void>((done) => { worker.aidpassReady = () => done(); });

async function start() {
  const go = new Go();
  const file = await fetch(`${APP}.wasm`);
  if (!file.ok) throw new Error(`${APP}.wasm: status ${file.status}`);
  // Compiled while it is read, where whoever serves it names its kind.
  const { instance } = file.headers.get("Content-Type") === "application/wasm"
    ? await WebAssembly.instantiateStreaming(file, go.importObject)
    : await WebAssembly.instantiate(await file.arrayBuffer(), go.importObject);
  go.run(instance).then(() => worker.postMessage({ died: true }), (e) => worker.postMessage({ died: true, error: String(e) }));
  await ready;
}

// What did not start never answers: the page shows that it stopped.
const started = start().catch((e) => { worker.postMessage({ died: true, error: String(e) }); return new Promise<never>(() => {}); });

worker.onmessage = async ({ data: { id, op, args } }) => {
  await started;
  try {
    worker.postMessage({ id, reply: worker[DOOR](op, ...args) });
  } catch (e) {
    worker.postMessage({ id, reply: { ok: false, error: String(e) } });
  }
};
