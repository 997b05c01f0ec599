package schemas

import _ "embed"

// Without labels the types weigh a third; the apps' own files say them in the
// one language that is needed.
//
//go:embed types_unlabelled.cbor
var typesCBOR []byte
