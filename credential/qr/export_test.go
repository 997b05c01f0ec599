package qr

// WithoutTail lets the tests measure compress/flate fairly: its stream without
// the empty stored block at the end.
func WithoutTail(body, raw []byte) ([]byte, bool) { return withoutTail(body, raw) }
