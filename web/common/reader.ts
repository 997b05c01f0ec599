// What every worker that finds QR codes does with what it is sent.
import decodeQR from "qr/decode.js";

const worker = self as unknown as DedicatedWorkerGlobalScope;

export type Find = (picture: ImageData, hard: boolean) => Promise<string[]>;

/** plain is a reader without WebAssembly: slower, and blind to some hard pictures. */
export const plain: Find = async (picture, hard) => {
  try {
    return [decodeQR(picture, { timeLimit: hard ? 400 : 100 })];
  } catch {
    return []; // no code in this picture
  }
};

/** serve finds with what start comes to. */
export function serve(start: Promise<Find>) {
  worker.onmessage = async ({ data: { id, picture, hard } }) => {
    let texts: string[] = [];
    try {
      texts = [...new Set(await (await start)(picture, hard))];
    } finally {
      worker.postMessage({ id, texts });
      // Millions of bytes each time: given back at once, not when the collector comes by.
      (picture.data.buffer as ArrayBuffer & { transfer?: (n: number) => ArrayBuffer }).transfer?.(0);
    }
  };
}
