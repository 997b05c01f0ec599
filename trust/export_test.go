package trust

// Rewrite is Encode for a draft that is to be the list it came from, and not
// the one after.
func Rewrite(d *Draft) ([]byte, error) {
	d.base = nil
	return d.Encode()
}
