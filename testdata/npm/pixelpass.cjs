// Reads cards with @mosip/pixelpass: QR texts as a JSON array on standard input,
// what it makes of each as JSON on standard output.
const { decode, decodeMappedData } = require("@mosip/pixelpass");

// Claims of a card by the names of RFC 8392 and Claim 169.
const names = { 1: "iss", 4: "exp", 5: "nbf", 6: "iat", 7: "cti", 8: "cnf", 11: "vct", 169: "identity", 65535: "status", "-70001": "aidpass" };

// A byte string comes out of its JSON as an object of numbers, in one of two ways.
const bytes = (x) => Uint8Array.from(x.type === "Buffer" ? x.data : Object.values(x));

// plain turns what JSON has no form for into what it has.
const plain = (v) => {
  if (v instanceof Uint8Array) return Buffer.from(v).toString("base64");
  if (v instanceof Map) return Object.fromEntries([...v].map(([k, e]) => [k, plain(e)]));
  if (Array.isArray(v)) return v.map(plain);
  if (v && typeof v === "object") return Object.fromEntries(Object.entries(v).map(([k, e]) => [k, plain(e)]));
  return v;
};

let input = "";
process.stdin.on("data", (chunk) => { input += chunk; });
process.stdin.on("end", () => {
  const out = JSON.parse(input).map((text) => {
    const message = JSON.parse(decode(text));
    const parts = message.value;
    return {
      tag: message.tag,
      parts: parts.length,
      protected: plain(bytes(parts[0])),
      unprotected: parts[1],
      signature: bytes(parts[3]).length,
      claims: plain(decodeMappedData(bytes(parts[2]), names)),
    };
  });
  process.stdout.write(JSON.stringify(out));
});
