// Finds a QR code in a picture: zxing-wasm, and where that does not start, qr.
import { prepareZXingModule, readBarcodes } from "zxing-wasm/reader";
import { plain, serve, type Find } from "./reader";

const zxing: Find = async (picture, hard) =>
  (await readBarcodes(picture, { formats: ["QRCode"], tryHarder: hard, tryRotate: true, tryInvert: hard, tryDownscale: hard, maxNumberOfSymbols: 2 }))
    .filter((r) => r.isValid).map((r) => r.text);

async function start(): Promise<Find> {
  try {
    await prepareZXingModule({ overrides: { locateFile: () => "zxing_reader.wasm" }, fireImmediately: true });
    return zxing;
  } catch {
    return plain;
  }
}

const find = start();
find.then((f) => postMessage({ ready: f === zxing ? "zxing" : "qr" }));
serve(find);
