//go:build !js

package verifiertest

import (
	"bytes"
	"crypto/elliptic"
	"crypto/sha256"
	"math/big"

	"aidpass/credential"
	"aidpass/credential/cwt"
	"aidpass/internal/cbor"
	"aidpass/internal/cose"
	"aidpass/status"
	"aidpass/trust"
	"aidpass/verifier"
	"aidpass/verifier/visit"
	"aidpass/words"
)

// keyCases: what the trust list says of the key, and foreign cards.
func keyCases(w *World) []Case {
	unlisted := P256("unlisted")
	list := func(edit func(*trust.Draft)) []byte { return w.Pack(PackOptions{Trust: TrustOptions{Edit: edit}}) }
	// One key id for two keys of one organisation, past the checks of the acts.
	dup := w.Pack(PackOptions{Trust: TrustOptions{
		Edit: func(d *trust.Draft) {
			check(d.AddKey(ForeignID, trust.Key{Key: P256("second ministry").Key, KID: []byte("ministry-2"), Use: trust.UseCard,
				Profile: trust.ProfileForeign169, NotBefore: Made - 3000*day, NotAfter: Made + 3000*day}))
		},
		Patch: func(b []byte) []byte { return bytes.Replace(b, []byte("ministry-2"), []byte("ministry-1"), 1) },
	}})
	limited := list(func(d *trust.Draft) {
		check(d.Ungrant(w.B.ID, "https://aidpass.example/elig"))
		check(d.Grant(w.B.ID, trust.Grant{Types: []string{"https://aidpass.example/elig"}, Programmes: []string{"OTHER"}}))
	})
	over := list(func(d *trust.Draft) {
		check(d.Ungrant(w.B.ID, "https://aidpass.example/elig"))
		check(d.Grant(w.B.ID, trust.Grant{Types: []string{"https://aidpass.example/elig"}, Until: Made}))
	})
	gone := list(func(d *trust.Draft) { check(d.RemoveOrganisation(w.B.ID)) })
	withdrawn := func() []byte {
		p := must(trust.PrepareWithdrawal(w.A.Standby.Key, trust.Withdrawal{Org: w.A.ID, KID: w.A.Card.KID(), At: Made + 3600}))
		return must(p.Attach(must(cose.SignRaw(w.A.Standby, p.ToBeSigned()))))
	}()
	twin := func(m *message) { m.edit = highS }
	wrapped := w.base()
	wrapped.tags = []uint64{61, 18}
	return []Case{
		{Name: "key: not on the list", Text: w.Text(CardOptions{Key: &unlisted}), Want: words.UnknownKey},
		{Name: "key: of another organisation", Text: w.Text(CardOptions{Key: &w.B.Card}), Want: words.IssuerKeyMismatch},
		{Name: "key: a status key signs a card", Text: w.Text(CardOptions{Key: &w.A.Status}), Want: words.IssuerNotAuthorised},
		{Name: "key: a device key signs a card", Text: w.Text(CardOptions{Key: &w.Device}), Want: words.UnknownKey},
		{Name: "key: compromised, whatever date the card bears", Text: w.Text(CardOptions{Key: &w.A.Stolen, Issued: Made - 100*day}), Want: words.KeyRevoked},
		{Name: "key: withdrawn by the organisation itself", Text: w.Text(CardOptions{}),
			Pack: w.Pack(PackOptions{More: []verifier.Part{{Owner: w.A.ID, Kind: verifier.PartWithdrawal, Sequence: 1, Data: withdrawn}}}), Want: words.KeyRevoked},
		{Name: "key: retired, and the card is later", Text: w.Text(CardOptions{Key: &w.A.Retired}), Want: words.KeyOutsideValidity},
		{Name: "key: not yet in force when the card was signed", Text: w.Text(CardOptions{Issued: Made - 500*day, Draft: func(d *cwt.Draft) { d.ExpiresAt = Now + 10*day }}),
			Want: words.KeyOutsideValidity, Also: []words.Reason{words.LifetimeTooLong}},
		{Name: "key: the organisation is no longer on the list", Text: w.Text(CardOptions{Org: w.B}), Pack: gone, Want: words.UnknownKey},
		{Name: "key: one id for two keys", Text: w.foreignCard(nil, nil), Pack: dup, Want: words.BadKey},
		{Name: "grant: for other programmes only", Text: w.Text(CardOptions{Org: w.B}), Pack: limited, Want: words.IssuerNotAuthorised},
		{Name: "grant: run out", Text: w.Text(CardOptions{Org: w.B}), Pack: over, Want: words.IssuerNotAuthorised},

		{Name: "foreign: an identity card is known, never given to", Text: w.foreignCard(nil, map[int64][]byte{65535: statusClaim(GoodIndex, "https://id.ministry.example/1")}),
			Pack: w.Pack(PackOptions{Status: []verifier.Part{w.ministryList()}}), Want: words.OK, Known: true},
		{Name: "foreign: high-s is taken", Text: w.foreignCard(twin, map[int64][]byte{65535: statusClaim(GoodIndex, "https://id.ministry.example/1")}),
			Pack: w.Pack(PackOptions{Status: []verifier.Part{w.ministryList()}}), Want: words.OK, Known: true},
		{Name: "foreign: without status although its issuer uses lists", Text: w.foreignCard(nil, nil), Want: words.StatusMissing, Known: true},
		{Name: "foreign: without status, issuer uses none", Text: w.townCard(nil), Want: words.OK, Known: true},
		{Name: "foreign: for another audience", Text: w.townCard(map[int64][]byte{3: cbor.AppendText(nil, "https://else.example")}), Want: words.WrongAudience, Known: true},
		{Name: "foreign: for us among others", Text: w.townCard(map[int64][]byte{3: append(cbor.AppendArray(nil, 2), append(cbor.AppendText(nil, "https://else.example"), cbor.AppendText(nil, w.A.ID)...)...)}), Want: words.OK, Known: true},
		{Name: "foreign: something else signed by the same key", Text: w.foreignCard(func(m *message) {
			m.protected = header(es256, nil, pair(16, cbor.AppendText(nil, "application/statuslist+cwt")))
		}, nil), Want: words.WrongTyp},
		{Name: "foreign: without claim 169", Text: w.townCard(map[int64][]byte{169: nil}), Want: words.BadClaims},
		{Name: "foreign: exp 0 is long past", Text: w.townCard(map[int64][]byte{4: {0x00}}), Want: words.Expired, Known: true},
		{Name: "foreign: expired", Text: w.townCard(map[int64][]byte{4: cbor.AppendUint(nil, uint64(Made+1))}), Want: words.Expired, Known: true},
		{Name: "an own card re-wrapped as foreign ones are", Text: text(wrapped.encode()), Want: words.BadCOSE},
	}
}

