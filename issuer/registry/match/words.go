package match

import (
	"math/bits"
	"slices"
	"strings"
	"unicode/utf8"

	"aidpass/issuer/registry"
)

// A lexicon numbers the words of one kind of field. Number 0 is no word.
//
// People are many and words are few: whatever is worked out of a word is worked out
// once, and two words are compared by their numbers.
type lexicon struct {
	ids    map[string]uint32
	texts  []string
	sounds []uint32 // by word: the number of its skeleton; 0: none
	heard  map[string]uint32
	loose  []uint32 // by word: the number of its looser skeleton
	looser map[string]uint32
	marks  []mark // by word: what is seen of it at a glance
	memory memory
}

// A mark is what tells two words apart without looking at them: which letters it has,
// how many, and its skeleton.
type mark struct {
	letters, sound uint32
	length, first  uint8
}

func markOf(text string, sound uint32) mark {
	m := mark{sound: sound, length: uint8(min(len(text), 255))}
	for i := 0; i < len(text); i++ {
		m.letters |= 1 << (text[i] & 31) // letters of ASCII have a bit each; others share
	}
	if text != "" {
		m.first = text[0]
	}
	return m
}

// hopeless reports that Jaro-Winkler of two words is under faintMeasure, since too few
// letters of the one stand in the other. It never says so of words that could agree.
func (a mark) hopeless(b mark) bool {
	if a.length >= markedLength || b.length >= markedLength {
		return false
	}
	m := min(int8(a.length)-int8(bits.OnesCount32(a.letters&^b.letters)), int8(b.length)-int8(bits.OnesCount32(b.letters&^a.letters)))
	least := &leastShared[0]
	if a.first == b.first {
		least = &leastShared[1]
	}
	return m < least[a.length][b.length]
}

// markedLength is over the length of words that marks tell apart.
const markedLength = 32

// leastShared is how many letters two words must share, by whether their first letters
// agree and by their lengths, to be alike by faintMeasure.
var leastShared = func() (least [2][markedLength][markedLength]int8) {
	for first := range 2 {
		for a := 2; a < markedLength; a++ {
			for b := 2; b < markedLength; b++ {
				m := 1
				for ; m <= min(a, b); m++ {
					jaro := (float64(m)/float64(a) + float64(m)/float64(b) + 1) / 3
					if jaro+0.4*float64(first)*(1-jaro) >= faintMeasure {
						break
					}
				}
				least[first][a][b] = int8(m)
			}
		}
	}
	return least
}()

func newLexicon() *lexicon {
	return &lexicon{ids: map[string]uint32{}, texts: []string{""}, sounds: []uint32{0}, marks: []mark{{}}, heard: map[string]uint32{}, loose: []uint32{0}, looser: map[string]uint32{}}
}

// id numbers a word; the empty one is 0.
func (l *lexicon) id(text string) uint32 {
	if text == "" {
		return 0
	}
	id, ok := l.ids[text]
	if !ok {
		id = uint32(len(l.texts))
		l.ids[text] = id
		l.texts = append(l.texts, strings.ReplaceAll(text, ".", "")) // LatinWords parts letters by it that are not one sound
		skeleton := skeletonOf(text)
		l.sounds = append(l.sounds, numbered(l.heard, skeleton))
		l.marks = append(l.marks, markOf(l.texts[id], l.sounds[id]))
		l.loose = append(l.loose, numbered(l.looser, looseSkeleton(skeleton)))
	}
	return id
}

// skeletonOf is the skeleton of words that are in Latin letters already.
func skeletonOf(text string) string {
	if strings.IndexByte(text, ' ') < 0 {
		return registry.WordSkeleton(text)
	}
	var parts []string
	for w := range strings.FieldsSeq(text) {
		if s := registry.WordSkeleton(w); s != "" {
			parts = append(parts, s)
		}
	}
	slices.Sort(parts)
	return strings.Join(parts, " ")
}

// numbered is the number of a text; 0 of the empty one.
func numbered(m map[string]uint32, text string) uint32 {
	if text == "" {
		return 0
	}
	id, ok := m[text]
	if !ok {
		id = uint32(len(m) + 1)
		m[text] = id
	}
	return id
}

// looseSkeleton leaves out of a skeleton what languages do not agree to write or say:
// the j of Jaroslav and Yaroslav, the w of Owen and Evan, the last letter of Raymond.
func looseSkeleton(s string) string {
	s = unsure.Replace(s)
	if len(s) > 2 {
		s = strings.TrimRight(s, "ts")
	}
	return s + "."
}

