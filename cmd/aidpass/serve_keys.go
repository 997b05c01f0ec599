package main

import (
	"net/url"
	"slices"

	"aidpass/credential"
	"aidpass/internal/did"
	"aidpass/trust"
	"aidpass/web/api"
	"aidpass/web/resolve"
)

// webKeys returns what the web is told of the organisation's keys for wallet
// credentials, as the trust list and its own withdrawals have them: a key set,
// JWT VC issuer metadata and a did:web document, each under the path that belongs
// to the organisation's id. None where it lists no such key; one that asks wallets and
// issues nothing has the last alone, by which they know its requests.
func (s *serving) webKeys() (map[string]*api.Document, error) {
	_, list, err := readList(s.f.pack.trust, trust.Anchors{})
	if err != nil {
		return nil, err
	}
	withdrawn, err := s.o.withdrawals()
	if err != nil {
		return nil, err
	}
	for _, raw := range withdrawn {
		// Of another list, or of a key that is not on it: it withdraws nothing here.
		_ = list.Withdraw(raw)
	}
	return keyDocuments(list.Organisation([]byte(s.o.entry.ID)), credential.FromStd(s.a.Now())), nil
}

// keyDocuments are those of o, which may be nil, at time at, by path.
func keyDocuments(o *trust.Organisation, at credential.Time) map[string]*api.Document {
	docs := map[string]*api.Document{}
	for _, d := range keyDocumentsAt(o, at) {
		if u, err := url.Parse(d.address); err == nil {
			docs[u.Path] = api.NewDocument(d.mime, d.body)
		}
	}
	return docs
}

// A keyDocument is what the web is told of an organisation's keys at one address.
type keyDocument struct {
	address, mime string
	body          []byte
}

func keyDocumentsAt(o *trust.Organisation, at credential.Time) (docs []keyDocument) {
	if o == nil {
		return nil
	}
	issues := trust.SignsForWallets(o, at)
	asks := slices.ContainsFunc(o.Keys, func(k *trust.Key) bool { return k.Use == trust.UseRequest && k.State == trust.Active })
	add := func(address string, err error, mime string, body []byte) {
		if err == nil {
			docs = append(docs, keyDocument{address, mime, body})
		}
	}
	if issues {
		address, err := resolve.WellKnown(o.ID, "jwt-vc-issuer")
		add(address, err, "application/json", trust.IssuerMetadata(o, at))
		address, err = resolve.WellKnown(o.ID, "jwks.json")
		add(address, err, "application/jwk-set+json", trust.KeySet(o, at))
	}
	if id, doc, ok := trust.DIDDocument(o, at); ok && (issues || asks) {
		address, err := did.WebURL(id)
		add(address, err, "application/did+json", doc)
	}
	return docs
}
