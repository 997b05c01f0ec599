package console

import "html/template"

// Say is T in a language.
func (s *Console) Say(lang, key string, fill ...any) template.HTML {
	return s.say(lang, key, fill...)
}

// ParseObject reads the body of a program's request.
var ParseObject = parseObject

// CannotWord is the word for why a card cannot be changed, "" where there is none.
func CannotWord(why string) string { return cannotWords[why] }
