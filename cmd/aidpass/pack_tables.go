package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"aidpass/credential/cwt"
	"aidpass/issuer"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/photo"
	"aidpass/schemas"
	"aidpass/status"
	"aidpass/verifier"
	"aidpass/web/console"
)

const (
	// packPhotoBytes is what a photo in a pack has: a face on a phone's screen.
	packPhotoBytes = 24 << 10
	// maxPackPhotos is what all of them have: the rest of the file is for lists.
	maxPackPhotos = 48 << 20
	// tableBatch is how many units are read in one transaction.
	tableBatch = 500
)

// packTables gathers what the pack's sealed parts say of the programmes and rounds
// that the policy serves by name: what is due, and who of the holders of good cards is
// expected. Nothing is gathered where no device would open it.
type packTables struct {
	*packBuild
	codes  verifier.Codes
	list   verifier.ListWriter
	photos map[string][]byte // by verifier.PhotoKey
	bytes  int               // of photos
	full   int               // rows whose photo did not fit any more

	programme registry.Programme
	due       dueTables
}

// tableParts adds the sealed parts' contents to b.sealed; sealParts seals them.
func (b *packBuild) tableParts(ctx context.Context) error {
	if len(b.programmes) == 0 {
		return nil // nobody was named whose names the site needs
	}
	if b.f.unlock == "" || len(b.f.devices)+len(b.f.enrolled) == 0 {
		b.unsealed()
		return nil
	}
	t := &packTables{packBuild: b, photos: map[string][]byte{}}
	t.codes = verifier.Codes{Programmes: map[string]verifier.ProgrammeCodes{}}
	if err := t.labels(); err != nil {
		return err
	}
	for _, code := range slices.Sorted(maps.Keys(b.programmes)) {
		var rounds []uint64
		for _, r := range b.programmes[code] {
			if !slices.Contains(rounds, r.N) {
				rounds = append(rounds, r.N)
			}
		}
		if err := t.addProgramme(ctx, code, rounds); err != nil {
			return err
		}
	}
	return t.finish()
}

// unsealed says, once a run, that the tables are left out.
func (b *packBuild) unsealed() {
	if b.f.noList || b.tablesSaid {
		return
	}
	b.tablesSaid = true
	b.say("warning: what is due and who is expected is left out: it is sealed, and without --unlock and a device nobody could open it")
}

// labels reads --labels: what programmes, things and services are called.
func (t *packTables) labels() error {
	if t.f.labels == "" {
		return nil
	}
	b, err := readFile(t.f.labels, 1<<20)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(b, &t.codes.Labels); err != nil {
		return usagef("%s: no file of labels: %w", t.f.labels, err).coded(console.CannotLabels).hint(`{"RICE": {"en": "Rice", "ar": "أرز"}, "K7Q2": {"en": "Winter cash"}}`)
	}
	return nil
}

// addProgramme gathers one programme: the named rounds, else those of its plan that
// are not over, and the rounds that cards name where it has no plan.
func (t *packTables) addProgramme(ctx context.Context, code string, rounds []uint64) error {
	err := t.o.store.View(ctx, func(v registry.View) (err error) {
		t.programme, err = v.Programme(code)
		if errors.Is(err, registry.ErrNotFound) {
			t.programme, err = registry.Programme{Code: code}, nil
		}
		return err
	})
	if err != nil {
		return err
	}
	names := map[string]string{}
	if t.programme.Name != "" {
		names["und"] = t.programme.Name // the plan does not say in which language
	}
	maps.Copy(names, t.codes.Labels[code])
	delete(t.codes.Labels, code)
	t.due = dueTables{}
	cards, err := t.cards(ctx, code)
	if err != nil {
		return err
	}
	if len(rounds) == 0 {
		rounds = t.openRounds(cards)
	}
	slices.Sort(rounds)
	for _, n := range rounds {
		if err := t.addRound(ctx, cards, n); err != nil {
			return err
		}
	}
	t.codes.Programmes[code] = verifier.ProgrammeCodes{Names: names, Tables: t.due.tables()}
	return nil
}

// cards are the good ones of a programme that something is collected with.
func (t *packTables) cards(ctx context.Context, code string) ([]issuer.Card, error) {
	cards, err := t.o.store.Cards(ctx, issuer.Selection{Programme: code, Active: true})
	cards = slices.DeleteFunc(cards, func(c issuer.Card) bool {
		kind := schemas.ByName(c.Type)
		counts := kind == nil || (kind.RoundClaim != "" || kind.RoundsClaim != "") && kind.Name != "delegation"
		return !counts || c.State != issuer.Issued || c.Status != status.Valid || c.Kind == issuer.Blank || c.ExpiresAt <= t.draft.Issued
	})
	// One unit's cards (paper and wallet) stand together: they are one row.
	slices.SortStableFunc(cards, func(a, b issuer.Card) int { return cmp.Compare(a.Pseudonym, b.Pseudonym) })
	return cards, err
}

