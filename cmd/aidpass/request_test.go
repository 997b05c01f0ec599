package main

import (
	"strings"
	"testing"
	"time"

	"aidpass/credential/dcql"
	"aidpass/schemas"
	"aidpass/verifier/request"
	"aidpass/words"
)

// What came of a request is told in the words of the verdict, in every language.
func TestARequestIsToldInTheWordsOfTheTable(t *testing.T) {
	now := time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
	elig := schemas.ByName("eligibility")
	answered := func(status request.Status, o *request.Outcome) *request.Transaction {
		tr := &request.Transaction{Outcome: o, Purpose: map[string]string{"en": "To see"},
			Query: &dcql.Query{Credentials: []dcql.Credential{{ID: "eligibility", Format: dcql.FormatSDJWT}}}}
		tr.Status, tr.Created, tr.Expires = status, now, now.Add(time.Minute)
		return tr
	}
	shown := func(reason words.Reason) *request.Outcome {
		row := words.For(reason, false)
		return &request.Outcome{At: now, Answer: row.Answer, Word: row.Word, Reason: string(reason), Credentials: []request.Presented{{ID: "eligibility", Type: elig.VCT,
			Issuer: "https://relief-a.example/i1", Answer: row.Answer, Word: row.Word, Reason: reason, Further: []words.Reason{words.StatusStale}, Claims: []byte(`{"round":3,"name":"A\u001b[2J"}`)}}}
	}
	for _, tag := range words.Tags() {
		say, _ := words.Language(tag)
		tell := func(tr *request.Transaction) string {
			var b strings.Builder
			writeRequest(&b, tr, say, now)
			return b.String()
		}
		for _, reason := range []words.Reason{words.OK, words.Revoked, words.WrongRound} {
			text := tell(answered(request.Shown, shown(reason)))
			for _, want := range []string{say.Word(words.For(reason, false).Word), say.Sentence(reason), elig.Label(tag), say.Sentence(words.StatusStale)} {
				if !strings.Contains(text, want) {
					t.Errorf("%s %s: no %q in\n%s", tag, reason, want, text)
				}
			}
			for _, english := range []string{" from ", "also ", "asked for", "nothing but", "deleted after", "revocations", "was collected", "{"} {
				if tag != "en" && strings.Contains(text, english) {
					t.Errorf("%s: %q in\n%s", tag, english, text)
				}
			}
			if strings.ContainsRune(text, '\x1b') {
				t.Errorf("%s: a claim moves the cursor", tag)
			}
		}
		text := tell(answered(request.Refused, &request.Outcome{Reason: string(words.KBWrongNonce)}))
		if !strings.Contains(text, say.Word(words.For(words.KBWrongNonce, false).Word)) || !strings.Contains(text, say.Sentence(words.KBWrongNonce)) {
			t.Errorf("%s: a replay is told as\n%s", tag, text)
		}
	}
	for tag, own := range requestWords {
		for key := range requestWords["fr"] {
			if own[key] == "" && tag != "en" { // what English says of reasons stands in package request
				t.Errorf("%s: %q is not said", tag, key)
			}
		}
	}
	say, _ := words.Language("en")
	for reason, status := range map[string]request.Status{request.Mismatch: request.Refused, request.HolderMismatch: request.Refused, "access_denied": request.Denied, "invalid_client": request.Denied} {
		if s := sentence(reason, say); s == "" || s == say.Sentence("no such reason") {
			t.Errorf("%s %s: %q", reason, status, s)
		}
	}
}
