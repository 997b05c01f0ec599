package status

import "aidpass/credential/qr"

// deflate packs a bitmap. Browsers publish no lists; were one to, its list would
// be as good and a little longer than compress/zlib makes it elsewhere.
func deflate(bits []byte) ([]byte, error) { return qr.AppendZlib(nil, bits), nil }
