package browsertest

import (
	"context"
	"fmt"
	"time"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

var keys = map[string]input.DispatchKeyEventParams{
	"Tab":        {Key: "Tab", Code: "Tab", WindowsVirtualKeyCode: 9},
	"Escape":     {Key: "Escape", Code: "Escape", WindowsVirtualKeyCode: 27},
	"1":          {Key: "1", Code: "Digit1", WindowsVirtualKeyCode: 49, Text: "1"},
	"2":          {Key: "2", Code: "Digit2", WindowsVirtualKeyCode: 50, Text: "2"},
	"3":          {Key: "3", Code: "Digit3", WindowsVirtualKeyCode: 51, Text: "3"},
	"u":          {Key: "u", Code: "KeyU", WindowsVirtualKeyCode: 85, Text: "u"},
	"ArrowRight": {Key: "ArrowRight", Code: "ArrowRight", WindowsVirtualKeyCode: 39},
	"ArrowLeft":  {Key: "ArrowLeft", Code: "ArrowLeft", WindowsVirtualKeyCode: 37},
	"Enter":      {Key: "Enter", Code: "Enter", WindowsVirtualKeyCode: 13, Text: "\r"},
	"ArrowDown":  {Key: "ArrowDown", Code: "ArrowDown", WindowsVirtualKeyCode: 40},
	" ":          {Key: " ", Code: "Space", WindowsVirtualKeyCode: 32, Text: " "},
}

// Press presses a real key: one of those above.
func (p *Page) Press(key string) {
	p.Helper()
	p.down(key)()
}

// HoldKey holds a real key down until an expression is truthy.
func (p *Page) HoldKey(key, until string) {
	p.Helper()
	up := p.down(key)
	p.Wait(until)
	up()
}

// TapKey presses a real key on a button that wants to be held, and lets go too early for
// it, however long the machine takes between the two.
func (p *Page) TapKey(key string) {
	p.Helper()
	Eval[bool](p, `(slow[900] = 6e5, true)`)
	p.Press(key)
	Eval[bool](p, `delete slow[900]`)
}

// down presses a key, and returns what lets it go.
func (p *Page) down(key string) (up func()) {
	p.Helper()
	k := keys[key]
	k.Type = "keyDown"
	_, err := chromedp.Call(p.Ctx, input.DispatchKeyEvent, k)
	p.must(err)
	return func() {
		p.Helper()
		k.Type, k.Text = "keyUp", ""
		_, err = chromedp.Call(p.Ctx, input.DispatchKeyEvent, k)
		p.must(err)
	}
}

// TabTo goes on with the Tab key until the focus is on the element of an id, and fails
// where it cannot be seen on the way.
func (p *Page) TabTo(id string) {
	p.Helper()
	p.Wait(fmt.Sprintf("document.getElementById(%q)", id))
	where := `(() => { const e = document.activeElement, s = getComputedStyle(e);
			return [e.id, e === document.body || e.id === "title" || e.classList.contains("body") || parseFloat(s.outlineWidth) >= 2 && s.outlineStyle !== "none" ? "" : e.outerHTML]; })()`
	for range 60 {
		at := Eval[[]string](p, where)
		for end := time.Now().Add(Patience / 6); at[1] != "" && time.Now().Before(end); time.Sleep(40 * time.Millisecond) {
			at = Eval[[]string](p, where) // a page that has just come is styled a moment later
		}
		if at[1] != "" {
			p.Errorf("the focus cannot be seen on %s", at[1])
		}
		if at[0] == id {
			return
		}
		p.Press("Tab")
	}
	p.Fatalf("the Tab key never comes to %q on screen %q", id, p.Text("#screen"))
}

// Enter presses the Enter key on the element of an id, found by the Tab key.
func (p *Page) Enter(id string) { p.Helper(); p.TabTo(id); p.Press("Enter") }

// Write types into the field of an id, found by the Tab key.
func (p *Page) Write(id, text string) {
	p.Helper()
	p.TabTo(id)
	ctx, cancel := context.WithTimeout(p.Ctx, Patience)
	defer cancel()
	_, err := chromedp.Call(ctx, input.InsertText, input.InsertTextParams{Text: text})
	p.must(err)
}

// EnterFile hands over a file by the field of a selector, at the button of an id
// pressed by key.
func (p *Page) EnterFile(id, selector, name string, content []byte) {
	p.Helper()
	// A real key opens the system's dialog, which nobody here can answer.
	_, err := chromedp.Call(p.Ctx, page.SetInterceptFileChooserDialog, page.SetInterceptFileChooserDialogParams{Enabled: true})
	p.must(err)
	p.Enter(id)
	p.Upload(selector, name, content)
}