var unsure = strings.NewReplacer("g", "", "f", "")

// A Measure tells how alike two words are, from 0 to 1.
type Measure func(a, b string) float64

// Ways in which two words agree, the best first. Their numbers stand in patterns
// and models.
const (
	levelSame      = iota
	levelTwin      // sounds alike: the skeletons are one; and vowels differ at most
	levelAlike     // sounds alike, and is written much alike
	levelHeard     // sounds alike, and is written somewhat alike
	levelSounds    // sounds alike
	levelClose     // one letter differs, or nearly alike
	levelNear      // similar
	levelFaint     // somewhat similar
	levelSwapped   // stands in the other place: given and family name changed places
	levelInitial   // one is the first letter of the other
	levelDifferent //
	wordLevels
)

// Bounds between the ways: of Jaro-Winkler, and of apart by the letters of a word.
const (
	closeMeasure = 0.93
	nearMeasure  = 0.85
	faintMeasure = 0.72
	twinApart    = 6.5
	alikeApart   = 9.5
	heardApart   = 14
)

// between compares two words by their letters.
func (l *lexicon) between(a, b uint32, measure Measure) uint8 {
	s, t := l.texts[a], l.texts[b]
	if len(s) == 1 || len(t) == 1 {
		if s[0] == t[0] {
			return levelInitial
		}
		return levelDifferent
	}
	if l.sounds[a] != 0 && l.sounds[a] == l.sounds[b] {
		switch said := spoken(s, t); {
		case said <= twinApart:
			return levelTwin
		case said <= alikeApart:
			return levelAlike
		case said <= heardApart:
			return levelHeard
		}
		return levelSounds
	}
	v := 0.0
	if measure != nil {
		v = measure(s, t)
	} else {
		v = JaroWinkler(s, t)
	}
	switch {
	case v >= closeMeasure || oneEdit(s, t) || v >= faintMeasure && spoken(s, t) <= twinApart:
		return levelClose
	case v >= nearMeasure:
		return levelNear
	case v >= faintMeasure:
		return levelFaint
	}
	return levelDifferent
}

// spoken is apart by the letters of a word.
func spoken(a, b string) float64 { return 20 * float64(apart(a, b)) / float64(len(a)+len(b)) }

// memory keeps how pairs of words compared: one slot for each remainder, the newer
// pair in the place of the older. It changes no answer, so results stay the same
// whatever the order of questions.
type memory []uint64 // 30 bits of either number, 4 of the level

// mostMemory is how many pairs are kept: 1 MiB, which stays near the processor.
const mostMemory = 1 << 17

// remember makes room for comparing the words of so many people.
func (l *lexicon) remember(people int) {
	room := 1 << 10
	for room < 16*people && room < mostMemory && room < len(l.texts)*len(l.texts) {
		room *= 2
	}
	if room > len(l.memory) {
		l.memory = make(memory, room)
	}
}

// maxWords is how many words a lexicon can hold: what a slot of memory has room for.
const maxWords = 1 << 30

// level compares two words; both are there.
func (l *lexicon) level(a, b uint32, measure Measure) uint8 {
	if measure != nil { // asked for each pair of words, equal ones too
		v := measure(l.texts[a], l.texts[b])
		if a == b {
			return levelSame
		}
		return l.between(a, b, func(string, string) float64 { return v })
	}
	if a == b {
		return levelSame
	}
	if x, y := l.marks[a], l.marks[b]; x.apart(y) {
		return levelDifferent
	}
	return l.remembered(a, b)
}

// apart tells words that neither sound nor look alike.
func (a mark) apart(b mark) bool { return (a.sound != b.sound || a.sound == 0) && a.hopeless(b) }

// remembered compares two words that are not the same, and that marks do not tell apart.
func (l *lexicon) remembered(a, b uint32) uint8 {
	if a > b {
		a, b = b, a
	}
	pair := uint64(a)<<34 | uint64(b)<<4
	slot := &l.memory[mix(pair)&uint64(len(l.memory)-1)]
	if *slot&^15 == pair {
		return uint8(*slot & 15)
	}
	level := l.between(a, b, nil)
	*slot = pair | uint64(level)
	return level
}

// mix spreads the bits of a number (the finaliser of SplitMix64).
func mix(h uint64) uint64 {
	h ^= h >> 30
	h *= 0xbf58476d1ce4e5b9
	h ^= h >> 27
	h *= 0x94d049bb133111eb
	return h ^ h>>31
}

