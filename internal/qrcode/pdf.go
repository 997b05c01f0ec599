package qrcode

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Limits of a PDF that ReadPDF opens.
const (
	MaxPDFPages = 500
	pageTimeout = 30 * time.Second
	// pagePixels is the longer side of a drawn page: A4 at 300 dots an inch,
	// whatever size the page says it has.
	pagePixels = "3508"
)

// ErrNoPDFTool: the programs that draw PDF pages are not installed.
var ErrNoPDFTool = errors.New("qrcode: pdftoppm is not installed: install poppler-utils, or save the page as PNG")

// ReadPDF returns the text of every QR code on every page of the PDF file at
// path, page by page, each text once. The pages are drawn one at a time by
// pdfinfo and pdftoppm (poppler-utils), processes of their own that are handed
// the file and end with ctx; the drawings pass through memory only.
//
// Errors: ErrNoPDFTool, ErrTooLarge for more than MaxPDFPages, ErrNone, those of
// ctx, or what the programs say of the file.
func ReadPDF(ctx context.Context, path string) ([]string, error) {
	// A name that starts with a dash would be an option.
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("qrcode: %w", err)
	}
	info, err := runTool(ctx, "pdfinfo", path)
	if err != nil {
		return nil, err
	}
	pages, err := pageCount(info)
	if err != nil {
		return nil, fmt.Errorf("qrcode: pdfinfo on %q: %w", path, err)
	}
	if pages > MaxPDFPages {
		return nil, fmt.Errorf("%w: %d pages, at most %d", ErrTooLarge, pages, MaxPDFPages)
	}
	var texts []string
	for page := 1; page <= pages; page++ {
		n := strconv.Itoa(page)
		drawn, err := runTool(ctx, "pdftoppm", "-png", "-gray", "-scale-to", pagePixels, "-f", n, "-l", n, path)
		if err != nil {
			return nil, err
		}
		found, err := ReadImage(bytes.NewReader(drawn))
		if err != nil && !errors.Is(err, ErrNone) {
			return nil, fmt.Errorf("page %d of %q: %w", page, path, err)
		}
		for _, text := range found {
			if !slices.Contains(texts, text) {
				texts = append(texts, text)
			}
		}
	}
	if len(texts) == 0 {
		return nil, ErrNone
	}
	return texts, nil
}

// runTool returns what the program writes, at most MaxImageBytes of it.
func runTool(ctx context.Context, name string, args ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, pageTimeout)
	defer cancel()
	var stdout, stderr limited
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	cmd.WaitDelay = time.Second
	err := cmd.Run()
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return nil, ErrNoPDFTool
	case ctx.Err() != nil:
		return nil, fmt.Errorf("qrcode: %s: %w", name, ctx.Err())
	case err != nil:
		said, _, _ := strings.Cut(strings.TrimSpace(stderr.String()), "\n")
		return nil, fmt.Errorf("qrcode: %s: %w: %s", name, err, said)
	}
	return stdout.Bytes(), nil
}

// limited is a buffer that fails its writer past MaxImageBytes.
type limited struct{ bytes.Buffer }

func (l *limited) Write(p []byte) (int, error) {
	if l.Len()+len(p) > MaxImageBytes {
		return 0, io.ErrShortWrite
	}
	return l.Buffer.Write(p)
}

func pageCount(info []byte) (int, error) {
	for line := range strings.Lines(string(info)) {
		if value, ok := strings.CutPrefix(line, "Pages:"); ok {
			return strconv.Atoi(strings.TrimSpace(value))
		}
	}
	return 0, errors.New("it told no number of pages")
}
