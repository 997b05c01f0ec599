// Wallet of others, for a server of ours: @openid4vc takes up an offer and answers a
// request, jose does the keys. Jobs as a JSON array on standard input, the answer to
// each, in order, as JSON on standard output. A job that fails answers { error }.
import { createHash, randomBytes, X509Certificate } from "node:crypto";
import { clientAuthenticationAnonymous } from "@openid4vc/oauth2";
import { Openid4vciClient } from "@openid4vc/openid4vci";
import { Openid4vpClient } from "@openid4vc/openid4vp";
import { digest, ES256, generateSalt } from "@sd-jwt/crypto-nodejs";
import { SDJwtVcInstance } from "@sd-jwt/sd-jwt-vc";
import { CompactEncrypt, compactDecrypt, generateKeyPair, exportJWK, importJWK, jwtVerify, SignJWT } from "jose";

const utf8 = new TextEncoder();
const text = (bytes) => new TextDecoder().decode(bytes);
const publicOf = ({ d, ...jwk }) => jwk;
const didOf = (jwk) => `did:jwk:${Buffer.from(JSON.stringify(publicOf(jwk))).toString("base64url")}`;
const same = (a, b) => a.x === b.x && a.y === b.y;

// The test's time is the server's.
const RealDate = Date;
const setClock = (now) => {
  const ahead = now * 1000 - RealDate.now();
  globalThis.Date = class extends RealDate {
    constructor(...args) {
      if (args.length) super(...args); else super(RealDate.now() + ahead);
    }
    static now() { return RealDate.now() + ahead; }
  };
};

// fetchThrough sends what goes to base by way of a local address, and notes it.
const fetchThrough = ({ from, to }, seen) => async (url, init) => {
  const res = await fetch(String(url).replace(from, to), { redirect: "error", ...init });
  seen.push(`${init?.method ?? "GET"} ${new URL(url).pathname.replace(/\/[A-Za-z0-9_-]{22,}/, "/*")} ${res.status} ${res.headers.get("content-type")?.split(";")[0] ?? ""}`);
  return res;
};

// keyOf finds the key that signed a request: that of a did:web document, or of a
// certificate under the anchor.
const keyOf = async (fetcher, signer, anchor) => {
  if (signer.method === "x5c") {
    const [leaf, ...rest] = signer.x5c.map((der) => new X509Certificate(Buffer.from(der, "base64")));
    const root = new X509Certificate(anchor);
    if (rest.length || !leaf.checkIssued(root) || !leaf.verify(root.publicKey)) throw new Error("no certificate under the anchor");
    return leaf.publicKey.export({ format: "jwk" });
  }
  const [did] = signer.didUrl.split("#");
  const [, , host, ...path] = did.split(":");
  const address = `https://${decodeURIComponent(host)}/${path.length ? path.map(decodeURIComponent).join("/") : ".well-known"}/did.json`;
  const document = await (await fetcher(address)).json();
  if (document.id !== did) throw new Error(`the document of ${did} is that of ${document.id}`);
  return document.verificationMethod.find(({ id }) => id === signer.didUrl || did + id === signer.didUrl).publicKeyJwk;
};

// issuerKeys are those of /.well-known/jwt-vc-issuer.
const issuerKeys = async (fetcher, issuer) => {
  const { origin, pathname } = new URL(issuer);
  const metadata = await (await fetcher(`${origin}/.well-known/jwt-vc-issuer${pathname === "/" ? "" : pathname}`)).json();
  if (metadata.issuer !== issuer) throw new Error(`the keys of ${metadata.issuer}`);
  return metadata.jwks ? metadata.jwks.keys : (await (await fetcher(metadata.jwks_uri)).json()).keys;
};