func statusClaim(idx uint64, uri string) []byte {
	b := cbor.AppendText(cbor.AppendMap(nil, 1), "status_list")
	b = cbor.AppendUint(cbor.AppendText(cbor.AppendMap(b, 2), "idx"), idx)
	return cbor.AppendText(cbor.AppendText(b, "uri"), uri)
}

// ministryList: the ministry's list is signed by no key of the world but A's
// status key may not speak for it, so it comes with a status key of its own.
func (w *World) ministryList() verifier.Part {
	o := &Org{ID: ForeignID, StatusURI: "https://id.ministry.example/1", Status: P256("ministry status")}
	return w.snapshotPart(o, StatusOptions{})
}

// townCard is an identity card of the issuer that uses no status lists.
func (w *World) townCard(more map[int64][]byte) string {
	return w.foreignCard(func(m *message) {
		m.protected, m.unprotected, m.tags, m.signer = header(cbor.AppendInt(nil, -19), w.NoList.KID()), nil, []uint64{18}, w.NoList
		m.payload = bytes.Replace(m.payload, cbor.AppendText(nil, ForeignID), cbor.AppendText(nil, NoListID), 1)
	}, more)
}

// highS turns a signature into its high-s twin.
func highS(sig []byte) []byte {
	n := elliptic.P256().Params().N
	s := new(big.Int).SetBytes(sig[32:])
	if s.Cmp(new(big.Int).Rsh(n, 1)) <= 0 {
		s.Sub(n, s)
	}
	s.FillBytes(sig[32:])
	return sig
}

