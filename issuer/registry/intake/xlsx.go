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
}

// NewWorkbook begins one. Sheets follow, then Close.
func NewWorkbook(w io.Writer) *Workbook { return &Workbook{zip: zip.NewWriter(w)} }

// Sheet ends the sheet before and begins one of that name, which is cut to the 31
// characters that a sheet may have.
func (b *Workbook) Sheet(name string) error {
	if err := b.end(); err != nil {
		return err
	}
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
	_, err = b.out.WriteString(xml.Header + `<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>`)
	return err
}

// Row writes the next row of the sheet.
func (b *Workbook) Row(cells ...string) error {
	b.row++
	fmt.Fprintf(b.out, `<row r="%d">`, b.row)
	for i, c := range cells {
		if c == "" {
			continue
		}
		fmt.Fprintf(b.out, `<c r="%s%d" t="inlineStr"><is><t xml:space="preserve">`, roster.ColumnLetter(i+1), b.row)
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
	b.out.WriteString("</sheetData></worksheet>")
	return b.out.Flush()
}

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
		{"[Content_Types].xml", `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>` + types.String() + `</Types>`},
		{"_rels/.rels", `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>`},
		{"xl/workbook.xml", `<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets>` + sheets.String() + `</sheets></workbook>`},
		{"xl/_rels/workbook.xml.rels", `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">` + rels.String() + `</Relationships>`},
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
