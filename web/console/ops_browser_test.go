package console_test

import (
	"fmt"
	"testing"
	"time"

	"aidpass/access"
	"aidpass/credential"
	"aidpass/internal/browsertest"
	"aidpass/issuer/recheck"
	"aidpass/issuer/registry/rights"
	"aidpass/trust"
	"aidpass/verifier/verifiertest"
)

// The screens of devices, trust, log and reports, in a language of each direction: nothing
// shuts anybody out, nothing runs out of a phone's page, and the policy refuses nothing.
func TestTheOfficeIsOpenToEverybody(t *testing.T) {
	t.Parallel()
	for _, lang := range []string{"en", "ar"} {
		t.Run(lang, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			w := d.w
			lead := w.add(own, "lead", access.OrgAdmin, access.DistributionLead, access.DataProtection)
			in, err := w.doors[own].Session(w.Context(), lead.token)
			if err == nil {
				err = w.doors[own].SetLanguage(w.Context(), in, lang)
			}
			if err != nil {
				t.Fatal(err)
			}
			waits, used := w.device(own, access.DevicePending), w.device(own, access.DeviceConfirmed)
			w.desks[own].devices[1].FrozenFrom, w.desks[own].devices[1].FrozenAt = 7, now
			w.desks[own].devices[1].ListsAt = credential.FromStd(now.Add(-9 * 24 * time.Hour))
			for i := range 60 {
				w.desks[own].log = append(w.desks[own].log, access.Entry{Seq: uint64(i + 1), Time: now, Actor: access.Actor{ID: "amina", Role: access.Registrar, SecondPerson: "omar"},
					Action: "record.read", Object: "6f2c8d0e9b1a4c3d8e7f60514233a1b2", Detail: "rows=1", Reason: "شكوى"})
			}
			agreed := w.agreement(own, func(*rights.Agreement) {})
			partner, seen := w.add(own, "ministry", access.Partner), w.person(own, "أمينة يوسف").String()
			w.of(partner).get("/people/" + seen)
			if _, _, err := w.rightsOf(own).Withdraw(w.Context(), clerk, w.person(own, "Amina Yusuf"), "", ""); err != nil {
				t.Fatal(err)
			}
			visit := w.household(own)
			w.member(own, visit, "أمينة يوسف", "1987-05-12")
			drawn := w.draw(own, visit)
			for i := range 10 {
				id := w.draw(own, w.household(own))
				if err := w.drawn(own).AnswerRecheck(w.Context(), walker, id, recheck.Answers()[i%3], "seen there"); err != nil {
					t.Fatal(err)
				}
			}
			d.as(lead)
			for _, at := range []struct{ name, path string }{{"devices", "/devices"}, {"devices-none", "/devices?site=NONE"}, {"device-new", "/devices/new"}, {"device-waits", "/devices/of/" + deviceID(waits)},
				{"device-copied", "/devices/of/" + deviceID(used)}, {"pack", "/devices/pack"}, {"trust", "/trust"}, {"trust-key", "/trust/keys/" + keyID(consortium.A.Card.Key)},
				{"audit", "/audit"}, {"audit-none", "/audit?by=nobody"}, {"audit-proof", "/audit/proof"}, {"audit-work", "/audit/work"}, {"rechecks", "/rechecks"}, {"recheck", "/rechecks/of/" + drawn}, {"reports", "/reports"}, {"organisation", "/organisation"},
				{"agreements", "/agreements"}, {"agreement", "/agreements/of/" + agreed.ID}, {"agreement-shared", "/agreements/of/moi-2026"}, {"agreement-new", "/agreements/new"}, {"exports", "/exports"}, {"export-made", "/exports/of/" + makers["export"](w, own, w.of(lead))}} {
				d.open(at.path)
				d.look(lang, at.name)
			}
			d.open("/devices")
			d.give("/devices/code", "", nil, map[string]string{"site": "WELL-A"})
			d.Wait(`document.body?.dataset.page === "device_code"`)
			d.look(lang, "device-code")
			d.give("/devices/key", "key", requestOf(t, phoneKey(t), "tab-7"), map[string]string{"site": "WELL-A"})
			d.Wait(`document.body?.dataset.page === "device_words"`)
			d.look(lang, "device-words")
			d.give("/trust/compare", "list", consortium.TrustList(verifiertest.TrustOptions{Sequence: 6, Edit: func(l *trust.Draft) {
				if err := l.RemoveOrganisation(consortium.B.ID); err != nil {
					t.Error(err)
				}
			}}), nil)
			d.Wait(`document.body?.dataset.page === "trust_compare"`)
			d.look(lang, "trust-compare")
			d.open("/audit/proof")
			d.submit("/audit/checkpoint")
			d.Wait(`document.body?.dataset.page === "audit_checkpoint"`)
			d.look(lang, "audit-checkpoint")
			d.open("/audit/proof")
			d.submit("/audit/proof")
			d.Wait(`document.querySelector("#whole, #broken")`)
			d.look(lang, "audit-proved")
			d.open("/reports")
			d.Media("forced-colors", "active")
			d.Axe(lang+" reports, forced colours", "color-contrast")
			if got := browsertest.Eval[string](d.Page, `getComputedStyle(document.querySelector(".chart .bar")).fill + getComputedStyle(document.querySelector(".chart .label")).fill`); got == "" || got == browsertest.Eval[string](d.Page, `getComputedStyle(document.body).backgroundColor.repeat(2)`) {
				t.Errorf("in forced colours bars and words are %q", got)
			}
			d.Media("forced-colors", "none")
			// The bars begin where the language does, and stay within the drawing.
			if !browsertest.Eval[bool](d.Page, fmt.Sprintf(`(() => {
				const svg = document.querySelector(".chart"), frame = svg.getBoundingClientRect(), rtl = %v;
				return [...svg.querySelectorAll(".bar, text")].every((e) => { const r = e.getBoundingClientRect(); return r.left >= frame.left - 1 && r.right <= frame.right + 1; })
					&& [...svg.querySelectorAll(".bar, .label")].every((e) => { const r = e.getBoundingClientRect(); return Math.abs(rtl ? frame.right - r.right : r.left - frame.left) < 4; });
			})()`, lang == "ar")) {
				t.Error("a bar or a word of a chart is not where it belongs")
			}
			d.as(partner)
			d.open("/people/" + seen)
			browsertest.Eval[bool](d.Page, fmt.Sprintf(`(document.querySelector("[name=lang][value=%s]").click(), true)`, lang))
			d.Wait(fmt.Sprintf(`document.documentElement?.lang === %q && document.readyState === "complete"`, lang))
			d.look(lang, "person-told")
			if n := d.reports(); n != 0 {
				t.Errorf("the policy refused %d things", n)
			}
		})
	}
}

// By the keyboard alone: a phone's words are compared, and it is confirmed.
func TestADeviceByKeyboardAlone(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	waits := d.w.device(own, access.DevicePending)
	d.as(d.w.add(own, "lead", access.DistributionLead))
	d.open("/devices/of/" + deviceID(waits))
	browsertest.Eval[bool](d.Page, `(document.querySelector("[name=same]").focus(), true)`)
	d.Press(" ")
	d.Enter("confirm")
	d.Wait(`document.querySelector("[role=status]")?.innerText.includes("is confirmed")`)
	if got := d.w.desks[own].told; len(got) != 1 {
		t.Errorf("the desk was told %q", got)
	}
}
