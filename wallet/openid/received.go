package openid

import (
	"aidpass/credential"
	"aidpass/wallet"
)

// Received turns what came of an offer into what a wallet keeps. source is the
// credential issuer, names what it is called.
func Received(list []Issued, source string, names []wallet.Text) []wallet.Received {
	var out []wallet.Received
	for _, i := range list {
		c := &i.Configuration
		r := wallet.Received{Source: source, IssuerNames: names, Issuer: i.Issuer, IssuerKey: i.IssuerKey, Form: formOf(c.Format), Type: i.Type,
			Names: c.Names, Labels: c.Labels, Colour: c.Colour, TextColour: c.TextColour}
		for _, copy := range i.Copies {
			r.Texts = append(r.Texts, copy.Text)
		}
		out = append(out, r)
	}
	return out
}

func formOf(format string) credential.Form {
	switch format {
	case FormatVCJWT:
		return credential.FormVCJWT
	case FormatCard:
		return credential.FormBound
	}
	return credential.FormSDJWT
}