// callbacks are what @openid4vc asks of whoever uses it. keys are the wallet's.
const callbacks = (fetcher, keys, anchor) => ({
  fetch: fetcher,
  hash: (data, alg) => createHash(alg.replace("-", "")).update(data).digest(),
  generateRandom: (n) => randomBytes(n),
  clientAuthentication: clientAuthenticationAnonymous(),
  signJwt: async (signer, { header, payload }) => {
    const key = keys.find((k) => signer.method === "jwk" ? same(k, signer.publicJwk) : signer.didUrl === `${didOf(k)}#0`);
    return { jwt: await new SignJWT(payload).setProtectedHeader(header).sign(await importJWK(key, "ES256")), signerJwk: publicOf(key) };
  },
  verifyJwt: async (signer, { compact }) => {
    const jwk = await keyOf(fetcher, signer, anchor);
    await jwtVerify(compact, await importJWK(jwk, "ES256"), { currentDate: new Date() });
    return { verified: true, signerJwk: jwk };
  },
  encryptJwe: async ({ publicJwk, alg, enc, apu, apv }, data) => {
    const jwe = new CompactEncrypt(utf8.encode(data)).setProtectedHeader({ alg, enc, kid: publicJwk.kid, apu, apv });
    return { jwe: await jwe.encrypt(await importJWK(publicJwk, alg)), encryptionJwk: publicJwk };
  },
  decryptJwe: async () => ({ decrypted: false }),
  getX509CertificateMetadata: () => ({ sanDnsNames: [], sanUriNames: [] }), // asked for to be there, for x509_hash too
});

// encrypted wraps a fetch: @openid4vc 0.4.6 leaves the encryption of credential
// requests and responses (OpenID4VCI 10) to whoever uses it.
const encrypted = async (fetcher, metadata) => {
  const { credential_request_encryption: asks, credential_response_encryption: gives, credential_endpoint: endpoint } = metadata;
  const theirs = asks.jwks.keys[0];
  const { publicKey, privateKey } = await generateKeyPair("ECDH-ES", { extractable: true });
  const jwk = { ...await exportJWK(publicKey), alg: gives.alg_values_supported[0], use: "enc", kid: "wallet" };
  const wanted = { jwk, enc: gives.enc_values_supported.at(-1) };
  return {
    wanted,
    fetcher: async (url, init) => {
      if (String(url) !== endpoint) return fetcher(url, init);
      const body = await new CompactEncrypt(utf8.encode(init.body))
        .setProtectedHeader({ alg: theirs.alg, enc: asks.enc_values_supported[0], kid: theirs.kid, cty: "json" })
        .encrypt(await importJWK(theirs, theirs.alg));
      const headers = new Headers(init.headers);
      headers.set("Content-Type", "application/jwt");
      const res = await fetcher(url, { ...init, headers, body });
      if (res.headers.get("content-type") !== "application/jwt") return res;
      const { plaintext } = await compactDecrypt(await res.text(), privateKey);
      return new Response(plaintext, { status: res.status, headers: { "Content-Type": "application/json" } });
    },
  };
};

