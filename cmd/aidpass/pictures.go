package main

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/draw"
	"image/gif"
	"os"
	"path/filepath"
	"slices"

	"aidpass/internal/qrcode"
	"aidpass/verifier/enrol"
)

// A phone with no cable shows its journal as a moving row of codes. A laptop reads
// them from pictures: photos of the screen, the pictures of a video in a folder
// (ffmpeg -i video.mp4 -r 10 folder/%04d.png), or a GIF.

// carriedFile is a file as it came, or what a row of codes in pictures made.
type carriedFile struct {
	path    string
	content []byte
}

// maxPictures bounds the pictures of one call: a long row, each code three times.
const maxPictures = 3 * enrol.MaxFrames

var (
	errGIF    = errors.New("not a GIF that is read here")
	pngMagic  = []byte("\x89PNG\r\n\x1a\n")
	jpegMagic = []byte("\xff\xd8\xff")
	gifMagic  = []byte("GIF8")
)

// readCarried reads files and the files of folders. Pictures among them are looked
// through for moving codes, in the order of their names; what the codes make is a
// file under the name of the picture that completed it. max bounds a file that is no
// picture.
func readCarried(paths []string, max int64) (files []carriedFile, err error) {
	paths, err = withFolders(paths)
	if err != nil {
		return nil, err
	}
	var row enrol.Frameset
	pictures, seen := "", 0
	var made []byte
	for _, path := range paths {
		content, err := readFile(path, max)
		if err != nil {
			return nil, err
		}
		head := content[:min(len(content), 8)]
		isGIF := bytes.HasPrefix(head, gifMagic)
		if !isGIF && !bytes.HasPrefix(head, pngMagic) && !bytes.HasPrefix(head, jpegMagic) {
			files = append(files, carriedFile{path, content})
			continue
		}
		pictures = path
		texts, err := codesOf(content, isGIF)
		if err != nil {
			return nil, usagef("%s: %w", path, err).hint("pictures are PNG, JPEG or GIF")
		}
		for _, text := range texts {
			if !enrol.IsFrame(text) {
				continue
			}
			seen++
			message, err := row.Add(text)
			if err != nil {
				return nil, usagef("%s: %w", path, err).hint("take the pictures of one row at a time")
			}
			if message != nil && !bytes.Equal(message, made) { // a row goes on after it was complete
				files, made = append(files, carriedFile{path, message}), message
			}
		}
	}
	if have, count := row.Progress(); have > 0 && made == nil {
		return nil, usagef("%d of %d codes were found in the pictures", have, count).
			hint("show the row again, slower, and add those pictures: all of them are read together")
	}
	if pictures != "" && seen == 0 {
		return nil, usagef("%s: no moving code in it", pictures).hint("sharp pictures of the whole code, straight from the front")
	}
	return files, nil
}

// withFolders names the files of folders in their place, by name.
func withFolders(paths []string) (all []string, err error) {
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil || !info.IsDir() {
			all = append(all, path) // what is not there, readFile says
			continue
		}
		entries, err := os.ReadDir(path)
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			if e.Type().IsRegular() {
				all = append(all, filepath.Join(path, e.Name()))
			}
		}
	}
	if len(all) > maxPictures {
		return nil, usagef("%d files", len(all)).hint("at most %d at a time", maxPictures)
	}
	return all, nil
}

// codesOf returns the texts of the codes in a picture, or in the pictures of a GIF.
func codesOf(content []byte, isGIF bool) ([]string, error) {
	if !isGIF {
		texts, err := qrcode.ReadImage(bytes.NewReader(content))
		if err != nil && len(texts) == 0 {
			return nil, nil // a blurred one of many
		}
		return texts, nil
	}
	if err := checkGIF(content); err != nil {
		return nil, err
	}
	g, err := gif.DecodeAll(bytes.NewReader(content))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errGIF, err)
	}
	// Pictures may hold only what changed since the one before.
	grey := image.NewGray(image.Rect(0, 0, g.Config.Width, g.Config.Height))
	var texts []string
	for _, p := range g.Image {
		draw.Draw(grey, p.Bounds(), p, p.Bounds().Min, draw.Over)
		found, err := qrcode.ReadGray(grey)
		if err == nil {
			texts = append(texts, found...)
		}
	}
	return slices.Compact(texts), nil
}

// maxGIFPixels bounds all pictures of a GIF together: a few kilobytes can say that
// they are gigabytes.
const maxGIFPixels = 1 << 29

// checkGIF walks over the blocks of a GIF and adds up what its pictures would take,
// before any is unpacked. GIF89a, sections 18 to 24.
func checkGIF(b []byte) error {
	table := func(flags byte) int {
		if flags&0x80 == 0 {
			return 0
		}
		return 3 << (flags&7 + 1)
	}
	if len(b) < 13 {
		return errGIF
	}
	area := func(b []byte) int { return (int(b[0]) | int(b[1])<<8) * (int(b[2]) | int(b[3])<<8) }
	if screen := area(b[6:]); screen > 1<<24 {
		return fmt.Errorf("%w: %d pixels", errGIF, screen)
	}
	sum := 0
	for at := 13 + table(b[10]); at < len(b); {
		switch b[at] {
		case 0x3b: // the end
			return nil
		case 0x21: // an extension: its label
			at += 2
		case 0x2c: // a picture: where, its size, its flags, its table, the width of codes
			if at+10 > len(b) {
				return errGIF
			}
			if sum += area(b[at+5:]); sum > maxGIFPixels {
				return fmt.Errorf("%w: its pictures are too many or too large", errGIF)
			}
			at += 10 + table(b[at+9]) + 1
		default:
			return errGIF
		}
		for at < len(b) && b[at] != 0 { // its data
			at += 1 + int(b[at])
		}
		at++
	}
	return nil
}
