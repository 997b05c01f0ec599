// Finds a QR code in a picture: zxing-wasm, and where that does not start, qr.
import { prepareZXingModule, readBarcodes } from "zxing-wasm/reader";
import decodeQR from "qr/decode.js";

const worker = self as unknown as DedicatedWorkerGlobalScope;

type Find = (picture: ImageData, hard: boolean) => Promise<string[]>;

const zxing: Find = async (picture, hard) =>
  (await readBarcodes(picture, { formats: ["QRCode"], tryHarder: hard, tryRotate: true, tryInvert: hard, tryDownscale: hard, maxNumberOfSymbols: 2 }))
    .filter((r) => r.isValid).map((r) => r.text);

const plain: Find = async (picture, hard) => {
  try {
    return [decodeQR(picture, { timeLimit: hard ? 400 : 100 })];
  } catch {
    return []; // no code in this picture
  }
};

async function start(): Promise<Find> {
  try {
    await prepareZXingModule({ overrides: { locateFile: () => "zxing_reader.wasm" }, fireImmediately: true });
    return zxing;
  } catch {
    return plain;
  }
}

const find = start();
find.then((f) => worker.postMessage({ ready: f === zxing ? "zxing" : "qr" }));

worker.onmessage = async ({ data: { id, picture, hard } }) => {
  let texts: string[] = [];
  try {
    texts = [...new Set(await (await find)(picture, hard))];
  } finally {
    worker.postMessage({ id, texts });
    // Millions of bytes each time: given back at once, not when the collector comes by.
    (picture.data.buffer as ArrayBuffer & { transfer?: (n: number) => ArrayBuffer }).transfer?.(0);
  }
};
