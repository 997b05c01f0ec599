package console

import (
	"fmt"
	"html/template"
	"strings"

	"aidpass/access"
)

// Act says an act of the table or of the log, as "card.revoke", in words: what it is about,
// and what is done with it. A part without a word stands as it is.
func (p *Page) Act(act any) template.HTML {
	noun, verb, _ := strings.Cut(fmt.Sprint(act), ".")
	say := func(family, part string) any {
		if p.Says(family + part) {
			return p.T(family + part)
		}
		return part
	}
	return p.T("acts.line", "noun", say("acts.noun_", noun), "verb", say("acts.verb_", verb))
}

// Legend is the table of permissions, for who reads the log.
func (auditData) Legend() []access.Rule { return access.Rules() }
