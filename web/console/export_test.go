package console

import (
	"fmt"
	"html/template"
)

// Say is T in a language.
func (s *Console) Say(lang, key string, fill ...any) template.HTML {
	return s.say(lang, key, fill...)
}

// ParseObject reads the body of a program's request.
var ParseObject = parseObject

// CannotWord is the word for why a card cannot be changed, "" where there is none.
func CannotWord(why string) string { return cannotWords[why] }

// OnAnswer has wrong called with what a handler of a route for programs answered and the
// route does not name.
func (s *Console) OnAnswer(wrong func(string)) {
	s.gave = func(r *Route, v any) {
		if _, ok := r.given(v); !ok && r.forPrograms() && r.answers() != nil {
			told := fmt.Sprintf("%T", v)
			if kind, ok := v.(sends); ok {
				told = kind[0]
			}
			wrong(fmt.Sprintf("%s %s answers with %s, which its row does not say", r.Method, r.Path, told))
		}
	}
}

// HeldWord is the word for why no card is made, "" where there is none.
func HeldWord(code string) string { return heldWords[code] }
