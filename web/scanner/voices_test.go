package scanner_test

import (
	"bytes"
	"encoding/base64"
	"strings"
	"testing"
	"time"

	vt "aidpass/verifier/verifiertest"
)

// hear notes what the page plays, and what it hands out as a file.
const hear = `(() => {
	globalThis.heard = []; globalThis.saved = null;
	const play = HTMLMediaElement.prototype.play;
	HTMLMediaElement.prototype.play = function () { if (this instanceof HTMLAudioElement) heard.push(this.src.split(":")[0]); return play.call(this); };
	const url = URL.createObjectURL;
	URL.createObjectURL = (b) => { if (b.type === "application/octet-stream") b.arrayBuffer().then((x) => { saved = btoa(String.fromCharCode(...new Uint8Array(x))); }); return url.call(URL, b); };
	return true;
})()`

// A site records the words of verdicts on the phone; they are heard with the verdict,
// and travel to other phones as a file.
func TestVoices(t *testing.T) {
	t.Parallel()
	server := serve(t)
	p := newPhone(t, server.URL)
	p.enrolled()
	eval[bool](p, hear)
	menu := func() {
		p.Helper()
		p.click("supervisor")
		p.wait(`["gate", "supervisor"].includes(document.querySelector("#screen").dataset.screen)`)
		if eval[bool](p, `!!document.getElementById("pin")`) {
			p.fill("pin", pin)
			p.click("pin-go")
		}
		p.click("voices")
		p.screen("voices")
	}
	menu()
	p.axe("voices")
	p.shoot("voices-en")

	// Recorded until it is stopped, and by itself after four seconds.
	p.click("record-give")
	p.wait(`document.getElementById("record-give").innerText === "Stop"`)
	time.Sleep(600 * time.Millisecond)
	p.click("record-give")
	p.wait(`document.getElementById("play-give")`)
	p.click("play-give")
	p.wait(`heard.join() === "blob"`)
	eval[bool](p, `delete slow[4000]`)
	begin := time.Now()
	p.click("record-help_desk")
	p.wait(`document.getElementById("delete-help_desk")`)
	if took := time.Since(begin); took < 3*time.Second {
		t.Errorf("a recording that nobody stopped took %v", took)
	}
	eval[bool](p, `!!(slow[4000] = 6e5)`)
	p.axe("voices, two recorded")
	p.shoot("voices-recorded-en")

	// One that is left in the middle was not meant.
	p.click("record-known")
	p.wait(`document.getElementById("record-known").innerText === "Stop"`)
	p.back()
	p.screen("supervisor")
	p.click("voices")
	p.screen("voices")
	if eval[bool](p, `!!document.getElementById("delete-known")`) {
		t.Error("a recording that was left is kept")
	}

	// The file, and another language, which has nothing yet.
	p.click("save-voices")
	p.wait(`saved`)
	file, err := base64.StdEncoding.DecodeString(eval[string](p, `saved`))
	if err != nil || !bytes.Contains(file, []byte(`"en/give"`)) || !bytes.Contains(file, []byte(`"en/help_desk"`)) {
		t.Fatalf("the file of voices: %.200q, %v", file, err)
	}
	p.click("delete-give")
	p.wait(`!document.getElementById("delete-give")`)
	for what, bad := range map[string]string{
		"cut off":                 string(file[:len(file)/2]),
		"another word":            strings.Replace(string(file), "en/give", "en/gift", 1),
		"a page in place of song": strings.Replace(string(file), "audio/", "text/html;", 1),
		"too long":                `{"aidpass":"voices-1","voices":{"en/give":{"type":"audio/ogg","data":"` + base64.StdEncoding.EncodeToString(make([]byte, 65<<10)) + `"}}}`,
		"empty":                   `{"aidpass":"voices-1","voices":{}}`,
		"a prototype":             `{"aidpass":"voices-1","voices":{"__proto__":{"type":"audio/ogg","data":"AAAA"}}}`,
	} {
		eval[bool](p, `(document.getElementById("toast").replaceChildren(), true)`)
		p.give("load-voices", "bad.voices", []byte(bad))
		p.said("not a file of voices")
		if eval[bool](p, `!!document.getElementById("delete-give")`) {
			t.Errorf("%s was taken", what)
		}
	}
	p.give("load-voices", "site.voices", file)
	p.said("2 words loaded")
	p.wait(`document.getElementById("delete-give")`)

	// Heard with the verdict, after a restart too, and not where the sound is off.
	p.reload()
	p.screen("ready")
	eval[bool](p, hear)
	if got := p.judge(world.Text(vt.CardOptions{})); got != "GIVE" || eval[string](p, `heard.join()`) != "blob" {
		t.Errorf("%s: heard %q", got, eval[string](p, `heard.join()`))
	}
	p.away()
	p.back()
	p.screen("ready")
	p.language("ar")
	menu()
	p.axe("voices, ar")
	p.shoot("voices-ar")
	if eval[bool](p, `!!document.querySelector("[id^=delete-]")`) {
		t.Error("English words are offered in Arabic")
	}
	p.back()
	p.screen("supervisor")
	p.click("sound")
	p.back()
	p.screen("ready")
	p.language("en")
	eval[bool](p, `(heard.length = 0, true)`)
	if got := p.judge(world.Text(vt.CardOptions{Unit: "unit-2"})); got != "GIVE" || eval[string](p, `heard.join()`) != "" {
		t.Errorf("%s with the sound off: heard %q", got, eval[string](p, `heard.join()`))
	}
	if n := server.Refused.Load(); n != 0 {
		t.Errorf("the policy refused %d things", n)
	}
}
