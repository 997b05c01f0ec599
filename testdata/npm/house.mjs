// House of others, for a wallet of ours: an issuer and a verifier made of @openid4vc,
// @sd-jwt and jose, as a server on a local port. Its name is https://relief-b.example,
// its time the first argument (seconds). It prints its port. A test asks it under
// /test: for an offer, for a request, and for what it has seen.
import { createHash, randomBytes } from "node:crypto";
import { createServer } from "node:http";
import { Oauth2AuthorizationServer, preAuthorizedCodeGrantIdentifier } from "@openid4vc/oauth2";
import { Openid4vciIssuer } from "@openid4vc/openid4vci";
import { Openid4vpVerifier } from "@openid4vc/openid4vp";
import { digest, ES256, generateSalt } from "@sd-jwt/crypto-nodejs";
import { SDJwtVcInstance } from "@sd-jwt/sd-jwt-vc";
import { compactDecrypt, decodeJwt, decodeProtectedHeader, exportJWK, generateKeyPair, importJWK, jwtVerify, SignJWT } from "jose";

const now = Number(process.argv[2]);
const time = new Date(now * 1000);
const house = "https://relief-b.example", did = "did:web:relief-b.example", vct = `${house}/types/voucher`;
const random = () => randomBytes(24).toString("base64url");
const newKey = async (alg, more) => {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
  return { public: { ...await exportJWK(publicKey), ...more }, private: await exportJWK(privateKey) };
};
const issuerKey = await newKey("ES256", { kid: "issuer-1", alg: "ES256" });
const requestKey = await newKey("ES256");
const answerKey = await newKey("ECDH-ES", { kid: "answer-1", alg: "ECDH-ES", use: "enc" });

const callbacks = {
  hash: (data, alg) => createHash(alg.replace("-", "")).update(data).digest(),
  generateRandom: (n) => randomBytes(n),
  signJwt: async (signer, { header, payload }) => {
    const key = signer.method === "did" ? requestKey : issuerKey;
    return { jwt: await new SignJWT(payload).setProtectedHeader(header).sign(await importJWK(key.private, "ES256")), signerJwk: key.public };
  },
  verifyJwt: async (signer, { compact }) => {
    const jwk = signer.method === "did" ? JSON.parse(Buffer.from(signer.didUrl.slice("did:jwk:".length).split("#")[0], "base64url")) : signer.publicJwk;
    await jwtVerify(compact, await importJWK(jwk, "ES256"), { currentDate: time });
    return { verified: true, signerJwk: jwk };
  },
  decryptJwe: async (jwe) => {
    const { plaintext } = await compactDecrypt(jwe, await importJWK(answerKey.private, "ECDH-ES"));
    return { decrypted: true, decryptionJwk: answerKey.public, payload: new TextDecoder().decode(plaintext) };
  },
};

const issuer = new Openid4vciIssuer({ callbacks });
const authorization = new Oauth2AuthorizationServer({ callbacks });
const verifier = new Openid4vpVerifier({ callbacks });
const credentialIssuer = issuer.createCredentialIssuerMetadata({
  credential_issuer: house, credential_endpoint: `${house}/credential`, nonce_endpoint: `${house}/nonce`, notification_endpoint: `${house}/notification`,
  batch_credential_issuance: { batch_size: 3 }, display: [{ name: "Relief B", locale: "en" }],
  credential_configurations_supported: {
    voucher: {
      format: "dc+sd-jwt", vct, cryptographic_binding_methods_supported: ["jwk", "did:jwk"], credential_signing_alg_values_supported: ["ES256"],
      proof_types_supported: { jwt: { proof_signing_alg_values_supported: ["ES256"] } },
      credential_metadata: { display: [{ name: "Voucher", locale: "en" }], claims: [{ path: ["shop", "town"], display: [{ name: "Town", locale: "en" }] }] },
    },
  },
});
const server = authorization.createAuthorizationServerMetadata({
  issuer: house, token_endpoint: `${house}/token`, grant_types_supported: [preAuthorizedCodeGrantIdentifier], "pre-authorized_grant_anonymous_access_supported": true,
});
const issuerMetadata = { credentialIssuer, authorizationServers: [server], knownCredentialConfigurations: credentialIssuer.credential_configurations_supported, originalDraftVersion: "V1" };

