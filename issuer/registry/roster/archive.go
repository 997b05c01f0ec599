package roster

import (
	"bytes"
	"encoding/binary"
	"io"
)

// checkDirectory refuses an archive whose list of files is longer than any
// workbook's: archive/zip reads all of it before it can be asked for its length.
//
// The end record is 22 bytes and a comment (APPNOTE 4.3.16): the list's length
// stands at 12 and its place at 16. Large archives have a second one of 56 bytes,
// with 40 and 48, which a locator of 20 bytes in front of the first points to
// (4.3.14, 4.3.15).
func checkDirectory(file io.ReaderAt, size int64) error {
	damaged := func(what string) error { return refuse(Damaged, "send it again", "is a damaged archive (%s)", what) }
	tail := make([]byte, min(size, 22+65_535))
	if _, err := file.ReadAt(tail, size-int64(len(tail))); err != nil {
		return err
	}
	i := bytes.LastIndex(tail[:max(0, len(tail)-18)], []byte("PK\x05\x06"))
	if i < 0 {
		return damaged("it has no end")
	}
	end := size - int64(len(tail)-i)
	length, start := uint64(binary.LittleEndian.Uint32(tail[i+12:])), uint64(binary.LittleEndian.Uint32(tail[i+16:]))
	if i >= 20 && bytes.HasPrefix(tail[i-20:], []byte("PK\x06\x07")) {
		at := binary.LittleEndian.Uint64(tail[i-20+8:])
		record := make([]byte, 56)
		if at > uint64(end) {
			return damaged("its end lies outside")
		}
		if _, err := file.ReadAt(record, int64(at)); err != nil || !bytes.HasPrefix(record, []byte("PK\x06\x06")) {
			return damaged("it has no end")
		}
		length, start = binary.LittleEndian.Uint64(record[40:]), binary.LittleEndian.Uint64(record[48:])
	}
	if length > maxDirectoryBytes || start > uint64(end) || uint64(end)-start > maxDirectoryBytes {
		return refuse(Damaged, "open it with a spreadsheet program and save it anew", "has a list of files of more than %d bytes, or none", maxDirectoryBytes)
	}
	return nil
}