// timeCases: dates, lists' age, clocks.
func timeCases(w *World) []Case {
	exp := Made + 180*day
	far := w.Pack(PackOptions{Expires: Made + 900*day, Trust: TrustOptions{NextUpdate: Made + 800*day}, Policy: &verifier.Policy{Freshness: map[string]int64{
		"https://aidpass.example/elig": 900 * 86400, GraceVCT: 900 * 86400}}})
	decision := &verifier.Decision{Reason: "no road", Lead: "s-17", Second: "s-4", Ceiling: "C1", From: Now, Until: Now + 90*day}
	opened := w.Pack(PackOptions{Policy: &verifier.Policy{OldLists: decision}})
	later := w.Text(CardOptions{Issued: Now + day})
	return []Case{
		{Name: "expired one second ago", Text: w.Text(CardOptions{}), At: exp + 1, Pack: far, Want: words.Expired},
		{Name: "expired this second", Text: w.Text(CardOptions{}), At: exp, Pack: far, Want: words.Expired},
		{Name: "the last second of its life", Text: w.Text(CardOptions{}), At: exp - 1, Pack: far, Want: words.OK},
		{Name: "inside the grace days of its type", Text: w.Text(CardOptions{Type: "grace"}), At: exp + 9*day, Pack: far, Want: words.OKGrace},
		{Name: "after the grace days", Text: w.Text(CardOptions{Type: "grace"}), At: exp + 10*day, Pack: far, Want: words.Expired},
		{Name: "nbf is now", Text: w.Text(CardOptions{Draft: func(d *cwt.Draft) { d.NotBefore = Now }}), Want: words.OK},
		{Name: "nbf is in a second", Text: w.Text(CardOptions{Draft: func(d *cwt.Draft) { d.NotBefore = Now + 1 }}), Want: words.NotYetValid},
		{Name: "issued a day in the future", Text: later, Want: words.NotYetValid},
		{Name: "the clock says 2099", Text: w.Text(CardOptions{}), At: 4070908800, Pack: far,
			Want: words.Expired, Also: []words.Reason{words.StatusStale, words.TrustListExpired, words.PackExpired}},
		{Name: "lists a day too old for this type", Text: w.Text(CardOptions{}), At: Made + 8*day, Want: words.StatusStale},
		{Name: "lists just fresh enough", Text: w.Text(CardOptions{}), At: Made + 7*day, Want: words.OK},
		{Name: "the trust list should have been replaced", Text: w.Text(CardOptions{}), At: Made + 31*day,
			Pack: w.Pack(PackOptions{Policy: &verifier.Policy{Freshness: map[string]int64{"https://aidpass.example/elig": 0}}}), Want: words.TrustListExpired},
		{Name: "the pack is over", Text: w.Text(CardOptions{}), At: Made + 3*day, Pack: w.Pack(PackOptions{Expires: Made + 2*day}), Want: words.PackExpired},
		{Name: "old lists, but the site decided to serve", Text: w.Text(CardOptions{}), At: Made + 20*day, Pack: opened, Want: words.OKOldLists},
		{Name: "the site's decision does not make a revoked card good", Text: w.Text(CardOptions{Draft: func(d *cwt.Draft) { d.StatusIndex = RevokedIndex }}),
			At: Made + 20*day, Pack: opened, Want: words.Revoked, Also: []words.Reason{words.OKOldLists}},
		{Name: "clock set back: nothing changes, the answer stands", Text: w.Text(CardOptions{Issued: Made - 50*day}), At: Made - 10*day, Want: words.OK},
		{Name: "clock set back: an expired card is not brought to life", Text: w.Text(CardOptions{Issued: Made - 181*day}), At: Made - 10*day, Want: words.ClockImplausible},
		{Name: "clock of 1970", Text: w.Text(CardOptions{}), At: 86400, Want: words.ClockImplausible},
		{Name: "clock set back: revoked stays revoked", Text: w.Text(CardOptions{Issued: Made - 50*day, Draft: func(d *cwt.Draft) { d.StatusIndex = RevokedIndex }}), At: Made - 10*day, Want: words.Revoked},
	}
}

