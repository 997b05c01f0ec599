package storage

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"strconv"
	"time"

	"aidpass/internal/durable"
)

// The files outside the backup are lines of
//
//	CRC-32C of the JSON, 8 hex digits | space | JSON object | line end
//
// each on the disk before its writer goes on. They are only ever added to.
//
// signing.log keeps one rule: a line is written after the database knows what it
// says. The intent is committed, then the line is written, then the signature is
// made; a revocation is committed, then the line is written, then it is
// published. A line carries the number of the database's newest audit entry at
// that moment: a database that has not come so far was restored, and takes the
// line in. tombstones.log is the other way round, because an erasure that
// was begun must end: the line comes first, and every line is carried out again
// at each opening.

// An outsideFile is one of them.
type outsideFile struct{ path string }

// lockWait bounds how long a writer waits for the others: each holds the file
// for one line and one fsync.
const lockWait = 20 * time.Second

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// append adds v as one line and returns the size of the file after it. When it
// returns an error the line may be there or not.
func (f outsideFile) append(ctx context.Context, v any) (size int64, err error) {
	body, err := json.Marshal(v)
	if err != nil {
		return 0, fmt.Errorf("storage: %w", err)
	}
	line := fmt.Appendf(nil, "%08x ", crc32.Checksum(body, castagnoli))
	line = append(line, body...)
	for deadline := time.Now().Add(lockWait); ; {
		err = durable.AppendLine(f.path, line, 0o600)
		if !errors.Is(err, durable.ErrLocked) || time.Now().After(deadline) {
			break
		}
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-time.After(time.Millisecond):
		}
	}
	if err != nil {
		return 0, fmt.Errorf("storage: %w", err)
	}
	info, err := os.Stat(f.path)
	if err != nil {
		return 0, fmt.Errorf("storage: %w", err)
	}
	return info.Size(), nil
}

// A damage is a part of an outside file that cannot be read.
type damage struct {
	offset int64
	why    string
}

// lines calls yield with the JSON of every whole line from offset on. It returns
// where the last whole line ends, and the lines whose checksum does not fit,
// which yield does not see. A last line without its end was being written when
// the power went: nothing came of it. A file that is not there is empty; one
// shorter than offset was cut, or belongs to another database: that is a damage
// too, and all of it is read.
func (f outsideFile) lines(offset int64, yield func(body []byte) error) (end int64, damaged []damage, err error) {
	file, err := os.Open(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		if offset > 0 {
			damaged = append(damaged, damage{0, fmt.Sprintf("the file is missing; it had %d bytes", offset)})
		}
		return 0, damaged, nil
	} else if err != nil {
		return 0, nil, fmt.Errorf("storage: %w", err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return 0, nil, fmt.Errorf("storage: %w", err)
	}
	if info.Size() < offset {
		damaged = append(damaged, damage{info.Size(), fmt.Sprintf("the file is shorter than the %d bytes it had", offset)})
		offset = 0
	}
	if _, err := file.Seek(offset, io.SeekStart); err != nil {
		return 0, nil, fmt.Errorf("storage: %w", err)
	}
	r := bufio.NewReaderSize(file, 1<<16)
	for end = offset; ; {
		line, err := r.ReadBytes('\n')
		if err == io.EOF {
			return end, damaged, nil
		} else if err != nil {
			return end, damaged, fmt.Errorf("storage: %w", err)
		}
		if body, ok := checkLine(line[:len(line)-1]); !ok {
			damaged = append(damaged, damage{end, "the checksum of the line does not fit"})
		} else if err := yield(body); err != nil {
			return end, damaged, err
		}
		end += int64(len(line))
	}
}

// endsLine reports whether a line ends at size, as it did when the size was noted:
// it does not in a file that was cut, and hardly ever in another database's.
func (f outsideFile) endsLine(size int64) bool {
	file, err := os.Open(f.path)
	if err != nil {
		return false
	}
	defer file.Close()
	var last [1]byte
	_, err = file.ReadAt(last[:], size-1)
	return err == nil && last[0] == '\n'
}

// checkLine returns the JSON of a line whose checksum fits.
func checkLine(line []byte) ([]byte, bool) {
	if len(line) < 10 || line[8] != ' ' {
		return nil, false
	}
	sum, err := strconv.ParseUint(string(line[:8]), 16, 32)
	body := line[9:]
	return body, err == nil && uint32(sum) == crc32.Checksum(body, castagnoli)
}

// logLine is a line of signing.log: one of its parts is set.
type logLine struct {
	Org       string       `json:"org"`
	Seq       uint64       `json:"seq"` // newest audit entry of the database when it knew what the line says
	At        time.Time    `json:"at"`
	Signing   []logSigning `json:"signing,omitempty"`
	Status    *logStatus   `json:"status,omitempty"`
	Published *logStatus   `json:"published,omitempty"`
	Bound     []logBound   `json:"bound,omitempty"`
}

// logSigning is one credential that may have been signed: enough to revoke it
// and to know its unit again, and nothing about the person.
type logSigning struct {
	CTI       string `json:"cti"`
	Signed    string `json:"tbs"` // mark of the bytes to be signed under the unit's key, hex
	KeyID     string `json:"kid"` // hex
	Unit      string `json:"unit"`
	External  []byte `json:"ext,omitempty"` // the blind index of the roster's identifier
	Find      []byte `json:"find,omitempty"`
	Blank     bool   `json:"blank,omitempty"` // a pre-numbered card that nobody has yet
	Type      string `json:"type"`
	VCT       string `json:"vct"`
	Programme string `json:"programme"`
	Round     uint64 `json:"round,omitempty"`
	LastRound uint64 `json:"last_round,omitempty"`
	Form      string `json:"form"`
	Pseudonym string `json:"pseudonym"`
	Number    string `json:"number"`
	Request   []byte `json:"request"`
	URI       string `json:"uri"`
	Size      uint64 `json:"size"`
	Index     uint64 `json:"idx"`
	Issued    int64  `json:"iat"`
	Expires   int64  `json:"exp"`
}

// logStatus is a change of status, or a publication with what changed in it.
type logStatus struct {
	URI       string   `json:"uri"`
	Size      uint64   `json:"size"`          // of the list
	Issued    int64    `json:"iat,omitempty"` // publications only
	Valid     []uint64 `json:"valid,omitempty"`
	Invalid   []uint64 `json:"invalid,omitempty"`
	Suspended []uint64 `json:"suspended,omitempty"`
}

// logBound is a pre-numbered card that was given to a unit.
type logBound struct {
	CTI      string `json:"cti"`
	Blank    string `json:"blank"` // the unit it was made for
	Unit     string `json:"unit"`
	External []byte `json:"ext,omitempty"` // of Unit, as in logSigning
	Find     []byte `json:"find,omitempty"`
}

// tombstone is a line of tombstones.log: a person or household that was erased, or
// photographs that were destroyed. A line of photographs comes after the database knows
// of it, and says so in photo_key.told.
type tombstone struct {
	Org    string    `json:"org"`
	At     time.Time `json:"at"`
	Unit   string    `json:"unit,omitempty"`
	Free   bool      `json:"free,omitempty"`   // a list may bring the number again
	Photos []string  `json:"photos,omitempty"` // the changes that brought them
}
