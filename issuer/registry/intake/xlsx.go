package intake

import (
	"archive/zip"
	"bufio"
	"encoding/xml"
	"fmt"
	"io"
	"strings"

	"aidpass/issuer/registry/roster"
)

// A Workbook writes an XLSX file as a stream (ECMA-376 part 1): cells are texts,
// each through SafeCell, so that nothing in it is a formula. Nothing is spooled to
// a temporary file, which would be people's names.
type Workbook struct {
	zip    *zip.Writer
	sheets []string
	out    *bufio.Writer
	row    int
	form   *Form // of the sheet that is written; nil: it is none
}

// A Form is how a sheet looks that people fill in: what they do not fill in is locked, so that
// nobody changes it unawares. That is no protection against who wants to.
type Form struct {
	Columns []FormColumn
	RTL     bool // its first column stands on the right
}

// A FormColumn is one column of a Form.
type FormColumn struct {
	Width  int      // in letters
	Open   bool     // to be filled in: what is typed stays the text that it is
	Choose []string // an open column offers these; commas and quotes are not in them
}

// NewWorkbook begins one. Sheets follow, then Close.
func NewWorkbook(w io.Writer) *Workbook { return &Workbook{zip: zip.NewWriter(w)} }

// Sheet ends the sheet before and begins one of that name, which is cut to the 31
// characters that a sheet may have.
func (b *Workbook) Sheet(name string) error { return b.sheet(name, nil) }

// Form is Sheet for one that people fill in. Its first row is its header, which stays in sight.
func (b *Workbook) Form(name string, f Form) error { return b.sheet(name, &f) }