// statusCases: what the status list says, and what can be wrong with it.
func statusCases(w *World) []Case {
	at := func(i uint64) string {
		return w.Text(CardOptions{Draft: func(d *cwt.Draft) { d.StatusIndex = i }})
	}
	lists := func(parts ...verifier.Part) []byte { return w.Pack(PackOptions{Status: parts}) }
	part := func(kind verifier.PartKind, uri string, data []byte) verifier.Part {
		return verifier.Part{Owner: w.A.ID, Kind: kind, Name: uri, Sequence: uint64(Made), Data: data}
	}
	allValid := StatusOptions{Edit: none}
	old := StatusOptions{Issued: Made - 5*day}
	memory := func(l verifier.ListMemory) []byte {
		_, f, err := verifier.OpenPack(w.Pack(PackOptions{}), verifier.Floors{}, Now)
		check(err)
		name := w.A.StatusURI + "\x00" + string(w.A.Status.KID())
		l.Org = w.A.ID
		if l.Seen == nil {
			l.Seen = f.Lists[name].Seen
		}
		f.Lists[name] = l
		return f.Encode()
	}
	msb := StatusOptions{Edit: func(r *status.Register) { check(r.Set(GoodIndex^3, status.Invalid)) }}
	return []Case{
		{Name: "status: revoked", Text: at(RevokedIndex), Want: words.Revoked},
		{Name: "status: suspended", Text: at(SuspendedIndex), Want: words.Suspended},
		{Name: "status: an entry next to the revoked one", Text: at(RevokedIndex - 1), Want: words.OK},
		{Name: "status: past the end of the list", Text: at(listSize), Want: words.StatusIndexOutOfRange},
		{Name: "status: 2^60", Text: at(1 << 60), Want: words.StatusIndexOutOfRange},
		{Name: "status: list not in the pack", Text: w.Text(CardOptions{}), Pack: w.Pack(PackOptions{NoStatus: true}), Want: words.StatusUnknown},
		{Name: "status: only the bit that the other order would read is set", Text: at(GoodIndex), Pack: lists(part(verifier.PartSnapshot, w.A.StatusURI, w.Snapshot(w.A, msb))), Want: words.OK},
		{Name: "status: as CWT", Text: at(RevokedIndex), Pack: lists(part(verifier.PartStatusCWT, w.A.StatusURI, w.StatusCWT(w.A, StatusOptions{}))), Want: words.Revoked},
		{Name: "status: as JWT", Text: at(RevokedIndex), Pack: lists(part(verifier.PartStatusJWT, status.URIOfJWT(w.A.StatusURI), w.StatusJWT(w.A, StatusOptions{}))), Want: words.Revoked},
		{Name: "status: the newest wins across forms", Text: at(RevokedIndex), Pack: lists(
			part(verifier.PartStatusJWT, status.URIOfJWT(w.A.StatusURI), w.StatusJWT(w.A, StatusOptions{})),
			part(verifier.PartSnapshot, w.A.StatusURI, w.Snapshot(w.A, StatusOptions{Issued: Made - 5*day, Edit: none})),
		), Want: words.Revoked},
		{Name: "status: another list in this one's place", Text: at(RevokedIndex), Pack: lists(
			part(verifier.PartSnapshot, w.A.StatusURI, w.Snapshot(w.A, StatusOptions{URI: "https://relief-a.example/st/2", Edit: none}))), Want: words.StatusWrongList},
		{Name: "status: signed by another organisation's status key", Text: at(RevokedIndex), Pack: lists(
			part(verifier.PartSnapshot, w.A.StatusURI, w.Snapshot(w.A, StatusOptions{Edit: none, Key: &w.B.Status}))), Want: words.StatusUnknown},
		{Name: "status: signed by a card key", Text: at(RevokedIndex), Pack: lists(
			part(verifier.PartSnapshot, w.A.StatusURI, w.Snapshot(w.A, StatusOptions{Edit: none, Key: &w.A.Card}))), Want: words.StatusUnknown},
		{Name: "status: the list is rubbish", Text: at(RevokedIndex), Pack: lists(part(verifier.PartSnapshot, w.A.StatusURI, []byte("rubbish"))), Want: words.StatusMalformed},
		{Name: "status: the list was tampered with", Text: at(RevokedIndex), Pack: lists(part(verifier.PartSnapshot, w.A.StatusURI, flip(w.Snapshot(w.A, StatusOptions{})))), Want: words.StatusMalformed},
		{Name: "status: expired list", Text: at(GoodIndex), Pack: lists(part(verifier.PartStatusCWT, w.A.StatusURI, w.StatusCWT(w.A, StatusOptions{Next: Made + day/2}))), Want: words.StatusStale},
		{Name: "status: older than the list seen before", Text: at(RevokedIndex), State: memory(verifier.ListMemory{IssuedAt: Made}), Pack: lists(
			part(verifier.PartSnapshot, w.A.StatusURI, w.Snapshot(w.A, old))), Want: words.StatusRollback},
		{Name: "status: a revoked entry came back", Text: at(RevokedIndex), State: memory(verifier.ListMemory{IssuedAt: Made - 5*day}), Pack: lists(
			part(verifier.PartSnapshot, w.A.StatusURI, w.Snapshot(w.A, allValid))), Want: words.StatusUnrevoked},
		{Name: "status: a suspended entry may come back", Text: at(SuspendedIndex), State: memory(verifier.ListMemory{IssuedAt: Made - 5*day}), Pack: lists(
			part(verifier.PartSnapshot, w.A.StatusURI, w.Snapshot(w.A, StatusOptions{Edit: func(r *status.Register) { check(r.Set(RevokedIndex, status.Invalid)) }}))), Want: words.OK},
		{Name: "status: signed in 2099, only its own cards are unsure", Text: at(GoodIndex), Pack: lists(
			part(verifier.PartSnapshot, w.A.StatusURI, w.Snapshot(w.A, StatusOptions{Issued: 4070908800, Edit: none}))), Want: words.StatusNotYetValid},
		{Name: "status: signed in 2099, others' cards stand", Text: w.Text(CardOptions{Org: w.B}), Pack: lists(
			part(verifier.PartSnapshot, w.A.StatusURI, w.Snapshot(w.A, StatusOptions{Issued: 4070908800, Edit: none})), w.snapshotPart(w.B, StatusOptions{})), Want: words.OK},
	}
}