func (t *packTables) openRounds(cards []issuer.Card) (rounds []uint64) {
	today := t.draft.Issued.String()[:len(time.DateOnly)]
	for _, r := range t.programme.Rounds {
		if r.Closes == "" || r.Closes >= today {
			rounds = append(rounds, r.N)
		}
	}
	if len(t.programme.Rounds) > 0 {
		return rounds
	}
	for i := range cards {
		if c := &cards[i]; c.Round > 0 && c.Round == c.LastRound && !slices.Contains(rounds, c.Round) {
			rounds = append(rounds, c.Round)
		}
	}
	return rounds
}

// elsewhere is true of a round that is handed out at other sites only.
func (t *packTables) elsewhere(n uint64) bool {
	return slices.ContainsFunc(t.programme.Rounds, func(r registry.Round) bool {
		return r.N == n && !handedOutAt(&r, append([]string{t.f.site}, t.f.sites...))
	})
}

func (t *packTables) addRound(ctx context.Context, cards []issuer.Card, n uint64) error {
	if t.elsewhere(n) {
		return nil
	}
	for from := 0; from < len(cards); {
		if err := ctx.Err(); err != nil {
			return err
		}
		err := t.o.store.View(ctx, func(v registry.View) error {
			for units := 0; units < tableBatch && from < len(cards); units++ {
				to := from + 1
				for to < len(cards) && cards[to].Unit == cards[from].Unit {
					to++
				}
				own := slices.DeleteFunc(slices.Clone(cards[from:to]), func(c issuer.Card) bool {
					return c.Round > n || c.LastRound != 0 && c.LastRound < n
				})
				from = to
				if len(own) == 0 {
					continue
				}
				if err := t.addUnit(v, own, n); err != nil {
					return fmt.Errorf("card %s: %w", own[0].CardNumber, err)
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// addUnit adds the row of one unit in a round, and what it is due to the tables.
func (t *packTables) addUnit(v registry.View, cards []issuer.Card, n uint64) error {
	unit := cards[0].Unit
	row := verifier.Row{Issuer: t.o.entry.ID, Programme: t.programme.Code, Pseudonym: cards[0].Pseudonym, Round: n, Check: verifier.RowWitness}
	e, err := v.Entitlement(unit, t.programme.Code, n)
	switch {
	case errors.Is(err, registry.ErrNotFound):
	case err != nil:
		return err
	case slices.Contains([]registry.EntitlementStatus{registry.OnHold, registry.Cancelled, registry.Returned, registry.Lapsed}, e.Status):
		return nil // nothing is to be given: the help desk's, and no row
	default:
		row.Lines = linesOf(&e)
	}
	who, err := expected(v, unit, t.Now())
	if err != nil || who == nil {
		return err
	}
	row.Size = who.size
	t.due.add(n, sizeBand(who.size), row.Lines)
	if t.f.noList {
		return nil
	}
	row.Names, row.Collectors = who.names, who.alternates
	switch {
	case who.facesRefused:
		row.Check = verifier.RowPrivate
	case t.f.photos && who.photo != nil:
		if err := t.addPhoto(&row, who.photo, cards); err != nil {
			return err
		}
	}
	if err := t.list.Add(&row); err != nil {
		return err
	}
	t.packBuild.about = append(t.packBuild.about, unit)
	return nil
}

// addPhoto puts a photo into the pack, smaller where it has to be; the row then says
// which of her cards bind the whole one.
func (t *packTables) addPhoto(row *verifier.Row, whole []byte, cards []issuer.Card) error {
	small, err := photo.Within(whole, packPhotoBytes)
	if _, ok := errors.AsType[*photo.Refusal](err); ok {
		return nil // a face that cannot be shown: a witness knows her
	}
	if err != nil {
		return err
	}
	key := verifier.PhotoKey(small)
	if _, there := t.photos[string(key)]; !there {
		if t.bytes+len(small) > maxPackPhotos {
			t.full++
			return nil
		}
		t.photos[string(key)], t.bytes = small, t.bytes+len(small)
	}
	row.PhotoKey, row.Check = key, verifier.RowPhoto
	if len(small) != len(whole) {
		for i := range cards {
			hash := cwt.PhotoHash(cards[i].ID[:], whole)
			row.Bound = append(row.Bound, hash[:])
		}
	}
	return nil
}

func (t *packTables) finish() error {
	b := t.packBuild
	b.served, b.rows, b.faces = len(t.codes.Programmes), t.list.Len(), len(t.photos)
	if t.full > 0 {
		b.say("warning: %s left out: all in a pack have at most %d MiB", plural(t.full, "photo is", "photos are"), maxPackPhotos>>20)
	}
	add := func(kind verifier.PartKind, name string, plain []byte, err error) error {
		if err != nil {
			return usagef("%w", err).coded(console.CannotPackLarge).hint("a shorter name, fewer programmes or a site of its own for some of the people: --no-list leaves the expected list out")
		}
		b.sealed = append(b.sealed, verifier.Part{Owner: b.draft.Org, Kind: kind, Name: name, Sequence: b.draft.Sequence, Data: plain})
		return nil
	}
	plain, err := t.codes.Encode()
	if err := add(verifier.PartCodes, "codes", plain, err); err != nil {
		return err
	}
	if b.rows > 0 {
		plain, err = t.list.Encode()
		if err := add(verifier.PartExpected, "list", plain, err); err != nil {
			return err
		}
	}
	if b.faces > 0 {
		plain, err = verifier.EncodePhotos(slices.Collect(maps.Values(t.photos)))
		if err := add(verifier.PartPhotos, "photos", plain, err); err != nil {
			return err
		}
	}
	// Fresh for each pack: what an older pack's key was found out for stays that pack's.
	b.content = make([]byte, 16)
	rand.Read(b.content) // never fails: package crypto/rand
	return nil
}

// sealParts seals what tableParts gathered, where deviceParts found a device that can
// open it.
func (b *packBuild) sealParts(context.Context) error {
	if !slices.ContainsFunc(b.draft.Parts, func(p verifier.Part) bool { return p.Kind == verifier.PartAudience }) {
		if len(b.sealed) > 0 {
			b.unsealed()
		}
		b.served, b.rows, b.faces, b.about = 0, 0, 0, nil
		return nil
	}
	for _, p := range b.sealed {
		data, err := verifier.SealPackPart(b.content, b.draft.Org, b.draft.Site, p, rand.Reader)
		if err != nil {
			return err
		}
		b.add(p.Owner, p.Kind, p.Name, p.Sequence, data)
	}
	return nil
}

// linesOf is an entitlement as lines.
func linesOf(e *registry.Entitlement) (lines []verifier.Line) {
	if e.Amount != "" {
		lines = append(lines, verifier.Line{Amount: e.Amount, Unit: e.Currency})
	}
	for _, i := range e.Items {
		lines = append(lines, verifier.Line{Code: i.Code, Amount: i.Qty, Unit: i.Unit})
	}
	for _, s := range e.Services {
		lines = append(lines, verifier.Line{Code: s.Code, Amount: fmt.Sprint(s.Visits), Unit: "visit"})
	}
	return lines
}

// sizeBand is what a card says of a household's size; "" where it is not known.
func sizeBand(size uint64) string {
	t := schemas.ByName("eligibility")
	if c := t.Claim(t.SizeBandClaim); size > 0 && c != nil {
		if band, err := c.Parse(int64(size)); err == nil {
			s, _ := band.(string)
			return s
		}
	}
	return ""
}

// dueTables finds what all units of a round, or all of one size band in it, are due
// alike: that can be said of a card that stands on no list.
type dueTables map[dueKey]*dueLines

type dueKey struct {
	round uint64
	band  string // "": whoever
}

type dueLines struct {
	lines  []verifier.Line
	unlike bool
}

func (d dueTables) add(round uint64, band string, lines []verifier.Line) {
	if len(lines) == 0 {
		return
	}
	d.agree(dueKey{round, ""}, lines)
	if band != "" {
		d.agree(dueKey{round, band}, lines)
	}
}

func (d dueTables) agree(k dueKey, lines []verifier.Line) {
	have := d[k]
	if have == nil {
		d[k] = &dueLines{lines: lines}
		return
	}
	have.unlike = have.unlike || !slices.EqualFunc(have.lines, lines, func(a, b verifier.Line) bool {
		return a.Code == b.Code && a.Amount == b.Amount && a.Unit == b.Unit
	})
}

// tables are those on which all agree: one for whoever comes, else one a band.
func (d dueTables) tables() (out []verifier.DueTable) {
	for k, v := range d {
		all := d[dueKey{k.round, ""}]
		if !v.unlike && (k.band == "" || all.unlike) {
			out = append(out, verifier.DueTable{Round: k.round, Band: k.band, Lines: v.lines})
		}
	}
	slices.SortFunc(out, func(a, b verifier.DueTable) int {
		return cmp.Or(cmp.Compare(a.Round, b.Round), cmp.Compare(a.Band, b.Band))
	})
	return out
}
