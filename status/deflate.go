//go:build !js

package status

import (
	"bytes"
	"compress/zlib"
)

// deflate packs a bitmap at the highest level, as draft-ietf-oauth-status-list
// 4.1 recommends: a list is written once and fetched by everybody.
func deflate(bits []byte) ([]byte, error) {
	var b bytes.Buffer
	w, err := zlib.NewWriterLevel(&b, zlib.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(bits); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
