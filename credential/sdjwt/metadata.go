package sdjwt

import (
	"bytes"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"strings"

	"aidpass/internal/jose"
)

// MaxMetadata is the longest type metadata document read, in bytes.
const MaxMetadata = 256 << 10

// ErrMetadata: a document that was fetched is not the type metadata of this
// credential. It is not to be shown, and where the type must be known the
// credential is not to be taken.
var ErrMetadata = errors.New("sdjwt: not the type metadata of this credential")

// Metadata reads the type metadata document that somebody fetched for c: it must
// be the one vct#integrity names, where that stands in c, and be of c's type.
// What it says of claims and their display is not looked at.
//
// The error is ErrMetadata, also for a document too long or not JSON.
// draft-ietf-oauth-sd-jwt-vc 5.2, 6.
func (c *Credential) Metadata(document []byte) (jose.Value, error) {
	if len(document) > MaxMetadata {
		return jose.Value{}, ErrMetadata
	}
	if v := c.Claims.Get("vct#integrity"); v.Kind != jose.Missing && CheckIntegrity(document, v.Text) != nil {
		return jose.Value{}, ErrMetadata
	}
	doc, err := jose.ParseJSON(document, limits)
	if err != nil || doc.Get("vct").Kind != jose.String || doc.Get("vct").Text != string(c.Type) {
		return jose.Value{}, ErrMetadata
	}
	return doc, nil
}

// Integrity is what vct#integrity says of a document: its hash.
//
// draft-ietf-oauth-sd-jwt-vc section 6; W3C Subresource Integrity 3.
func Integrity(document []byte) string {
	sum := sha256.Sum256(document)
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

// ErrIntegrity: a document is not the one that was meant.
var ErrIntegrity = errors.New("sdjwt: the document is not the one whose hash is given")

// CheckIntegrity holds a document that was fetched against the hash that names
// it: one or several expressions with spaces between them, of which those of the
// strongest hash count (SHA-256, SHA-384, SHA-512). All else is ErrIntegrity,
// also a hash that is not known. Nothing of the document is to be read before.
func CheckIntegrity(document []byte, integrity string) error {
	s256, s384, s512 := sha256.Sum256(document), sha512.Sum384(document), sha512.Sum512(document)
	for _, hash := range []struct { // the strongest first
		prefix string
		sum    []byte
	}{{"sha512-", s512[:]}, {"sha384-", s384[:]}, {"sha256-", s256[:]}} {
		found := false
		for expression := range strings.FieldsSeq(integrity) {
			value, is := strings.CutPrefix(expression, hash.prefix)
			if !is {
				continue
			}
			found = true
			value, _, _ = strings.Cut(value, "?") // options, of which there are none yet
			if sum, err := base64.StdEncoding.DecodeString(value); err == nil && bytes.Equal(sum, hash.sum) {
				return nil
			}
		}
		if found {
			break
		}
	}
	return ErrIntegrity
}
