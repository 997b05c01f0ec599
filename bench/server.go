package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"time"

	"aidpass/access"
	"aidpass/internal/cose"
	"aidpass/storage"
	"aidpass/verifier/enrol"
	vt "aidpass/verifier/verifiertest"
	"aidpass/verifier/visit"
	"aidpass/web/api"
)

// server is what `aidpass serve` costs a request beside a file server of the standard
// library: both over a kept connection of this machine, client and all.
func server(budget time.Duration) []row {
	ctx := context.Background()
	dir := must(os.MkdirTemp("", "aidpass-bench"))
	defer os.RemoveAll(dir)
	db := must(storage.Open(ctx, dir, storage.Options{}))
	defer db.Close()
	admin := access.Actor{ID: "acc-1", Role: access.OrgAdmin}
	org := must(db.CreateOrg(ctx, "org-a", make([]byte, storage.KEKBytes), admin))
	key := vt.P256("tab-1")
	d := access.Device{KID: key.Key.ID(), Key: key.Key, Name: "tab-1", Site: "wellA", State: access.DeviceConfirmed, Certificate: []byte{1}, From: vt.Now, Until: vt.Now + 1e6}
	check(org.SaveDevice(ctx, admin, d))

	document := bytes.Repeat([]byte("entry of a trust list, "), 90) // 2 KB
	shelf := &api.Shelf{}
	shelf.Fill(map[string]*api.Document{"/public/trust.list": api.NewDocument("application/cose", document)})
	ours := httptest.NewServer(must(api.New(api.Config{Devices: desk{org}, Visits: desk{org}, Public: shelf, Now: time.Now})))
	defer ours.Close()
	tag := fmt.Sprintf("%q", fmt.Sprintf("%x", sha256.Sum256(document)))
	plain := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/cose")
		w.Header().Set("ETag", tag)
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(document))
	}))
	defer plain.Close()
	folder := must(os.MkdirTemp(dir, "public"))
	check(os.WriteFile(folder+"/trust.list", document, 0o600))
	disk := httptest.NewServer(http.FileServer(http.Dir(folder)))
	defer disk.Close()

	client := &http.Client{Transport: &http.Transport{DisableCompression: true}}
	ask := func(status int, r *http.Request) {
		a := must(client.Do(r))
		must(io.Copy(io.Discard, a.Body))
		a.Body.Close()
		if a.StatusCode != status {
			panic(a.Status)
		}
	}
	get := func(status int, url string, headers ...string) func() {
		return func() {
			r := must(http.NewRequest("GET", url, nil))
			for i := 0; i < len(headers); i += 2 {
				r.Header.Set(headers[i], headers[i+1])
			}
			ask(status, r)
		}
	}
	url := ours.URL + "/public/trust.list"
	etag := must(client.Head(url)).Header.Get("ETag")
	floor, x := beside(budget, get(200, plain.URL), get(200, url), get(304, url, "If-None-Match", etag), get(200, url, "Accept-Encoding", "gzip"), get(200, disk.URL+"/trust.list"))
	against := micro("an in-memory document of net/http over the same wire", floor)
	perSecond := func(ratio float64) string {
		return fmt.Sprintf("%.0f a second; %s", 1e9/(float64(floor)*ratio), against)
	}
	rows := []row{
		atMost("server: public document, 2 KB, with its headers", x[0], 1.35, "%.2f", " x", perSecond(x[0])),
		told("server: the same, not modified", x[1], "%.2f", " x", perSecond(x[1])),
		told("server: the same, gzip", x[2], "%.2f", " x", perSecond(x[2])),
		told("net/http's own file server, from disk", x[3], "%.2f", " x", perSecond(x[3])),
	}

	// A journal comes in parts, each on the disk before its answer.
	const parts, size = 12, 50
	var bodies []string
	var prev []byte
	for n := range uint64(parts * size) {
		v := visit.Visit{Device: []byte("device-1"), Sequence: n + 1, At: vt.Now, Kind: visit.Note, Code: "served"}
		p := must(visit.Prepare(key.Key, prev, v))
		prev = must(p.Attach(must(cose.SignRaw(key, p.ToBeSigned()))))
		if n%size == 0 {
			bodies = append(bodies, "")
		}
		bodies[len(bodies)-1] += string(prev)
	}
	path := ours.URL + "/api/v1/devices/" + d.ID() + "/journal"
	start := time.Now()
	for _, body := range bodies {
		r := must(http.NewRequest("POST", path, strings.NewReader(body)))
		r.Header.Set("Content-Type", "application/cbor-seq")
		ask(200, r)
	}
	each := time.Since(start) / parts
	return append(rows, told(fmt.Sprintf("server: upload of %d records, on the disk", size), float64(each)/float64(floor), "%.0f", " x",
		fmt.Sprintf("%.0f records a second; %s", size*float64(time.Second)/float64(each), against)))
}

// desk joins server and database as the program does.
type desk struct{ org *storage.Org }

func (d desk) Enrol(context.Context, string, enrol.Request) (access.Device, error) {
	return access.Device{}, api.ErrCode
}

func (d desk) Device(ctx context.Context, kid [8]byte) (access.Device, error) {
	return d.org.Device(ctx, kid)
}

func (d desk) Accept(ctx context.Context, v access.Device, records [][]byte) (acks []api.Ack, err error) {
	var piece visit.Piece
	for _, raw := range records {
		r, err := visit.ParseRecord(raw, func([]byte) *cose.Key { return v.Key })
		if err != nil {
			return nil, err
		}
		piece.Records = append(piece.Records, r)
	}
	kept, err := d.org.AddVisits(ctx, access.Actor{ID: "device-" + v.ID(), Role: access.Verifier, Device: v.ID()}, &piece)
	for _, k := range kept {
		if k.State != storage.VisitAccepted {
			err = errors.Join(err, fmt.Errorf("record %d: %s", k.Sequence, k.State))
		}
		acks = append(acks, api.Ack{Sequence: k.Sequence, Hash: k.Hash, State: api.AckState(k.State)})
	}
	return acks, err
}

func (d desk) Receipt(ctx context.Context, v access.Device) ([]byte, error) {
	key := vt.P256("pack")
	r, err := d.org.DeviceReceipt(ctx, v.KID, vt.Now)
	if err != nil {
		return nil, err
	}
	p, err := visit.PrepareReceipt(key.Key, r)
	if err != nil {
		return nil, err
	}
	sig, err := cose.SignRaw(key, p.ToBeSigned())
	if err != nil {
		return nil, err
	}
	return p.Attach(sig)
}
