package api_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http/httptest"
	"testing"

	"aidpass/internal/cbor"
	"aidpass/web/api"
)

type acks struct {
	Ack, Device string
	Records     []struct {
		Sequence      uint64
		SHA256        string
		State, Reason string
	}
}

func (w *world) upload(t testing.TB, path string, records ...[]byte) acks {
	t.Helper()
	a := w.do("POST", path+"/journal", bytes.Join(records, nil), "Content-Type", "application/cbor-seq")
	var got acks
	if err := json.Unmarshal(a.Body.Bytes(), &got); err != nil || a.Code != 200 || got.Ack != "aidpass-ack-1" || len(got.Records) != len(records) {
		t.Fatalf("%d %s", a.Code, a.Body)
	}
	return got
}

func TestUploadsMayComeTwiceAndInAnyOrder(t *testing.T) {
	w := newWorld(t)
	path := w.confirmed(t, "tab-1")
	one, two, three, bad := record(1, "a"), record(2, "b"), record(3, "c"), record(666, "x")
	states := func(got acks) (s string) {
		for _, r := range got.Records {
			s += r.State + " "
		}
		return s
	}
	for _, step := range []struct {
		what string
		sent [][]byte
		want string
	}{
		{"the last first", [][]byte{three}, "accepted "},
		{"all, one of them bad", [][]byte{one, bad, two, three}, "accepted refused accepted known "},
		{"the answer was lost: again", [][]byte{one, bad, two, three}, "known refused known known "},
	} {
		if got := states(w.upload(t, path, step.sent...)); got != step.want {
			t.Errorf("%s: %s, want %s", step.what, got, step.want)
		}
	}
	if len(w.stored) != 3 {
		t.Errorf("%d are stored", len(w.stored))
	}
	sum := sha256.Sum256(two)
	if got := w.upload(t, path, two).Records[0]; got.SHA256 != hex.EncodeToString(sum[:]) || got.Sequence != 2 {
		t.Errorf("%+v", got)
	}
}

func TestHostileUploads(t *testing.T) {
	w := newWorld(t)
	path := w.confirmed(t, "tab-1") + "/journal"
	seq := "application/cbor-seq"
	post := func(body []byte, headers ...string) *httptest.ResponseRecorder {
		return w.do("POST", path, body, append([]string{"Content-Type", seq}, headers...)...)
	}
	want(t, "nothing", post(nil), 400, "bad_body")
	want(t, "cut off", post(record(1, "abc")[:4]), 400, "bad_body")
	want(t, "a good record and half of one", post(append(record(1, "a"), record(2, "abc")[:4]...)), 400, "bad_body")
	want(t, "not CBOR", post([]byte("<html>\xff")), 400, "bad_body")
	want(t, "too large", post(make([]byte, api.MaxUploadBytes+1)), 413, "too_large")
	want(t, "too many", post(bytes.Repeat([]byte{0x01}, api.MaxUploadRecords+1)), 413, "too_large")
	want(t, "gzipped", post(record(1, "a"), "Content-Encoding", "gzip"), 415, "wrong_content_type")
	want(t, "a form", w.do("POST", path, record(1, "a"), "Content-Type", "application/x-www-form-urlencoded"), 415, "wrong_content_type")
	want(t, "nobody's", w.do("POST", "/api/v1/devices/0102030405060708/journal", record(1, "a"), "Content-Type", seq), 404, "device_unknown")
	if len(w.stored) != 0 {
		t.Errorf("%d are stored", len(w.stored))
	}
}

// Whatever is sent as a journal: an answer for every record, or a refusal of the whole.
func FuzzJournal(f *testing.F) {
	f.Add(append(record(1, "a"), record(666, "x")...))
	f.Add([]byte{0x9f, 0x01})
	f.Add(bytes.Repeat([]byte{0x00}, api.MaxUploadRecords+1))
	w := newWorld(f)
	path := w.confirmed(f, "tab-1")
	f.Fuzz(func(t *testing.T, body []byte) {
		a := w.do("POST", path+"/journal", body, "Content-Type", "application/cbor-seq")
		if a.Code != 200 {
			if a.Code != 400 && a.Code != 413 {
				t.Fatalf("%d %s", a.Code, a.Body)
			}
			return
		}
		var got acks
		if err := json.Unmarshal(a.Body.Bytes(), &got); err != nil || len(got.Records) == 0 {
			t.Fatalf("%v %s", err, a.Body)
		}
		// The records are the body, cut and nothing left over.
		rest := body
		for _, r := range got.Records {
			n, _, err := cbor.Scan(rest, cbor.DefaultLimits)
			if err != nil {
				t.Fatal(err)
			}
			if sum := sha256.Sum256(rest[:n]); hex.EncodeToString(sum[:]) != r.SHA256 {
				t.Fatalf("%x is answered as %s", rest[:n], r.SHA256)
			}
			rest = rest[n:]
		}
		if len(rest) > 0 {
			t.Fatalf("%d bytes were not answered", len(rest))
		}
	})
}