const seen = { proofs: [], events: [], answers: [] };
const code = random(), txCode = "4711", nonces = new Set(), requests = new Map();
let offer, accessToken;

const vc = async () => new SDJwtVcInstance({ hasher: digest, saltGenerator: generateSalt, signer: await ES256.getSigner(issuerKey.private), signAlg: "ES256",
  verifier: await ES256.getVerifier(issuerKey.public),
  kbVerifier: async (data, signature, payload) => (await ES256.getVerifier(payload.cnf.jwk))(data, signature) });

const issue = async (jwk) => (await vc()).issue(
  { iss: house, vct, iat: now - 60, exp: now + 86400, cnf: { jwk }, shop: { town: "Garissa", owner: "Halima" }, items: ["soap", "rice"], amount: 20 },
  { _sd: ["shop", "amount"], shop: { _sd: ["town", "owner"] }, items: { _sd: [0, 1] }, _sd_decoy: 2 },
  { header: { kid: "issuer-1" } });

const paths = { elements: ["items", null], town: ["shop", "town"], amount: ["amount"] };

// Answers: [status, media type, body].
const json = (body, status = 200) => [status, "application/json", JSON.stringify(body)];

const routes = {
  "GET /.well-known/openid-credential-issuer": () => json(credentialIssuer),
  "GET /.well-known/oauth-authorization-server": () => json(server),
  "GET /.well-known/jwt-vc-issuer": () => json({ issuer: house, jwks: { keys: [issuerKey.public] } }),
  "GET /.well-known/did.json": () => json({ "@context": ["https://www.w3.org/ns/did/v1"], id: did, assertionMethod: [`${did}#r1`], authentication: [`${did}#r1`],
    verificationMethod: [{ id: `${did}#r1`, type: "JsonWebKey", controller: did, publicKeyJwk: requestKey.public }] }),
  "GET /offer": () => json(offer),
  "POST /token": async ({ form, request }) => {
    const { grant, accessTokenRequest } = authorization.parseAccessTokenRequest({ request, accessTokenRequest: form });
    await authorization.verifyPreAuthorizedCodeAccessTokenRequest({ grant, accessTokenRequest, request, authorizationServerMetadata: server, expectedPreAuthorizedCode: code, expectedTxCode: txCode, now: time });
    const response = await authorization.createAccessTokenResponse({ authorizationServer: house, audience: house, subject: "somebody", expiresInSeconds: 300, now: time,
      signer: { method: "jwk", alg: "ES256", publicJwk: issuerKey.public } });
    accessToken = response.access_token;
    return json(response);
  },
  "POST /nonce": () => {
    const nonce = random();
    nonces.add(nonce);
    return json(issuer.createNonceResponse({ cNonce: nonce }));
  },
  "POST /credential": async ({ body, request }) => {
    if (request.headers.get("authorization") !== `Bearer ${accessToken}`) return json({ error: "invalid_token" }, 401);
    const credentialRequest = issuer.parseCredentialRequest({ issuerMetadata, credentialRequest: JSON.parse(body) });
    const credentials = [];
    for (const jwt of credentialRequest.proofs.jwt) {
      const { nonce } = JSON.parse(Buffer.from(jwt.split(".")[1], "base64url"));
      if (!nonces.has(nonce)) return json({ error: "invalid_nonce" }, 400);
      const { signer, header } = await issuer.verifyCredentialRequestJwtProof({ issuerMetadata, jwt, expectedNonce: nonce, now: time });
      seen.proofs.push(header.kid ? "kid" : "jwk");
      credentials.push({ credential: await issue(signer.publicJwk) });
    }
    return json(issuer.createCredentialResponse({ credentialRequest, credentials, notificationId: "n-1" }));
  },
  "POST /notification": ({ body }) => {
    seen.events.push(JSON.parse(body).event);
    return [204];
  },
  "GET /request": ({ query }) => [200, "application/oauth-authz-req+jwt", requests.get(query.get("id")).jwt],
  "POST /answer": async ({ form, query }) => {
    const { authorizationRequestPayload, mode } = requests.get(query.get("id"));
    const answer = await verifier.parseOpenid4vpAuthorizationResponse({ authorizationResponse: form, authorizationRequestPayload, callbacks });
    const [text] = answer.dcql.presentations.voucher;
    const { payload, kb } = await (await vc()).verify(text, { currentDate: now, keyBindingNonce: authorizationRequestPayload.nonce });
    if (kb.payload.aud !== authorizationRequestPayload.client_id) throw new Error(`bound to ${kb.payload.aud}`);
    const { iss, iat, exp, cnf, vct: type, ...claims } = payload;
    seen.answers.push({ mode, encrypted: form.response ? decodeProtectedHeader(form.response).enc : "", type, claims, holder: cnf.jwk.x });
    return json({});
  },

  "GET /test/offer": async () => {
    const made = await issuer.createCredentialOffer({ issuerMetadata, credentialConfigurationIds: ["voucher"], credentialOfferUri: `${house}/offer`,
      grants: { [preAuthorizedCodeGrantIdentifier]: { "pre-authorized_code": code, tx_code: { input_mode: "numeric", length: 4 } } } });
    offer = made.credentialOfferObject;
    return json({ link: made.credentialOffer, txCode });
  },
  // mode, ask (names of paths), unsigned; of what is wrong: forged (another key signs it),
  // over (it has ended), aud (as @openid4vc fills it in unless told).
  "GET /test/request": async ({ query }) => {
    const id = random(), mode = query.get("mode"), unsigned = query.has("unsigned"), response_uri = `${house}/answer?id=${id}`;
    const made = await verifier.createOpenId4vpAuthorizationRequest({
      authorizationRequestPayload: {
        response_type: "vp_token", response_mode: mode, response_uri, nonce: random(), state: random(),
        client_id: unsigned ? `redirect_uri:${response_uri}` : `decentralized_identifier:${did}`,
        dcql_query: { credentials: [{ id: "voucher", format: "dc+sd-jwt", meta: { vct_values: [vct] }, claims: query.getAll("ask").map((name) => ({ path: paths[name] })) }] },
        client_metadata: { vp_formats_supported: { "dc+sd-jwt": { "sd-jwt_alg_values": ["ES256"], "kb-jwt_alg_values": ["ES256"] } },
          ...(mode === "direct_post.jwt" ? { jwks: { keys: [answerKey.public] }, encrypted_response_enc_values_supported: ["A256GCM"] } : {}) },
      },
      jar: unsigned ? undefined : { requestUri: `${house}/request?id=${id}`, expiresInSeconds: 300, jwtSigner: { method: "did", didUrl: `${did}#r1`, alg: "ES256" },
        additionalJwtPayload: { ...(query.has("aud") ? {} : { aud: "https://self-issued.me/v2" }), iat: now - 600, exp: query.has("over") ? now - 301 : now + 300 } },
    });
    let jwt = made.jar?.authorizationRequestJwt;
    if (query.has("forged")) {
      jwt = await new SignJWT(decodeJwt(jwt)).setProtectedHeader(decodeProtectedHeader(jwt)).sign(await importJWK(issuerKey.private, "ES256"));
    }
    requests.set(id, { mode, authorizationRequestPayload: made.authorizationRequestPayload, jwt });
    return json({ link: made.authorizationRequest });
  },
  "GET /test/seen": () => json(seen),
};

const listening = createServer(async (req, res) => {
  let body = "";
  for await (const chunk of req) body += chunk;
  const url = new URL(req.url, house);
  const request = { headers: new Headers(req.headers), method: req.method, url: url.href };
  let answer;
  try {
    const route = routes[`${req.method} ${url.pathname}`];
    answer = route ? await route({ body, form: Object.fromEntries(new URLSearchParams(body)), query: url.searchParams, request }) : json({ error: "not_found" }, 404);
  } catch (err) {
    console.error(`${req.method} ${url.pathname}:`, err);
    answer = json(err?.errorResponse ?? { error: "invalid_request", error_description: String(err?.message) }, 400);
  }
  const [status, type, text] = answer;
  res.writeHead(status, { ...(type ? { "Content-Type": type } : {}), "Cache-Control": "no-store" }).end(text);
});
listening.listen(0, "127.0.0.1", () => console.log(listening.address().port));
process.stdin.resume().on("end", () => process.exit(0)); // when the test ends
