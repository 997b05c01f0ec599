package main

import (
	"cmp"
	"context"
	"errors"
	"net/url"

	"aidpass/access"
	"aidpass/access/work"
	"aidpass/issuer/records"
	"aidpass/issuer/registry/apart"
	"aidpass/storage"
	"aidpass/web/console"
)

// staffDesk makes the console of the organisation's staff, at /desk/. A screen of it is
// joined here to the desk behind it: one line in Screens, one in acts for an act under
// four eyes, and one in work for what takes long.
func (s *serving) staffDesk() (*console.Console, error) {
	s.door = &access.Door{Store: s.o.store, Now: s.a.Now, Pairs: consoleOrganisation{s}.pairs}
	s.work = &work.Runner{Store: s.o.store, Now: s.a.Now, Log: s.log, Asker: s.door}
	var err error
	if s.imports, err = s.importDesk(); err != nil {
		return nil, err
	}
	s.acts()
	s.kinds()
	signIn, err := s.f.staff.open(s.origin(), s.a.oidc)
	if err != nil {
		return nil, err
	}
	rollcalls, err := s.o.rollcalls()
	if err != nil {
		return nil, err
	}
	return console.New(console.Config{Base: s.origin(), Door: s.door, SignIn: signIn, Jobs: &console.Workshop{Org: s.o.store.ID(), Runner: s.work}, Screens: append([]console.Screen{
		s.peopleScreen(),
		&console.Rechecks{Desk: s.rechecks()},
		&console.Quality{Desk: s.a.qualityDesk(s.o, qualityFlags{}), Work: consoleQuality{s}},
		s.exercisesScreen(rollcalls),
		&console.Programmes{Desk: consoleIssuing{s}, Packs: consoleDevices{s}.Serves},
		&console.Batches{Desk: consoleIssuing{s}, Packs: consoleDevices{s}.Serves, Door: s.door},
		&console.Prints{Desk: consolePrints{s}, Now: s.a.Now},
		&console.Handouts{Desk: consoleHandouts{consolePrints{s}}},
		&console.Cards{Desk: consoleCards{consoleIssuing{s}}, Door: s.door, Now: s.a.Now},
		&console.Faces{Desk: &records.Desk{Store: s.o.store, Country: s.o.entry.Country, Now: s.a.Now}},
		&console.Offers{Desk: consoleCards{consoleIssuing{s}}, Door: s.door, Now: s.a.Now},
		&console.Devices{Desk: consoleDevices{s}, Programmes: consoleIssuing{s}.Programmes, Now: s.a.Now},
		&console.Trust{Desk: consoleTrust{s}, Door: s.door, Now: s.a.Now},
		&console.Imports{Desk: s.imports, Records: s.o.records()},
		&console.Agreements{Desk: s.o.keeper(), Settings: consoleOrganisation{s}, Door: s.door, Now: s.a.Now},
		&console.Exports{Desk: consoleExports{consoleIssuing{s}}},
		&console.Audit{Desk: consoleAudit{s}},
		&console.Reports{Desk: consoleReports{s}, Now: s.a.Now},
		&console.Organisation{Desk: consoleOrganisation{s}, Door: s.door},
	}, s.rightsScreens()...),
		OrgName: func(id string) string { return cmp.Or(s.o.entry.Names["en"], id) },
		Fault:   consoleError, Log: s.log, Now: s.a.Now})
}

// acts says how acts under four eyes are carried out: s.door.Handle(access.BatchApprove, ...).
func (s *serving) acts() {
	s.door.Handle(access.BatchSubmit, consoleIssuing{s}.approving())
	s.door.Handle(access.CardMany, console.ManyExecutor(s.o.entry.ID, consoleCards{consoleIssuing{s}}, s.a.Now))
	s.door.Handle(access.CardReissue, console.ReissueExecutor(s.o.entry.ID, consoleCards{consoleIssuing{s}}))
	// What a second account sees for whom is made by who asked: its secrets are for her alone.
	s.door.Handle(access.OfferMore, access.Executor{Run: func(context.Context, access.Actor, access.Approval) error { return nil }})
	s.door.Handle(access.SettingsLoosen, console.SettingsExecutor(s.o.entry.ID, consoleOrganisation{s}, s.door))
	s.door.Handle(access.TrustWithdrawKey, consoleTrust{s}.withdrawal())
	s.door.Handle(access.ImportSubmit, s.imports.Executor())
	s.door.Handle(access.ImportUndo, s.imports.Undoer())
	s.o.keeper().Handle(s.door)
	s.door.Handle(access.PersonErase, s.remover().Executor())
	s.door.Handle(access.ExerciseSettle, s.o.exercises().Executor())
	s.door.Handle(access.RetentionTerms, s.o.keeper().TermsAct())
}

// kinds says what long work does: s.work.Handle("batch-issue", ...). How a screen starts
// one stands in package access/work.
func (s *serving) kinds() {
	s.work.Handle(importWork, work.Kind{Act: access.ImportSubmit, Word: console.ImportJob, Do: s.writeImport})
	s.work.Handle(issueWork, work.Kind{Act: access.BatchIssue, Word: console.WordIssuing, Do: consoleIssuing{s}.issue})
	s.work.Handle(erasureWork, work.Kind{Act: access.PersonErase, Word: console.ErasureJob, Do: s.erase})
	s.work.Handle(exportWork, work.Kind{Act: access.ExportMake, Word: console.WordExporting, Do: consoleExports{consoleIssuing{s}}.write})
	s.qualityKinds()
	s.work.Handle(duplicatesWork, work.Kind{Act: access.DuplicatesRun, Word: console.WordSearching, Do: s.searchJob})
	s.work.Handle(printWork, work.Kind{Act: access.BatchPrint, Word: console.WordPrinting, Do: consolePrints{s}.print})
}

// begin carries out what two accounts agreed to before the server was stopped, and lets
// long work go on. end waits until that has stopped, when ctx is over.
func (s *serving) begin(ctx context.Context) (end func(), err error) {
	n, err := s.door.Carry(ctx)
	if n > 0 {
		s.log.Info("approved before the stop and carried out now", "acts", n)
	}
	if err != nil { // the server serves all the same: the approvals show what waits
		s.log.Error("what was approved could not be carried out", "code", console.ErrorCode(err))
	}
	return s.work.Wait, s.work.Begin(ctx)
}

// origin is the scheme and host of --base-url, by which links of the console leave this
// server; "" without it, and where that is this machine's own name: whoever is at the desk
// here came by http, where no certificate has to be trusted, and stays there.
func (s *serving) origin() string {
	if s.baseHost() == "localhost" && s.f.staff.issuer == "" {
		return ""
	}
	return originOf(s.f.base)
}

// originOf is the scheme and host of an address, "" where it has none.
func originOf(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// consoleError gives conditions of the store the names that the console answers to.
func consoleError(err error) error {
	if errors.Is(err, storage.ErrBusy) || errors.Is(err, storage.ErrFull) {
		return storeError(err)
	}
	if errors.Is(err, apart.ErrBusy) {
		return console.ErrFull
	}
	return err
}
