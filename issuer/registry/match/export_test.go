package match

// PlainJaroWinkler is JaroWinkler without bits, for comparing.
func PlainJaroWinkler(a, b string) float64 { return plainJaroWinkler([]rune(a), []rune(b)) }