// oneEdit reports whether one letter more, less or other, or two neighbours
// exchanged, make one word of the other. Words of under three bytes are too short to
// tell by.
func oneEdit(a, b string) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	if len(a) < 3 || len(b)-len(a) > utf8.UTFMax {
		return false
	}
	i := 0
	for i < len(a) && a[i] == b[i] {
		i++
	}
	for i > 0 && i < len(a) && !utf8.RuneStart(a[i]) { // back to where the letter begins
		i--
	}
	a, b = a[i:], b[i:]
	_, n := utf8.DecodeRuneInString(a)
	_, m := utf8.DecodeRuneInString(b)
	if a[n:] == b[m:] || a == b[m:] {
		return true
	}
	if len(a) != len(b) || n == len(a) || m == len(b) {
		return false
	}
	_, n2 := utf8.DecodeRuneInString(a[n:])
	_, m2 := utf8.DecodeRuneInString(b[m:])
	return a[:n] == b[m:m+m2] && a[n:n+n2] == b[:m] && a[n+n2:] == b[m+m2:]
}

// JaroWinkler is the measure of Jaro with Winkler's bonus of a tenth for each of up to
// four first letters that agree, where Jaro is over 0.7. Words of up to 64 letters of
// ASCII are compared by the bits of a word of the machine.
//
// Winkler 1990, "String Comparator Metrics and Enhanced Decision Rules in the
// Fellegi-Sunter Model of Record Linkage".
func JaroWinkler(a, b string) float64 {
	if len(a) > 64 || len(b) > 64 || !ascii(a) || !ascii(b) {
		return plainJaroWinkler([]rune(a), []rune(b))
	}
	if len(a) == 0 || len(b) == 0 {
		if len(a) == len(b) {
			return 1
		}
		return 0
	}
	var places [128]uint64 // by letter: where it stands in b
	for i := 0; i < len(b); i++ {
		places[b[i]] |= 1 << i
	}
	window := max(max(len(a), len(b))/2-1, 0)
	var inA, inB uint64
	reach := uint64(1)<<(window+1) - 1 // the places of b that a letter of a may meet
	if window >= 63 {
		reach = ^uint64(0)
	}
	for i := 0; i < len(a); i++ {
		if found := places[a[i]] & reach &^ inB; found != 0 {
			inB |= found & -found
			inA |= 1 << i
		}
		if i < window {
			reach = reach<<1 | 1
		} else {
			reach <<= 1
		}
	}
	matched := bits.OnesCount64(inA)
	if matched == 0 {
		return 0
	}
	moved := 0
	for x, y := inA, inB; x != 0; x, y = x&(x-1), y&(y-1) {
		if a[bits.TrailingZeros64(x)] != b[bits.TrailingZeros64(y)] {
			moved++
		}
	}
	m := float64(matched)
	jaro := (m/float64(len(a)) + m/float64(len(b)) + (m-float64(moved/2))/m) / 3
	return winkler(jaro, func(i int) bool { return i < len(a) && i < len(b) && a[i] == b[i] })
}

func winkler(jaro float64, same func(i int) bool) float64 {
	if jaro <= 0.7 {
		return jaro
	}
	prefix := 0
	for prefix < 4 && same(prefix) {
		prefix++
	}
	return jaro + float64(prefix)*0.1*(1-jaro)
}

// plainJaroWinkler is JaroWinkler letter by letter, for any script and length.
func plainJaroWinkler(a, b []rune) float64 {
	if len(a) == 0 || len(b) == 0 {
		if len(a) == len(b) {
			return 1
		}
		return 0
	}
	window := max(max(len(a), len(b))/2-1, 0)
	inA, inB := make([]bool, len(a)), make([]bool, len(b))
	matched := 0
	for i, r := range a {
		for j := max(0, i-window); j < min(len(b), i+window+1); j++ {
			if !inB[j] && b[j] == r {
				inA[i], inB[j] = true, true
				matched++
				break
			}
		}
	}
	if matched == 0 {
		return 0
	}
	moved, j := 0, 0
	for i, r := range a {
		if !inA[i] {
			continue
		}
		for !inB[j] {
			j++
		}
		if b[j] != r {
			moved++
		}
		j++
	}
	m := float64(matched)
	jaro := (m/float64(len(a)) + m/float64(len(b)) + (m-float64(moved/2))/m) / 3
	return winkler(jaro, func(i int) bool { return i < len(a) && i < len(b) && a[i] == b[i] })
}

func ascii(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}
