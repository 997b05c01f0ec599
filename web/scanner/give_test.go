package scanner_test

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"strings"
	"testing"

	"aidpass/credential/cwt"
	"aidpass/internal/cose"
	"aidpass/trust"
	"aidpass/verifier"
	vt "aidpass/verifier/verifiertest"
	"aidpass/verifier/visit"
)

const operatorCode = "4711-0815"

// drawn is a picture of nobody, another one for each shade.
func drawn(t *testing.T, shade uint8) []byte {
	t.Helper()
	m := image.NewRGBA(image.Rect(0, 0, 120, 160))
	for y := range 160 {
		for x := range 120 {
			m.SetRGBA(x, y, color.RGBA{shade, uint8(90 + y/2), uint8(200 - x), 255})
		}
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func unitRow(unit string) verifier.Row {
	return verifier.Row{Issuer: world.A.ID, Programme: vt.Programme, Round: 3, Pseudonym: cwt.Pseudonym([]byte("programme"), []byte(unit))}
}

// sealedPack is the site's pack with tables, an expected list and photos that this
// phone opens with the operator's code, or with another one.
func sealedPack(t *testing.T, key *cose.Key, sequence uint64, face []byte, instead ...string) []byte {
	t.Helper()
	operator := append(instead, operatorCode)[0]
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	codes := verifier.Codes{
		Programmes: map[string]verifier.ProgrammeCodes{
			vt.Programme: {Names: map[string]string{"en": "Family parcel", "ar": "طرد عائلي"}, Tables: []verifier.DueTable{{Round: 3, Lines: []verifier.Line{
				{Code: "RICE", Amount: "10.00", Unit: "kg"}, {Code: "OIL", Amount: "2", Unit: "l"}}}}},
			"M4TX": {Names: map[string]string{"en": "Shelter kit", "ar": "مأوى"}},
		},
		Labels: map[string]map[string]string{"RICE": {"en": "Rice", "ar": "أرز"}, "OIL": {"en": "Cooking oil", "ar": "زيت طعام"}},
	}
	amina := unitRow("unit-1")
	amina.Names, amina.Collectors, amina.Size = []string{"Amina Yusuf", "أمينة يوسف"}, []string{"Omar Yusuf"}, 6
	amina.Check, amina.PhotoKey = verifier.RowPhoto, verifier.PhotoKey(face)
	bol, twice, other, wrong := unitRow("unit-2"), unitRow("unit-3"), unitRow("unit-3"), unitRow("unit-4")
	bol.Names, bol.Check = []string{"Bol Deng"}, verifier.RowWitness
	other.Programme, other.Round = "M4TX", 1
	other.Lines = []verifier.Line{{Amount: "2400.00", Unit: "KES"}}
	wrong.PhotoKey = amina.PhotoKey
	var list verifier.ListWriter
	for _, r := range []*verifier.Row{&amina, &bol, &twice, &other, &wrong} {
		check(list.Add(r))
	}
	o := vt.PackOptions{Sequence: sequence, Policy: &verifier.Policy{Country: "KEN", ShowFor: 90, Programmes: map[string][]verifier.Round{
		vt.Programme: {{N: 3, Opens: vt.Made - 86400, Closes: vt.Made + 60*86400}, {N: 4, Opens: vt.Made + 60*86400, Closes: vt.Made + 90*86400}},
		"M4TX":       {{N: 1, Opens: vt.Made - 86400, Closes: vt.Made + 60*86400}}}}}
	add := func(kind verifier.PartKind, name string, plain []byte, err error) {
		t.Helper()
		check(err)
		p := verifier.Part{Owner: world.A.ID, Kind: kind, Name: name, Sequence: sequence}
		p.Data, err = verifier.SealPackPart(world.Content, world.A.ID, vt.Site, verifier.Part{Owner: p.Owner, Kind: kind, Name: name, Sequence: sequence, Data: plain}, rand.Reader)
		check(err)
		o.More = append(o.More, p)
	}
	b, err := codes.Encode()
	add(verifier.PartCodes, "codes", b, err)
	b, err = list.Encode()
	add(verifier.PartExpected, "list", b, err)
	b, err = verifier.EncodePhotos([][]byte{face})
	add(verifier.PartPhotos, "photos", b, err)
	device, err := key.ECDH()
	check(err)
	box, err := verifier.LockAudiences(&verifier.Unlocked{ContentKey: world.Content}, world.A.ID, vt.Site, device, []byte(operator), rand.Reader)
	check(err)
	o.More = append(o.More, verifier.Part{Owner: world.A.ID, Kind: verifier.PartAudience, Name: "phone", Sequence: sequence, Data: box},
		verifier.Part{Owner: world.A.ID, Kind: verifier.PartDevice, Name: "phone-01", Sequence: sequence, Data: world.DeviceCert(func(c *trust.DeviceCertificate) {
			c.Key, c.DeviceID, c.Block, c.Ceiling = key, []byte("phone-01"), nil, "c1"
		})})
	return world.Pack(o)
}

// loaded takes a pack on the lists screen and comes back to Ready.
func (p *phone) loaded(pack []byte) {
	p.Helper()
	p.click("lists")
	p.give("update", "new.pack", pack)
	p.wait(`document.documentElement.lang !== "en" && document.getElementById("toast").innerText || document.getElementById("toast").innerText.includes("The newer lists of")`)
	p.back()
	p.screen("ready")
}

// scanned is what a hand-held scanner types, and the verdict it comes to.
func (p *phone) scanned(text string) string {
	p.Helper()
	p.Change(func() { p.typed(text) })
	p.screen("verdict")
	return p.text("#title")
}

// number types a printed number on its own screen.
func (p *phone) number(unit string) {
	p.Helper()
	n, err := cwt.CardNumber(unitRow(unit).Pseudonym)
	if err != nil {
		p.Fatal(err)
	}
	if eval[string](p, `document.querySelector("#screen").dataset.screen`) != "scan" {
		p.click("scan")
		p.screen("scan")
	}
	p.click("type")
	p.fill("number", strings.ToLower(n[:4]+" "+n[4:]))
	p.click("look")
}

func (p *phone) unlocked() {
	p.Helper()
	p.click("unlock")
	p.fill("code", operatorCode)
	p.click("unlock-go")
	p.screen("verdict")
}

func (p *phone) last(key *cose.Key) visit.Visit {
	p.Helper()
	j := p.readJournal(key)
	return j.Visits[len(j.Visits)-1]
}

// quick is enrolled with a pack that is made for its key.
func (p *phone) quick(pack func(*cose.Key) []byte) *cose.Key {
	p.Helper()
	key := p.enrolled()
	p.loaded(pack(key))
	return key
}

// photoCard is a card of unit that binds face.
func photoCard(unit string, face []byte) string {
	id := sha256.Sum256([]byte(unit + "eligibility")) // as the world makes it
	h := cwt.PhotoHash(id[:10], face)
	return world.Text(vt.CardOptions{Unit: unit, Plain: map[string]any{"programme": vt.Programme, "round": int64(3), "size_band": "4-5",
		"collector_rule": "holder_or_alternate", "assurance": "document", "photo_hash": h[:]}})
}

// gated goes through the supervisor's door where it is not open yet.
func (p *phone) gated(to string) {
	p.Helper()
	p.wait(fmt.Sprintf(`["gate", %q].includes(document.querySelector("#screen").dataset.screen)`, to))
	if eval[string](p, `document.querySelector("#screen").dataset.screen`) == "gate" {
		p.fill("pin", pin)
		p.click("pin-go")
	}
	p.screen(to)
}

// menu is behind the supervisor's door.
func (p *phone) menu() {
	p.Helper()
	p.click("supervisor")
	p.gated("supervisor")
}

// fits fails where a person would have to scroll.
func (p *phone) fits(where string) {
	p.Helper()
	eval[bool](p, `(document.getElementById("toast").className = "", true)`) // it goes by itself
	if over := eval[float64](p, `document.querySelector(".body").scrollHeight - document.querySelector(".body").clientHeight`); over > 0 {
		p.Errorf("%s: %v pixels are below the edge", where, over)
	}
}

// From a locked list to what was left due, and to whoever says that she got nothing.
func TestWhatToGive(t *testing.T) {
	t.Parallel()
	face := drawn(t, 40)
	p := newPhone(t, serve(t).URL)
	key := p.quick(func(k *cose.Key) []byte { return sealedPack(t, k, 9, face) })
	card := photoCard("unit-1", face)

	if got := p.scanned(card); got != "GIVE" || p.text("#locked") == "" || p.text("#due") != "" {
		t.Fatalf("with sealed lists: %q, told %q, due %q", got, p.text("#locked"), p.text("#due"))
	}
	p.shoot("give-locked-en")
	p.axe("give, locked")
	p.unlocked()
	p.wait(`document.getElementById("face")?.naturalWidth`)
	url := eval[string](p, `document.getElementById("face").src`)
	due := strings.Join(strings.Fields(p.text("#due")), " ")
	if due != "10 kg Rice 2 l Cooking oil" {
		t.Errorf("to give: %q", due)
	}
	if body := p.text("#screen"); strings.Contains(body, "Amina") || strings.Contains(body, "Omar") {
		t.Errorf("a name that nobody asked for: %q", body)
	}
	p.fits("give, en")
	p.shoot("give-en")
	p.axe("give")
	p.hold("give")
	p.wait(`document.getElementById("toast").innerText.includes("how the person was checked")`)
	if n := len(p.readJournal(key).Visits); n != 1 {
		t.Errorf("%d records before the face was looked at", n)
	}
	p.click("show-name")
	p.wait(`document.getElementById("names")?.innerText.includes("Amina Yusuf")`)
	if v := p.last(key); v.Code != "name_shown" || v.Kind != visit.Note || v.Given != "" {
		t.Errorf("the look at the name: %+v", v)
	}
	p.shoot("give-names-en")
	p.click("face-fits")
	eval[bool](p, `(() => { const s = document.getElementById("who"); s.value = "2"; s.dispatchEvent(new Event("change")); return true })()`)
	p.click("other")
	p.screen("amounts")
	p.shoot("give-amounts-en")
	p.axe("amounts")
	p.fill("amount-0", "70.5")
	p.hold("give")
	p.wait(`document.getElementById("toast").innerText.includes("More than is due")`)
	p.fill("amount-0", "7.7")
	p.hold("give")
	p.screen("scan")
	if v := p.last(key); v.Kind != visit.Partial || v.Given != "RICE=7.7 kg;OIL=2 l" || v.Rest != "RICE=2.3 kg" || v.By != visit.Alternate || fmt.Sprint(v.Checks) != "[1]" {
		t.Errorf("recorded: %+v", v)
	}
	if alive := eval[bool](p, fmt.Sprintf(`new Promise((done) => { const i = new Image(); i.onload = () => done(true); i.onerror = () => done(false); i.src = %q })`, url)); alive {
		t.Error("the photo can still be looked at after the verdict has closed")
	}
	p.back()
	p.screen("ready")
	p.language("ar")
	if got := p.scanned(card); got != "أكمل التسليم" && eval[string](p, `document.querySelector("#screen").dataset.word`) != "give_rest" {
		t.Fatalf("after a part: %q", got)
	}
	p.wait(`document.getElementById("face")?.naturalWidth`)
	if got := strings.Join(strings.Fields(p.text("#due")), " "); !strings.HasSuffix(got, "kg أرز") || strings.Contains(got, "زيت") {
		t.Errorf("still due: %q", got)
	}
	p.fits("give the rest, ar")
	p.shoot("give-rest-ar")
	p.axe("give the rest, ar")
	p.click("witness")
	p.hold("give")
	p.screen("scan")
	if v := p.last(key); v.Kind != visit.Collection || v.Given != "RICE=2.3 kg" || v.Code != visit.CodeRest || fmt.Sprint(v.Checks) != "[3]" {
		t.Errorf("recorded: %+v", v)
	}
	p.back()
	p.screen("ready")
	p.language("en")

	// She says that she got nothing: once under the ceiling of one, then no more.
	for n, want := range []string{"0 of 1", "1 of 1"} {
		if got := p.scanned(card); got != "ALREADY COLLECTED" {
			t.Fatalf("after all: %q", got)
		}
		if text := p.text(".body"); strings.Contains(text, "KAK") || strings.Contains(text, "Amina") || p.text("#due") != "" {
			t.Errorf("told too much: %q", text)
		}
		p.fits("collected, en")
		p.click("complaint")
		p.screen("complaint")
		p.axe("complaint")
		p.click("emergency")
		p.gated("override")
		if got := p.text("#ceiling"); !strings.Contains(got, want) || !strings.Contains(got, "c1") {
			t.Errorf("the ceiling: %q, want %q", got, want)
		}
		p.shoot(fmt.Sprintf("emergency-%d-en", n))
		p.axe("emergency")
		if n == 1 {
			if eval[bool](p, `!!document.getElementById("give")`) {
				t.Error("above the ceiling one can still give")
			}
			p.click("next")
			p.screen("scan")
			break
		}
		p.click("witness")
		p.hold("give")
		p.screen("scan")
		if v := p.last(key); v.Kind != visit.Collection || v.Code != "override:emergency" {
			t.Errorf("recorded: %+v", v)
		}
		p.back()
		p.screen("ready")
	}
	p.back()
	p.click("history")
	p.screen("history")
	p.shoot("give-history-en")
	p.axe("history")
	if log := p.text(".log"); !strings.Contains(log, "Emergency ration") || !strings.Contains(log, "2.3 kg") || strings.Contains(log, "Amina") {
		t.Errorf("the history: %q", log)
	}
}

// A typed number finds the row, a check and the supervisor open the recording.
func TestATypedNumberFindsTheRow(t *testing.T) {
	t.Parallel()
	face := drawn(t, 40)
	p := newPhone(t, serve(t).URL)
	key := p.quick(func(k *cose.Key) []byte { return sealedPack(t, k, 9, face) })

	p.number("unit-2")
	p.screen("verdict")
	if p.text("#title") != "HELP DESK" || p.text("#locked") == "" {
		t.Errorf("a number with sealed lists: %q, %q", p.text("#title"), p.text("#locked"))
	}
	p.unlocked()
	if got := strings.Join(strings.Fields(p.text("#due")), " "); p.text("#title") != "HELP DESK" || got != "10 kg Rice 2 l Cooking oil" {
		t.Errorf("a number: %q, %q", p.text("#title"), got)
	}
	if eval[bool](p, `!!document.getElementById("give")`) {
		t.Error("a number alone can be given on")
	}
	if got := p.text("#todo"); !strings.Contains(got, "is found") {
		t.Errorf("with its row before the eyes: %q", got)
	}
	p.fits("number, en")
	p.shoot("number-en")
	p.axe("number")
	p.click("record-number")
	p.wait(`document.getElementById("toast").innerText.includes("how the person was checked")`)
	p.click("witness")
	p.click("record-number")
	p.gated("number")
	p.shoot("number-record-en")
	p.axe("number, recording")
	p.hold("give")
	p.screen("scan")
	row := unitRow("unit-2")
	if v := p.last(key); v.Ledger != row.Ledger() || v.Code != "number_only" || v.Card != nil || fmt.Sprint(v.Checks) != "[3]" || v.Given != "RICE=10 kg;OIL=2 l" {
		t.Errorf("recorded: %+v", v)
	}
	p.number("unit-2")
	p.wait(`document.querySelector("#screen").dataset.word === "already_collected"`)
	p.click("next")

	p.number("unit-3") // of two programmes
	p.screen("which")
	p.shoot("number-which-en")
	p.axe("which programme")
	if got := p.text(".menu"); !strings.Contains(got, "Family parcel") || !strings.Contains(got, "Shelter kit") {
		t.Errorf("which of two: %q", got)
	}
	eval[bool](p, `([...document.querySelectorAll(".menu button")].find((b) => b.innerText.includes("Shelter")).click(), true)`)
	p.screen("verdict")
	if got := strings.Join(strings.Fields(p.text("#due")), " "); got != "2,400 KES" {
		t.Errorf("the second programme: %q", got)
	}
	p.click("next")
	p.number("unit-9")
	p.wait(`document.getElementById("no-row")`)
	p.click("next")

	// A card whose photo is another one: nothing is shown of it.
	p.back()
	p.screen("ready")
	if got := p.scanned(photoCard("unit-4", drawn(t, 200))); got != "GIVE" {
		t.Fatal(got)
	}
	if eval[bool](p, `!!document.getElementById("face")`) || p.text("#photo-other") == "" {
		t.Errorf("a photo that is not the card's: %q", p.text(".body"))
	}
	p.shoot("photo-other-en")
	p.click("not-person")
	p.screen("not-person")
	p.shoot("not-person-en")
	p.axe("not this person")
	p.click("witness-speaks")
	p.screen("verdict")
	if got := eval[string](p, `document.getElementById("witness").getAttribute("aria-pressed")`); got != "true" {
		t.Errorf("the witness who spoke: %q", got)
	}

	// Nobody looks: the verdict goes.
	eval[bool](p, `(Object.defineProperty(document, "hidden", { value: true, configurable: true }), document.dispatchEvent(new Event("visibilitychange")), delete document.hidden, true)`)
	p.screen("scan")
	p.back()
	p.screen("ready")

	// KNOWN opens with a yes, and closes with a no as good as it.
	if got := p.scanned(world.Text(vt.CardOptions{Type: "registration"})); got != "KNOWN" {
		t.Fatal(got)
	}
	p.fits("known, en")
	p.click("known")
	p.screen("consent")
	if strings.Contains(p.text("#screen"), "Amina") {
		t.Error("the name before consent")
	}
	p.shoot("consent-en")
	p.axe("consent")
	p.click("consent-yes")
	p.screen("person")
	if v := p.last(key); v.Code != "consent_yes" || v.Kind != visit.Note || v.Card == nil {
		t.Errorf("recorded: %+v", v)
	}
	if !strings.Contains(p.text("#person"), "Amina Yusuf") {
		t.Errorf("the person: %q", p.text("#person"))
	}
	p.shoot("person-en")
	p.axe("person")
	p.click("next")
	p.screen("scan")
	p.back()
	p.screen("ready")

	// Ten minutes in which nobody touched the phone.
	eval[bool](p, `(sessionStorage.setItem("shift", "660"), document.dispatchEvent(new Event("visibilitychange")), true)`)
	p.wait(`document.getElementById("toast").innerText.includes("operator's code opens them")`)
	p.scanned(world.Text(vt.CardOptions{Unit: "unit-5"}))
	if p.text("#locked") == "" || p.text("#due") != "" {
		t.Errorf("after ten idle minutes: %q", p.text(".body"))
	}
}

// Practice shows the same screens, with what to give and a drawn face.
func TestPracticeTellsWhatToGive(t *testing.T) {
	t.Parallel()
	p := newPhone(t, serve(t).URL)
	p.enrolled()
	for _, lang := range []string{"en", "ar"} {
		p.language(lang)
		p.click("practice")
		for i, word := range []string{"give", "give_rest"} {
			p.click(fmt.Sprintf("demo-%d", i))
			p.wait(fmt.Sprintf(`document.querySelector("#screen").dataset.word === %q`, word))
			p.wait(`document.getElementById("face")?.naturalWidth && document.querySelectorAll("#due li").length`)
			p.shoot("practice-" + word + "-" + lang)
			p.click("next")
			p.screen("practice")
		}
		p.back()
		p.screen("ready")
	}
}