func flip(b []byte) []byte {
	b = bytes.Clone(b)
	b[len(b)/2] ^= 1
	return b
}

// placeCases: programme, round, site, earlier collections.
func placeCases(w *World) []Case {
	open := []verifier.Round{{N: 3, Opens: Made - day, Closes: Made + 60*day}}
	policy := func(p verifier.Policy) []byte { return w.Pack(PackOptions{Policy: &p}) }
	here := policy(verifier.Policy{Country: "KEN", Programmes: map[string][]verifier.Round{Programme: open}})
	plain := func(more map[string]any) string {
		m := map[string]any{"programme": Programme, "round": int64(3)}
		for k, v := range more {
			m[k] = v
		}
		return w.Text(CardOptions{Plain: m})
	}
	used := w.Journal(visit.Visit{Kind: visit.Collection, Ledger: w.Ledger(), Given: "C1"})
	part := w.Journal(visit.Visit{Kind: visit.Partial, Ledger: w.Ledger(), Given: "C1", Rest: "2 kg"})
	cancelled := w.Journal(visit.Visit{Kind: visit.Collection, Ledger: w.Ledger()}, visit.Visit{Kind: visit.Counter, Cancels: 1, Code: "mistake"})
	other := w.Ledger()
	other.Round = 2
	before := w.Journal(visit.Visit{Kind: visit.Collection, Ledger: other})
	return []Case{
		{Name: "programme and round are open here", Text: w.Text(CardOptions{}), Pack: here, Want: words.OK},
		{Name: "another programme", Text: plain(map[string]any{"programme": "ZZZZ"}), Pack: here, Want: words.WrongProgramme},
		{Name: "another round", Text: plain(map[string]any{"round": int64(4)}), Pack: here, Want: words.WrongRound},
		{Name: "the round is closed", Text: w.Text(CardOptions{}), Want: words.WrongRound,
			Pack: policy(verifier.Policy{Programmes: map[string][]verifier.Round{Programme: {{N: 3, Opens: Made - 9*day, Closes: Made - day}}}})},
		{Name: "this site", Text: plain(map[string]any{"site": Site}), Pack: here, Want: words.OK},
		{Name: "another site", Text: plain(map[string]any{"site": "DAD-1"}), Pack: here, Want: words.WrongSite},
		{Name: "a site this one serves for", Text: plain(map[string]any{"site": "DAD-1"}), Want: words.OK,
			Pack: policy(verifier.Policy{Sites: []string{"DAD-1"}})},
		{Name: "collected this round", Text: w.Text(CardOptions{}), Journals: [][]byte{used}, Want: words.AlreadyRedeemed},
		{Name: "collected, shown with a re-issued card", Text: w.Text(CardOptions{Draft: func(d *cwt.Draft) { d.ID = [10]byte{9} }}), Journals: [][]byte{used}, Want: words.AlreadyRedeemed},
		{Name: "collected in an earlier round", Text: w.Text(CardOptions{}), Journals: [][]byte{before}, Want: words.OK},
		{Name: "collected in part", Text: w.Text(CardOptions{}), Journals: [][]byte{part}, Want: words.PartlyCollected},
		{Name: "collected, then cancelled by a counter-entry", Text: w.Text(CardOptions{}), Journals: [][]byte{cancelled}, Want: words.OK},
		{Name: "collected, and the lists are old: used, not unsure", Text: w.Text(CardOptions{}), At: Made + 20*day, Journals: [][]byte{used},
			Want: words.AlreadyRedeemed, Also: []words.Reason{words.StatusStale}},
		{Name: "collected, and revoked: invalid leads", Text: w.Text(CardOptions{Draft: func(d *cwt.Draft) { d.StatusIndex = RevokedIndex }}), Journals: [][]byte{used},
			Want: words.Revoked, Also: []words.Reason{words.AlreadyRedeemed}},
		{Name: "another unit", Text: w.Text(CardOptions{Unit: "unit-2"}), Journals: [][]byte{used}, Want: words.OK},
	}
}

