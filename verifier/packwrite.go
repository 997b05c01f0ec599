package verifier

import (
	"crypto/sha256"
	"fmt"
	"io"

	"aidpass/credential"
	"aidpass/internal/cbor"
	"aidpass/internal/cose"
)

// PackDraft is a pack before its manifest is signed.
type PackDraft struct {
	Org, Site string
	Sequence  uint64 // from 1, rising per organisation and site
	Issued    credential.Time
	Expires   credential.Time
	Parts     []Part
}

// PreparedPack waits for the signature of its manifest.
type PreparedPack struct {
	*cose.Prepared
	parts []Part
}

// PreparePack is the first phase: ToBeSigned gives the bytes the organisation's
// pack key signs, Attach makes the file.
func PreparePack(k *cose.Key, d PackDraft) (*PreparedPack, error) {
	switch {
	case d.Org == "" || d.Sequence == 0:
		return nil, fmt.Errorf("verifier: a pack needs an organisation and a sequence from 1")
	case d.Expires <= d.Issued || d.Issued <= 0:
		return nil, fmt.Errorf("verifier: a pack expires after it is issued")
	case len(d.Parts) > MaxPackParts:
		return nil, fmt.Errorf("verifier: %d parts, at most %d", len(d.Parts), MaxPackParts)
	}
	total := 0
	b := cbor.AppendMap(nil, 6)
	b = cbor.AppendText(cbor.AppendInt(b, 1), d.Org)
	b = cbor.AppendText(cbor.AppendInt(b, 2), d.Site)
	b = cbor.AppendUint(cbor.AppendInt(b, 3), d.Sequence)
	b = cbor.AppendInt(cbor.AppendInt(b, 4), int64(d.Issued))
	b = cbor.AppendInt(cbor.AppendInt(b, 5), int64(d.Expires))
	b = cbor.AppendArray(cbor.AppendInt(b, 6), len(d.Parts))
	for _, p := range d.Parts {
		sum := sha256.Sum256(p.Data)
		b = cbor.AppendText(cbor.AppendArray(b, 6), p.Owner)
		b = cbor.AppendText(cbor.AppendUint(b, uint64(p.Kind)), p.Name)
		b = cbor.AppendBytes(cbor.AppendUint(b, p.Sequence), sum[:])
		b = cbor.AppendUint(b, uint64(len(p.Data)))
		total += len(p.Data)
	}
	if total+len(b) > MaxPackBytes-maxManifest {
		return nil, fmt.Errorf("verifier: a pack of %d bytes is too large: leave photos or old status lists out", total)
	}
	return &PreparedPack{Prepared: cose.Prepare(k, TypManifest, b, nil), parts: d.Parts}, nil
}

// Attach is the second phase: the pack file.
func (p *PreparedPack) Attach(sig []byte) ([]byte, error) {
	manifest, err := p.Prepared.Attach(sig)
	if err != nil {
		return nil, err
	}
	n := 64 + len(manifest)
	for i := range p.parts {
		n += len(p.parts[i].Data) + 9
	}
	b := cbor.AppendTag(make([]byte, 0, n), packTag)
	b = cbor.AppendText(cbor.AppendArray(b, 3), packName)
	b = cbor.AppendBytes(b, manifest)
	b = cbor.AppendArray(b, len(p.parts))
	for i := range p.parts {
		b = cbor.AppendBytes(b, p.parts[i].Data)
	}
	return b, nil
}

// SealPackPart encrypts a part of kind PartCodes, PartExpected or PartPhotos
// under the pack's content key (16 bytes, in the audience part).
func SealPackPart(contentKey []byte, org, site string, p Part, random io.Reader) ([]byte, error) {
	var iv [12]byte
	if _, err := io.ReadFull(random, iv[:]); err != nil {
		return nil, fmt.Errorf("verifier: reading randomness: %w", err)
	}
	sealed, err := cose.Seal(contentKey, iv[:], p.Data, partAAD(org, site, p))
	if err != nil {
		return nil, err
	}
	return append(cbor.AppendBytes(cbor.AppendArray(nil, 2), iv[:]), sealed...), nil
}

// OpenPackPart decrypts a sealed part of p.
func (p *Pack) OpenPackPart(u *Unlocked, part Part) ([]byte, error) {
	if u == nil || u.ContentKey == nil {
		return nil, ErrUnlock
	}
	r := cbor.NewReader(part.Data)
	if r.Kind() != cbor.Array || r.Array() != 2 {
		return nil, ErrUnlock
	}
	iv, sealed := r.Bytes(), r.Raw()
	if !r.Done() || len(iv) != 12 {
		return nil, ErrUnlock
	}
	plain, err := cose.OpenSealed(sealed, u.ContentKey, iv, partAAD(p.Org, p.Site, part))
	if err != nil {
		return nil, ErrUnlock
	}
	return plain, nil
}

func partAAD(org, site string, p Part) []byte {
	b := cbor.AppendArray(nil, 6)
	b = cbor.AppendText(b, "aidpass-part-1")
	b = cbor.AppendText(cbor.AppendText(b, org), site)
	b = cbor.AppendText(cbor.AppendUint(b, uint64(p.Kind)), p.Name)
	return cbor.AppendUint(b, p.Sequence)
}
