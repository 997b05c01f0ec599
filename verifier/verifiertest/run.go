//go:build !js

package verifiertest

import (
	"aidpass/internal/cose"
	"aidpass/verifier"
	"aidpass/verifier/token"
	"aidpass/verifier/visit"
	"aidpass/words"
)

// Judge answers c as a caller of the Go package would.
func (w *World) Judge(c *Case) verifier.Result { return w.judge(c, token.Reader{}) }

// JudgeCards is Judge by a core that reads no wallet credentials.
func (w *World) JudgeCards(c *Case) verifier.Result { return w.judge(c, nil) }

func (w *World) judge(c *Case, tokens verifier.Tokens) verifier.Result {
	in := verifier.Inputs{At: c.At, Challenge: c.Challenge, PIN: c.PIN, Tokens: tokens}
	if c.Challenge != nil {
		in.Asked = must(verifier.ReadChallenge(c.Challenge)).At
	}
	if c.Nonce != "" {
		in.Binding = &verifier.Binding{Audience: c.Audience, Nonce: c.Nonce}
	}
	if c.State != nil {
		in.Floors = must(verifier.DecodeFloors(c.State))
	}
	if c.Pack != nil {
		p, floors, err := verifier.OpenPack(c.Pack, in.Floors, c.At)
		in.Floors = floors
		if err != nil {
			in.PackRefused = err.(*verifier.PackError).Reason
		} else {
			in.Pack = p
		}
	}
	if len(c.Journals) > 0 && in.Pack != nil {
		var js visit.Journals
		for _, raw := range c.Journals {
			js = append(js, must(visit.Read(raw, in.Pack.JournalKey)))
		}
		in.Uses = js
	}
	if c.Unlock && in.Pack != nil {
		in.Unlock = must(in.Pack.Unlock(must(cose.NewRecipient(w.DeviceECDH())), w.Code))
	}
	return verifier.Verify(c.Text, in)
}

// Reached lists the reasons that lead somewhere among the cases.
func Reached(cases []Case) map[words.Reason]bool {
	out := map[words.Reason]bool{}
	for _, c := range cases {
		out[c.Want] = true
	}
	return out
}
