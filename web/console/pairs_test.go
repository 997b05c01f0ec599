package console_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"strings"
	"testing"

	"aidpass/access"
	"aidpass/web/console"
)

func init() {
	none := sha256.Sum256(nil)
	forms["POST /organisation/offers"] = url.Values{"offers": {"7"}, "before": {hex.EncodeToString(none[:])}}
	forms["POST /organisation/pairs"] = url.Values{"pairs": {"12"}, "before": {hex.EncodeToString(none[:])}}
}

// How much two accounts approve for each other is a setting; past it a page says who else may.
func TestAPairIsCapped(t *testing.T) {
	w := newWorld(t)
	admin, second, third := w.as(own, access.OrgAdmin), w.as(own, access.OrgAdmin), w.as(own, access.OrgAdmin)
	w.doors[own].Pairs = func(context.Context) (int, error) {
		return console.ReadPairs(w.desks[own].settings[console.SettingPairs])
	}
	for _, bad := range []string{"0", "501", "-1", "999"} {
		if c := admin.post("/organisation/pairs", url.Values{"pairs": {bad}, "before": forms["POST /organisation/pairs"]["before"]}).Code; c != 422 {
			t.Errorf("%s: %d, want 422", bad, c)
		}
	}
	if c := admin.post("/organisation/pairs", url.Values{"pairs": {"1"}, "before": forms["POST /organisation/pairs"]["before"]}).Code; c != 303 {
		t.Fatalf("the setting: %d", c)
	}
	lost := w.add(own, "", access.Registrar).id
	ask := func() string {
		if c := admin.post("/accounts/of/"+lost+"/recover", url.Values{"reason": {"lost"}}).Code; c != 200 {
			t.Fatalf("asking: %d", c)
		}
		open, err := w.doors[own].Open(t.Context(), boss)
		if err != nil || len(open) != 1 {
			t.Fatal(open, err)
		}
		return open[0].ID
	}
	approve := func(b *browser, id string) (int, string) {
		a := b.submit(b.get("/approvals/"+id).Body.String(), "/desk/approvals/"+id+"/approve")
		return a.Code, a.Body.String()
	}
	if c, _ := approve(second, ask()); c != 303 {
		t.Fatalf("the first: %d", c)
	}
	id := ask()
	if c, says := approve(second, id); c != 409 || !strings.Contains(says, "another account with your role") {
		t.Errorf("the second: %d\n%s", c, says)
	}
	if c, _ := approve(third, id); c != 303 {
		t.Errorf("by a third account: %d", c)
	}
}