func (b *Workbook) sheet(name string, form *Form) error {
	if err := b.end(); err != nil {
		return err
	}
	b.form = form
	name = strings.Map(func(r rune) rune {
		if strings.ContainsRune(`[]:*?/\`, r) || r < ' ' {
			return '_'
		}
		return r
	}, name)
	if r := []rune(name); len(r) > 31 {
		name = string(r[:31])
	}
	if name == "" {
		name = "Sheet"
	}
	for _, other := range b.sheets {
		if strings.EqualFold(other, name) {
			return errorf("two sheets named %q", name)
		}
	}
	b.sheets = append(b.sheets, name)
	f, err := b.zip.Create(fmt.Sprintf("xl/worksheets/sheet%d.xml", len(b.sheets)))
	if err != nil {
		return err
	}
	b.out, b.row = bufio.NewWriter(f), 0
	b.out.WriteString(xml.Header + `<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">`)
	if form != nil {
		right := ""
		if form.RTL {
			right = ` rightToLeft="1"`
		}
		fmt.Fprintf(b.out, `<sheetViews><sheetView%s workbookViewId="0"><pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews><cols>`, right)
		for i, c := range form.Columns {
			fmt.Fprintf(b.out, `<col min="%d" max="%d" width="%d" customWidth="1" style="%d"/>`, i+1, i+1, c.Width, c.style())
		}
		b.out.WriteString("</cols>")
	}
	_, err = b.out.WriteString("<sheetData>")
	return err
}

// Numbers of the cell formats in styles.xml.
const (
	styleLocked = 0
	styleOpen   = 1 // text, whatever it looks like
	styleHeader = 2
)

func (c *FormColumn) style() int {
	if c.Open {
		return styleOpen
	}
	return styleLocked
}

// styleOf is the format of a cell, from 0.
func (b *Workbook) styleOf(column int) int {
	switch {
	case b.form == nil:
		return styleLocked
	case b.row == 1:
		return styleHeader
	case column < len(b.form.Columns):
		return b.form.Columns[column].style()
	}
	return styleLocked
}

// Row writes the next row of the sheet.
func (b *Workbook) Row(cells ...string) error {
	b.row++
	fmt.Fprintf(b.out, `<row r="%d">`, b.row)
	for i, c := range cells {
		if c == "" {
			continue
		}
		style := ""
		if n := b.styleOf(i); n != styleLocked {
			style = fmt.Sprintf(` s="%d"`, n)
		}
		fmt.Fprintf(b.out, `<c r="%s%d"%s t="inlineStr"><is><t xml:space="preserve">`, roster.ColumnLetter(i+1), b.row, style)
		if err := xml.EscapeText(b.out, []byte(SafeCell(c))); err != nil {
			return err
		}
		b.out.WriteString(`</t></is></c>`)
	}
	_, err := b.out.WriteString("</row>")
	return err
}

func (b *Workbook) end() error {
	if b.out == nil {
		return nil
	}
	b.out.WriteString("</sheetData>")
	if b.form != nil {
		b.out.WriteString(`<sheetProtection sheet="1" objects="1" scenarios="1" formatColumns="0" formatRows="0"/>`)
		if err := b.choices(); err != nil {
			return err
		}
	}
	b.out.WriteString("</worksheet>")
	return b.out.Flush()
}

// choices writes what the columns of a form offer, in their rows.
func (b *Workbook) choices() error {
	n := 0
	var w strings.Builder
	for i, c := range b.form.Columns {
		if len(c.Choose) == 0 || b.row < 2 {
			continue
		}
		n++
		at := roster.ColumnLetter(i + 1)
		fmt.Fprintf(&w, `<dataValidation type="list" allowBlank="1" showErrorMessage="1" sqref="%s2:%s%d"><formula1>"`, at, at, b.row)
		if err := xml.EscapeText(&w, []byte(strings.Join(c.Choose, ","))); err != nil {
			return err
		}
		w.WriteString(`"</formula1></dataValidation>`)
	}
	if n > 0 {
		fmt.Fprintf(b.out, `<dataValidations count="%d">%s</dataValidations>`, n, w.String())
	}
	return nil
}

// styles has the formats: locked, open text, header.
const styles = `<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><fonts count="2"><font><sz val="11"/><name val="Calibri"/></font><font><b/><sz val="11"/><name val="Calibri"/></font></fonts><fills count="3"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill><fill><patternFill patternType="solid"><fgColor rgb="FFFFF7D6"/></patternFill></fill></fills><borders count="2"><border/><border><left style="thin"/><right style="thin"/><top style="thin"/><bottom style="thin"/></border></borders><cellStyleXfs count="1"><xf/></cellStyleXfs><cellXfs count="3"><xf/><xf numFmtId="49" fillId="2" borderId="1" applyNumberFormat="1" applyFill="1" applyBorder="1" applyProtection="1"><protection locked="0"/></xf><xf numFmtId="49" fontId="1" applyFont="1" applyAlignment="1"><alignment wrapText="1" vertical="top"/></xf></cellXfs></styleSheet>`

// Close writes what names the sheets. A workbook without a sheet is an error.
func (b *Workbook) Close() error {
	if len(b.sheets) == 0 {
		return errorf("a workbook without a sheet")
	}
	if err := b.end(); err != nil {
		return err
	}
	var types, sheets, rels strings.Builder
	for i, name := range b.sheets {
		n := i + 1
		fmt.Fprintf(&types, `<Override PartName="/xl/worksheets/sheet%d.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/>`, n)
		var escaped strings.Builder
		if err := xml.EscapeText(&escaped, []byte(name)); err != nil {
			return err
		}
		fmt.Fprintf(&sheets, `<sheet name="%s" sheetId="%d" r:id="rId%d"/>`, escaped.String(), n, n)
		fmt.Fprintf(&rels, `<Relationship Id="rId%d" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet%d.xml"/>`, n, n)
	}
	for _, part := range []struct{ name, body string }{
		{"[Content_Types].xml", `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/><Override PartName="/xl/styles.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.styles+xml"/>` + types.String() + `</Types>`},
		{"_rels/.rels", `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>`},
		{"xl/workbook.xml", `<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets>` + sheets.String() + `</sheets></workbook>`},
		{"xl/_rels/workbook.xml.rels", `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rIdS" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/styles" Target="styles.xml"/>` + rels.String() + `</Relationships>`},
		{"xl/styles.xml", styles},
	} {
		w, err := b.zip.Create(part.name)
		if err != nil {
			return err
		}
		if _, err := io.WriteString(w, xml.Header+part.body); err != nil {
			return err
		}
	}
	return b.zip.Close()
}