// packCases: what a pack may not be.
func packCases(w *World) []Case {
	good := w.Text(CardOptions{})
	pack := w.Pack(PackOptions{})
	state := func(p []byte) []byte {
		_, f, err := verifier.OpenPack(p, verifier.Floors{}, Now)
		check(err)
		return f.Encode()
	}
	newer := state(w.Pack(PackOptions{Sequence: 9}))
	newerTrust := state(w.Pack(PackOptions{Trust: TrustOptions{Sequence: 6}}))
	otherTrust := state(w.Pack(PackOptions{Trust: TrustOptions{Issued: Made + 5}}))
	swapped := func() []byte { // a part of another pack in this one's place
		return bytes.Replace(pack, w.DeviceCert(nil)[:40], bytes.Repeat([]byte{1}, 40), 1)
	}()
	one := w.TrustList(TrustOptions{Signers: 1})
	return []Case{
		{Name: "pack: torn in the middle", Text: good, Pack: pack[:len(pack)/2], Want: words.PackIncomplete},
		{Name: "pack: a part swapped", Text: good, Pack: swapped, Want: words.PackMismatch},
		{Name: "pack: manifest signed by another organisation", Text: good, Pack: w.Pack(PackOptions{Key: &w.B.Pack}), Want: words.PackBadSignature},
		{Name: "pack: manifest signed by the card key", Text: good, Pack: w.Pack(PackOptions{Key: &w.A.Card}), Want: words.PackBadSignature},
		{Name: "pack: older than the one seen", Text: good, State: newer, Want: words.PackRollback},
		{Name: "pack: not a pack", Text: good, Pack: []byte("PK\x03\x04 something"), Want: words.UnsupportedVersion},
		{Name: "trust list: rolled back", Text: good, State: newerTrust, Want: words.TrustListRollback},
		{Name: "trust list: same number, other content", Text: good, State: otherTrust, Want: words.TrustListEquivocation},
		{Name: "trust list: one of two signatures", Text: good, Pack: w.Pack(PackOptions{TrustList: one}), Want: words.TrustListBadSignature},
	}
}

