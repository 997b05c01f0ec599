// Issues, presents and verifies SD-JWT VCs with @sd-jwt, and JWTs and status lists
// with jose and @sd-jwt/jwt-status-list: jobs as a JSON array on standard input, the
// answer to each, in order, as JSON on standard output. A job that fails answers
// { error }.
import { digest, ES256, generateSalt } from "@sd-jwt/crypto-nodejs";
import { createHeaderAndPayload, getListFromStatusListJWT, StatusList } from "@sd-jwt/jwt-status-list";
import { SDJwtVcInstance } from "@sd-jwt/sd-jwt-vc";
import { compactVerify, importJWK, jwtVerify, SignJWT } from "jose";

// A verifier for a key of either kind. @sd-jwt brings one for P-256; Ed25519 is jose's.
const verifierOf = (jwk) => jwk.kty === "EC" ? ES256.getVerifier(jwk) : async (data, signature) => {
  await compactVerify(`${data}.${signature}`, await importJWK(jwk, "EdDSA"));
  return true;
};

const common = { hasher: digest, saltGenerator: generateSalt };

const jobs = {
  // A verifier: the issuer's signature, dates; status where lists are given, type metadata
  // where documents are, key binding where a nonce is.
  async verify({ text, issuer, now, nonce, lists, status, documents }) {
    globalThis.fetch = async (url) => new Response(documents[url], { status: documents[url] ? 200 : 404 });
    const vc = new SDJwtVcInstance({
      ...common,
      verifier: await verifierOf(issuer),
      kbVerifier: async (data, signature, payload) => (await verifierOf(payload.cnf.jwk))(data, signature),
      statusVerifier: status && await verifierOf(status),
      statusListFetcher: async (uri) => lists[uri],
      loadTypeMetadataFormat: documents !== undefined,
    });
    if (!lists) vc.verifyStatus = async () => {};
    const { header, payload, kb, typeMetadata } = await vc.verify(text, { currentDate: now, keyBindingNonce: nonce });
    return { header, payload, binding: kb?.payload, metadata: typeMetadata?.mergedTypeMetadata };
  },

  // An issuer.
  async issue({ key, header, claims, frame, hash }) {
    const vc = new SDJwtVcInstance({ ...common, signer: await ES256.getSigner(key), signAlg: "ES256", hashAlg: hash ?? "sha-256" });
    return { text: await vc.issue(claims, frame, { header }) };
  },

  // A wallet.
  async present({ text, holder, show, binding }) {
    const vc = new SDJwtVcInstance({ ...common, kbSigner: holder && await ES256.getSigner(holder), kbSignAlg: "ES256" });
    return { text: await vc.present(text, show, binding && { kb: { payload: binding } }), keys: await vc.presentableKeys(text) };
  },

  // Any JWT, by jose.
  async jwt({ text, issuer, typ, now }) {
    const { payload, protectedHeader } = await jwtVerify(text, await importJWK(issuer, issuer.kty === "EC" ? "ES256" : "EdDSA"), {
      typ, currentDate: new Date(now * 1000), algorithms: ["ES256", "EdDSA"],
    });
    return { payload, header: protectedHeader };
  },

  // The entries of a status list token.
  async entries({ text }) {
    const list = getListFromStatusListJWT(text);
    return { bits: list.getBitsPerStatus(), entries: list.statusList };
  },

  // A status list token.
  async list({ key, kid, bits, entries, claims }) {
    const { header, payload } = createHeaderAndPayload(new StatusList(entries, bits), claims, { alg: "ES256", kid });
    return { text: await new SignJWT(payload).setProtectedHeader(header).sign(await importJWK(key, "ES256")) };
  },
};

let input = "";
for await (const chunk of process.stdin) input += chunk;
const out = [];
for (const { op, ...job } of JSON.parse(input)) {
  try {
    out.push(await jobs[op](job));
  } catch (err) {
    out.push({ error: err?.message || String(err) });
  }
}
process.stdout.write(JSON.stringify(out));