const jobs = {
  // A wallet takes an offer up: for each of wants (configuration, keys, how they are
  // named, encrypt), then says of each that it was kept.
  async receive({ through, now, offer, txCode, wants }) {
    setClock(now);
    const seen = [], keys = wants.flatMap((w) => w.keys);
    let fetcher = fetchThrough(through, seen);
    const client = new Openid4vciClient({ callbacks: callbacks((...args) => fetcher(...args), keys) });
    const credentialOffer = await client.resolveCredentialOffer(offer);
    const issuerMetadata = await client.resolveIssuerMetadata(credentialOffer.credential_issuer);
    const { accessTokenResponse } = await client.retrievePreAuthorizedCodeAccessTokenFromOffer({ credentialOffer, issuerMetadata, txCode });
    const accessToken = accessTokenResponse.access_token;
    const given = [];
    const plain = fetcher;
    for (const want of wants) {
      const { c_nonce: nonce } = await client.requestNonce({ issuerMetadata });
      const jwt = [];
      for (const key of want.keys) {
        const alg = "ES256";
        const signer = want.by === "did" ? { method: "did", didUrl: `${didOf(key)}#0`, alg } : { method: "jwk", publicJwk: publicOf(key), alg };
        const proof = await client.createCredentialRequestJwtProof({ issuerMetadata, signer, nonce, issuedAt: new Date(), credentialConfigurationId: want.configuration });
        jwt.push(proof.jwt);
      }
      let additionalRequestPayload;
      if (want.encrypt) {
        const both = await encrypted(plain, issuerMetadata.credentialIssuer);
        fetcher = both.fetcher;
        additionalRequestPayload = { credential_response_encryption: { ...both.wanted, alg: both.wanted.jwk.alg } };
      }
      const got = await client.retrieveCredentials({ issuerMetadata, accessToken, credentialConfigurationId: want.configuration, proofs: { jwt }, additionalRequestPayload });
      fetcher = plain;
      const { credentials, notification_id } = got.credentialResponse;
      const told = await client.sendNotification({ issuerMetadata, accessToken, notification: { notificationId: notification_id, event: "credential_accepted" } });
      given.push({ configuration: want.configuration, credentials: credentials.map((c) => c.credential), told: told.response.status });
    }
    const known = Object.keys(issuerMetadata.knownCredentialConfigurations);
    return { version: issuerMetadata.originalDraftVersion, known, given, issuerKeys: await issuerKeys(fetcher, credentialOffer.credential_issuer), seen };
  },

  // A wallet answers a request by showing some claims of an SD-JWT VC.
  async answer({ through, now, request, credential, key, show, anchor }) {
    setClock(now);
    const seen = [];
    const client = new Openid4vpClient({ callbacks: callbacks(fetchThrough(through, seen), [key], anchor) });
    const { params } = client.parseOpenid4vpAuthorizationRequest({ authorizationRequest: request });
    const resolved = await client.resolveOpenId4vpAuthorizationRequest({ authorizationRequestPayload: params });
    const { authorizationRequestPayload } = resolved;
    const vc = new SDJwtVcInstance({ hasher: digest, saltGenerator: generateSalt, kbSigner: await ES256.getSigner(key), kbSignAlg: "ES256" });
    const id = resolved.dcql.query.credentials[0].id;
    const shown = await vc.present(credential, show, { kb: { payload: { iat: now, aud: resolved.client.effective, nonce: authorizationRequestPayload.nonce } } });
    const encrypts = authorizationRequestPayload.response_mode === "direct_post.jwt";
    const response = await client.createOpenid4vpAuthorizationResponse({
      authorizationRequestPayload,
      authorizationResponsePayload: { vp_token: { [id]: [shown] } },
      jarm: encrypts ? {
        encryption: { nonce: Buffer.from(randomBytes(16)).toString("base64url") },
        serverMetadata: { authorization_encryption_alg_values_supported: ["ECDH-ES"], authorization_encryption_enc_values_supported: ["A128GCM", "A256GCM"] },
      } : undefined,
    });
    const { responseMode, response: res } = await client.submitOpenid4vpAuthorizationResponse({ authorizationRequestPayload, ...response });
    return { client: resolved.client.effective, asked: resolved.dcql.query.credentials, mode: responseMode, status: res.status, body: text(await res.arrayBuffer()), version: resolved.version, seen };
  },
};

let input = "";
for await (const chunk of process.stdin) input += chunk;
const out = [];
for (const { op, ...job } of JSON.parse(input)) {
  try {
    out.push(await jobs[op](job));
  } catch (err) {
    out.push({ error: `${err?.message || err} ${err?.internalMessage ?? ""} ${JSON.stringify(err?.response?.credentialErrorResponseResult ?? err?.response?.credentialResponseResult?.error ?? err?.errorResponse ?? "")} ${err?.cause ?? ""}` });
  }
}
process.stdout.write(JSON.stringify(out));