// holderCases: PIN, phone keys, live codes, slips.
func holderCases(w *World) []Case {
	sealed := w.Pack(PackOptions{Sealed: true})
	withPIN := w.Text(CardOptions{Unit: "pin", Draft: func(d *cwt.Draft) {
		c := must(cwt.PINCheck(w.Epoch, d.ID[:], "493827"))
		m := cbor.AppendBytes(cbor.AppendInt(cbor.AppendMap(nil, 1), 40), c[:])
		d.Sealed = must(cwt.SealPart(w.Epoch, d.Issuer, d.ID, d.Type, m))
	}})
	id := sha256.Sum256([]byte("pineligibility"))
	locked := func() []byte {
		_, f, err := verifier.OpenPack(sealed, verifier.Floors{}, Now)
		check(err)
		f.PINFailures = map[string]int{w.A.ID + "\x00" + string(id[:10]): 5}
		return f.Encode()
	}()
	bound := CardOptions{Unit: "phone", Draft: func(d *cwt.Draft) { d.HolderKey = w.Wallet.Key }}
	strict := CardOptions{Type: w.PhoneType.Name, Unit: "phone", Draft: bound.Draft}
	challenge := w.challenge()
	live := func(card []byte, k Signer, after credential.Time, challenge []byte) string {
		p := verifier.PrepareLive(k.Key, card, Now+after, challenge)
		return must(cwt.Text(must(p.Attach(must(cose.SignRaw(k, p.ToBeSigned()))))))
	}
	thief := P256("thief")
	slip := func(cert func(*trust.DeviceCertificate), o CardOptions) string {
		c := w.DeviceCert(cert)
		if o.Type == "" {
			o.Type = "referral"
		}
		edit := o.Draft
		o.Key, o.Issued = &w.Device, Made+60
		o.Draft = func(d *cwt.Draft) {
			d.DeviceCertificate, d.StatusIndex, d.ExpiresAt = c, 100007, d.IssuedAt+20*day
			if edit != nil {
				edit(d)
			}
		}
		o.Plain = map[string]any{"case_code": "R-81K"}
		if o.Type == "eligibility" {
			o.Plain = nil
		}
		return w.Text(o)
	}
	return []Case{
		{Name: "PIN: right", Text: withPIN, Pack: sealed, Unlock: true, PIN: "493827", Want: words.OK},
		{Name: "PIN: wrong", Text: withPIN, Pack: sealed, Unlock: true, PIN: "111111", Want: words.PINWrong},
		{Name: "PIN: five wrong ones before", Text: withPIN, Pack: sealed, State: locked, Unlock: true, PIN: "493827", Want: words.PINLocked},

		{Name: "phone: a bound card without the phone", Text: w.Text(bound), Want: words.LiveRequired},
		{Name: "phone: live by time", Text: live(w.Card(bound), w.Wallet, 0, nil), Want: words.OK},
		{Name: "phone: live, three minutes old", Text: live(w.Card(bound), w.Wallet, -180, nil), Want: words.KBStale},
		{Name: "phone: live, from the future", Text: live(w.Card(bound), w.Wallet, 180, nil), Want: words.KBStale},
		{Name: "phone: signed by another phone", Text: live(w.Card(bound), thief, 0, nil), Want: words.KBBadSignature},
		{Name: "phone: live code of a card bound to none", Text: live(w.Card(CardOptions{}), w.Wallet, 0, nil), Want: words.KBNoHolderKey},
		{Name: "phone: answers the challenge", Text: live(w.Card(bound), w.Wallet, 0, challenge), Challenge: challenge, Want: words.OK},
		{Name: "phone: a photographed live code against a new challenge", Text: live(w.Card(bound), w.Wallet, 0, flip(challenge)), Challenge: challenge, Want: words.KBWrongNonce},
		{Name: "phone: no answer to the challenge", Text: live(w.Card(bound), w.Wallet, 0, nil), Challenge: challenge, Want: words.KBWrongNonce},
		{Name: "phone: two minutes old", Text: live(w.Card(bound), w.Wallet, -120, nil), Want: words.OK},
		{Name: "phone: a second more", Text: live(w.Card(bound), w.Wallet, -121, nil), Want: words.KBStale},
		{Name: "phone: two minutes ahead", Text: live(w.Card(bound), w.Wallet, 120, nil), Want: words.OK},
		{Name: "phone: a second more ahead", Text: live(w.Card(bound), w.Wallet, 121, nil), Want: words.KBStale},
		{Name: "phone: an answer by a clock that is hours away", Text: live(w.Card(bound), w.Wallet, -7200, challenge), Challenge: challenge, Want: words.OK},
		{Name: "phone: the last second of the challenge", Text: live(w.Card(bound), w.Wallet, 0, challenge), Challenge: challenge, At: Now + verifier.AnswerWithin, Want: words.OK},
		{Name: "phone: the challenge is over", Text: live(w.Card(bound), w.Wallet, 0, challenge), Challenge: challenge, At: Now + verifier.AnswerWithin + 1, Want: words.KBStale},
		{Name: "phone: before the challenge was made", Text: live(w.Card(bound), w.Wallet, 0, challenge), Challenge: challenge, At: Now - 1, Want: words.KBStale},
		{Name: "phone: a type that wants an answer, the card alone", Text: w.Text(strict), Want: words.LiveRequired},
		{Name: "phone: a type that wants an answer, on paper", Text: w.Text(CardOptions{Type: strict.Type}), Want: words.LiveRequired},
		{Name: "phone: a type that wants an answer, live by time", Text: live(w.Card(strict), w.Wallet, 0, nil), Want: words.LiveRequired},
		{Name: "phone: a type that wants an answer, answered", Text: live(w.Card(strict), w.Wallet, 0, challenge), Challenge: challenge, Want: words.OK},
		{Name: "phone: a type that wants an answer, another's answered", Text: live(w.Card(strict), w.Wallet, 0, flip(challenge)), Challenge: challenge, Want: words.KBWrongNonce, Also: []words.Reason{words.LiveRequired}},
		{Name: "phone: live, and the card is revoked", Text: live(w.Card(CardOptions{Draft: func(d *cwt.Draft) {
			d.HolderKey, d.StatusIndex = w.Wallet.Key, RevokedIndex
		}}), w.Wallet, 0, nil), Want: words.Revoked},

		{Name: "slip: a referral signed by an enrolled device", Text: slip(nil, CardOptions{}), Want: words.OK},
		{Name: "slip: a device may not sign an eligibility", Text: slip(nil, CardOptions{Type: "eligibility"}), Want: words.IssuerNotAuthorised},
		{Name: "slip: status entry outside the device's block", Text: slip(nil, CardOptions{Draft: func(d *cwt.Draft) { d.StatusIndex = 99999 }}), Want: words.IssuerNotAuthorised},
		{Name: "slip: a device that may sign journals only", Text: slip(func(c *trust.DeviceCertificate) { c.MaySign, c.Block = []uint64{trust.SignJournal}, nil }, CardOptions{}), Want: words.IssuerNotAuthorised},
		{Name: "slip: signed after the certificate's time", Text: slip(func(c *trust.DeviceCertificate) { c.NotBefore, c.NotAfter = Made-20*day, Made-day }, CardOptions{}), Want: words.KeyOutsideValidity},
		{Name: "slip: the certificate is tampered with", Text: slip(nil, CardOptions{Draft: func(d *cwt.Draft) { d.DeviceCertificate = flip(d.DeviceCertificate) }}), Want: words.BadSignature},
		{Name: "slip: a card that carries a device's certificate", Text: slip(nil, CardOptions{Type: "eligibility", Draft: func(d *cwt.Draft) { d.DeviceCertificate = nil }}), Want: words.UnknownKey},
	}
}

// challenge is signed by the world's device.
func (w *World) challenge() []byte {
	p := must(verifier.PrepareChallenge(must(trust.ReadDevice(w.DeviceCert(nil))), make([]byte, verifier.NonceBytes), Now))
	return must(p.Attach(must(cose.SignRaw(w.Device, p.ToBeSigned()))))
}
