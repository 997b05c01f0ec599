//go:build !js

package schemas

import _ "embed"

//go:embed types.cbor
var typesCBOR []byte
