package match

// PlainJaroWinkler is JaroWinkler without bits, for comparing.
func PlainJaroWinkler(a, b string) float64 { return plainJaroWinkler([]rune(a), []rune(b)) }

// LevelDifferent is the level of words that differ.
const LevelDifferent = levelDifferent

// Hopeless tells whether a glance tells two words apart; Agree how they agree.
func Hopeless(a, b string) bool {
	l := newLexicon()
	x, y := l.id(a), l.id(b)
	return l.marks[x].apart(l.marks[y])
}

func Agree(a, b string) uint8 {
	l := newLexicon()
	return l.between(l.id(a), l.id(b), nil)
}
