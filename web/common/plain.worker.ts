// Finds a QR code in a picture by script alone: what a wallet scans stands large on a
// screen, and its core leaves no room for a second WebAssembly binary in the first load.
import { plain, serve } from "./reader";

postMessage({ ready: "qr" });
serve(Promise.resolve(plain));
