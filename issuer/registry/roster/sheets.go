package roster

import (
	"slices"
	"strings"
)

// openWorkbook makes a table of each sheet that has a header and rows, or of the
// one that is named. typed: no formula counts.
func (f *File) openWorkbook(want string, typed bool) error {
	b, err := readBook(f.file, f.size)
	if err != nil {
		return err
	}
	b.typed = typed
	if b.macros {
		f.warn("it carries macros, which are left alone")
	}
	w := workbookTables{file: f, book: b}
	found := false
	for _, s := range b.sheets {
		if want == "" || strings.EqualFold(s.name, want) {
			found = true
			if err := w.add(s, want != ""); err != nil {
				return err
			}
		}
	}
	switch {
	case !found && want != "":
		return refuse(NoSheet, "name one of them", "has no sheet %q; it has %q", want, b.names())
	case w.questions != nil && !slices.ContainsFunc(w.layouts, func(l *layout) bool { return l.form != plainForm }):
		return w.questions
	case len(f.tables) == 0 && w.unfit != nil:
		return w.unfit
	case len(f.tables) == 0:
		return refuse(Empty, "add the rows below the header, or name another sheet", "has no sheet with a header and rows; its sheets are %q", b.names())
	}
	return w.finish()
}

func (b *book) names() []string {
	names := make([]string, len(b.sheets))
	for i, s := range b.sheets {
		names[i] = s.name
	}
	return names
}

// workbookTables collects the tables of a workbook.
type workbookTables struct {
	file      *File
	book      *book
	layouts   []*layout  // of the file's tables, one for one
	unfit     *FileError // why the first sheet with rows has no header
	questions *FileError // the workbook is a form
}

// add makes a table of a sheet, or says why it is passed over.
func (w *workbookTables) add(s sheetRef, named bool) error {
	f := w.file
	if s.part == "" {
		if named {
			return refuse(Empty, "name another sheet", "has no rows on sheet %q: it is a chart, or the file is damaged", s.name)
		}
		f.skip(s.name, "it is a chart, or what it holds is not in the file")
		return nil
	}
	if !named && s.name == "Export Summary" {
		f.skip(s.name, "it is what the program Numbers writes of its export")
		return nil
	}
	if f.table(s.name) != nil {
		return refuse(TwoNames, "rename one of them", "has two sheets named %q", s.name)
	}
	rows := func(watch bool) (source, error) {
		t, err := w.book.tokens(s.part)
		if err != nil {
			return nil, err
		}
		return &sheetSource{book: w.book, in: t, watch: watch}, nil
	}
	l, wrong, err := analyse(s.name, named, func() (source, error) { return rows(true) })
	if err != nil {
		return err
	}
	if wrong != nil {
		switch {
		case named:
			return wrong.FileError
		case wrong.kind == noHeader && w.unfit == nil:
			w.unfit = wrong.FileError
		case wrong.kind == questions:
			w.questions = wrong.FileError
		}
		f.skip(s.name, "it "+strings.Replace(wrong.What, onSheet(s.name), "", 1))
		return nil
	}
	merged, err := w.book.merges(s.part)
	if err != nil {
		return err
	}
	merged = slices.DeleteFunc(merged, func(m merge) bool { return m.top < l.first })
	if len(f.tables) >= MaxTables {
		return refuse(TooLarge, "split it", "has more than %d sheets with rows", MaxTables)
	}
	t := f.addGrid(s.name, l, func() (source, error) {
		in, err := rows(false)
		if err != nil || len(merged) == 0 {
			return in, err
		}
		return &mergedRows{source: in, merges: merged, open: map[int]merge{}, value: map[int]string{}}, nil
	})
	t.Hidden = s.hidden
	if s.hidden {
		f.warn("sheet %q is hidden, and has rows", s.name)
	}
	if len(merged) > 0 {
		f.warn("sheet %q: cells are merged over several rows, and count for each of them", s.name)
	}
	f.note(s.name, l)
	w.layouts = append(w.layouts, l)
	return nil
}

// finish finds the form of the workbook and ties its tables together.
func (w *workbookTables) finish() error {
	f := w.file
	f.format = XLSX
	has := func(form form) bool {
		return slices.ContainsFunc(w.layouts, func(l *layout) bool { return l.form == form })
	}
	switch {
	case has(koboForm):
		f.format = KoboXLSX
		f.tie(w.layouts)
		for i, l := range w.layouts {
			if l.form == koboForm && l.parent < 0 && l.version >= 0 && f.version == "" {
				var err error
				if f.version, err = newest(f.tables[i]); err != nil {
					return err
				}
			}
		}
	case has(hopeForm):
		f.format = HOPE
		w.dropChoices()
		for _, t := range f.tables {
			if t.Name == "Individuals" && f.table("Households") != nil {
				t.Parent = "Households"
			}
		}
	case has(hxlForm):
		f.format = HXLXLSX
	}
	return nil
}

// dropChoices passes over HOPE's sheet of the answers that its columns allow.
func (w *workbookTables) dropChoices() {
	f := w.file
	if i := slices.IndexFunc(f.tables, func(t *table) bool { return t.Name == "Choices" }); i >= 0 {
		f.tables = slices.Delete(f.tables, i, i+1)
		f.skip("Choices", "it lists the answers that the columns allow")
	}
}

// table returns the table of that name; nil where there is none.
func (f *File) table(name string) *table {
	for _, t := range f.tables {
		if t.Name == name {
			return t
		}
	}
	return nil
}

func (f *File) skip(name, why string) { f.skipped = append(f.skipped, Skipped{name, why}) }
