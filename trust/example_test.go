package trust_test

import (
	"fmt"

	"aidpass/trust"
)

// A consortium of three custodians lists an organisation; two of them sign, each
// at their own laptop; a device that pinned the anchors asks for a key.
func Example() {
	custodians := []string{"anchor 1", "anchor 2", "anchor 3"}
	anchors, _ := trust.NewAnchors(2, pub(ed(custodians[0])), pub(ed(custodians[1])), pub(ed(custodians[2])))

	d := trust.NewDraft("https://consortium.example", anchors)
	d.Issued, d.NextUpdate = issued, issued+90*day
	_ = d.AddOrganisation("https://a.example", "CHE", map[string]string{"en": "Aid A"})
	_ = d.AddKey("https://a.example", trust.Key{Key: pub(p256("card")), Use: trust.UseCard, Profile: trust.ProfileCard1,
		NotBefore: issued, NotAfter: issued + 2*year})
	_ = d.Grant("https://a.example", trust.Grant{Types: []string{"https://aidpass.example/elig"}})
	payload, err := d.Encode()
	if err != nil {
		fmt.Println(err)
		return
	}

	one, _ := trust.SignList(payload, ed(custodians[0]))
	two, _ := trust.SignList(payload, ed(custodians[2]))
	raw, _ := trust.Merge([][]byte{one, two})

	list, memory, err := trust.Accept(trust.Memory{Anchors: anchors}, nil, raw)
	if err != nil {
		fmt.Println(err)
		return
	}
	key, reason := list.Find([]byte("https://a.example"), kid(p256("card")), trust.UseCard)
	fmt.Println(memory.Sequence, reason, key.Judge(issued+day, issued+9*day))
	fmt.Println(key.Org.MayIssue([]byte("https://aidpass.example/elig"), []byte("P-7"), "SYR", issued+9*day))
	_, reason = list.Find([]byte("https://b.example"), kid(p256("card")), trust.UseCard)
	fmt.Println(reason)
	// Output:
	// 1 ok ok
	// true
	// issuer_key_mismatch
}
