package match

// apart is how far two words of Latin letters are apart when they are said: the least
// sum of changes that makes one of the other, where a vowel for another vowel costs
// less than a consonant for another, and what spellings disagree about anyway costs
// little. In tenths of a letter.
func apart(a, b string) int {
	if len(a) > maxLetters || len(b) > maxLetters {
		return 10 * max(len(a), len(b))
	}
	var rows [2][maxLetters + 1]int
	row, next := &rows[0], &rows[1]
	for j := 1; j <= len(b); j++ {
		row[j] = row[j-1] + drop(b, j-1)
	}
	for i := 1; i <= len(a); i++ {
		d := drop(a, i-1)
		next[0] = row[0] + d
		for j := 1; j <= len(b); j++ {
			next[j] = min(row[j-1]+change(a[i-1], b[j-1]), row[j]+d, next[j-1]+drop(b, j-1))
		}
		row, next = next, row
	}
	return row[len(b)]
}

// vowels are letters that scripts leave out and clerks guess.
var vowels = func() (k [256]bool) {
	for _, c := range []byte("aeiouy") {
		k[c] = true
	}
	return k
}()

// neighbours are letters that one sound is written with, in one country and another.
var neighbours = func() (m [256][256]bool) {
	for _, s := range []string{"bp", "dt", "fvw", "gkqcx", "gj", "szc", "iyje", "ouw", "ae", "kh", "xh"} {
		for i := range s {
			for j := range s {
				m[s[i]][s[j]] = true
			}
		}
	}
	return m
}()

// change is what another letter costs.
func change(a, b byte) int {
	switch {
	case a == b:
		return 0
	case neighbours[a][b]:
		return 3
	case vowels[a] && vowels[b]:
		return 4
	}
	return 10
}

// drop is what the letter at i costs that the other word has not.
func drop(s string, i int) int {
	switch c := s[i]; {
	case i > 0 && s[i-1] == c: // written twice
		return 1
	case c == 'h' && i > 0: // heard by some
		return 2
	case vowels[c]:
		return 4
	}
	return 10
}
