package qr

// deflateLong appends raw, longer than blockSize. Browsers write cards, which
// are short: compress/flate would weigh more there than it is ever worth.
func (d *deflater) deflateLong(dst, raw []byte) []byte { return d.deflate(dst, raw) }
