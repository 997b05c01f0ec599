package sdjwt

import (
	"errors"

	"aidpass/internal/jose"
	"aidpass/schemas"
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
	if v := c.Claims.Get("vct#integrity"); v.Kind != jose.Missing && schemas.CheckIntegrity(document, v.Text) != nil {
		return jose.Value{}, ErrMetadata
	}
	doc, err := jose.ParseJSON(document, limits)
	if err != nil || doc.Get("vct").Kind != jose.String || doc.Get("vct").Text != string(c.Type) {
		return jose.Value{}, ErrMetadata
	}
	return doc, nil
}
