package indicator_test

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"runtime"
	"testing"
	"time"

	"aidpass/issuer/registry"
	"aidpass/issuer/registry/quality"
	"aidpass/issuer/registry/quality/indicator"
)

// A camp is a register of any size that is made while it is read: households of five, 300
// sites, 40 clerks.
type camp struct {
	registry.View
	homes  int
	person map[string][]byte
	house  map[string][]byte
}

const ofHome = 5

func newCamp(people int) *camp {
	return &camp{homes: people / ofHome,
		person: must(registry.Person{Sex: "f", Origin: "SOM", Relation: registry.Child, Languages: []string{"som"}, Assurance: "declared", Birth: &registry.Birth{EDTF: "2001-05-07", Precision: "day"}}.Fields()),
		house: must(registry.Household{Size: ofHome, Registered: "2026-10-01", CollectType: "full", Origin: "SOM", Residence: "REFUGEE",
			Consents: []registry.Consent{{Purpose: "registration", Given: true, On: "2026-10-01"}}}.Fields())}
}

func campID(kind byte, n int) (id registry.ID) {
	id[0] = kind
	binary.BigEndian.PutUint32(id[12:], uint32(n))
	return id
}

func (c *camp) Units(kind registry.Kind, after registry.ID, limit int) (ids []registry.ID, err error) {
	k, n := byte(1), c.homes
	if kind == registry.KindPerson {
		k, n = 2, c.homes*ofHome
	}
	from := 0
	if !after.IsZero() {
		from = int(binary.BigEndian.Uint32(after[12:])) + 1
	}
	for i := from; i < n && len(ids) < limit; i++ {
		ids = append(ids, campID(k, i))
	}
	return ids, nil
}

func (c *camp) Members(id registry.ID) (ids []registry.ID, err error) {
	n := int(binary.BigEndian.Uint32(id[12:]))
	for k := range ofHome {
		ids = append(ids, campID(2, n*ofHome+k))
	}
	return ids, nil
}

func (c *camp) Record(id registry.ID) (registry.Record, error) {
	n := int(binary.BigEndian.Uint32(id[12:]))
	rec := registry.Record{ID: id, Kind: registry.KindHousehold, CreatedAt: at.Add(-time.Duration(n) * time.Minute), Fields: map[string]registry.Value{}}
	fields := c.house
	if id[0] == 2 {
		rec.Kind, rec.Household, fields = registry.KindPerson, campID(1, n/ofHome), c.person
	}
	put := func(name string, data []byte) {
		rec.Fields[name] = registry.Value{Version: 1, Data: data, At: rec.CreatedAt, By: fmt.Sprintf("clerk-%d", n/ofHome%40)}
	}
	for name, data := range fields {
		put(name, data)
	}
	if id[0] == 2 {
		name := must(registry.Person{Names: []registry.Name{{Text: firsts[n%16] + " " + lasts[n/16%16] + " " + firsts[n/256%16] + " " + lasts[n/4096%16]}},
			Contacts: []registry.Contact{{Kind: "phone", Value: fmt.Sprintf("+2547%08d", n%100_000_000)}}}.Fields())
		put("names", name["names"])
		put("contacts", name["contacts"])
		return rec, nil
	}
	place := must(registry.Household{Location: &registry.Location{PCode: fmt.Sprintf("SO%02d%02d", 11+n%6, n%30), Site: fmt.Sprintf("site-%d", n%300), Country: "KEN"}}.Fields())
	put("location", place["location"])
	return rec, nil
}

func (c *camp) Doubles(bool) ([]registry.Double, error)              { return nil, nil }
func (c *camp) DoublesOf(registry.ID) ([]registry.Double, error)     { return nil, nil }
func (c *camp) Programmes() ([]registry.Programme, error)            { return nil, nil }
func (c *camp) AsOf(registry.ID, time.Time) (registry.Record, error) { panic("not asked") }

// What one pass costs, with reading made records: storage has to open the seals besides.
func BenchmarkMeasure(b *testing.B) {
	for _, people := range []int{100_000, 1_000_000} {
		b.Run(fmt.Sprint(people), func(b *testing.B) {
			c := newCamp(people)
			var most uint64
			for b.Loop() {
				done, peak := make(chan struct{}), make(chan uint64)
				go func() {
					var most uint64
					for {
						var m runtime.MemStats
						runtime.ReadMemStats(&m)
						most = max(most, m.HeapInuse)
						select {
						case <-done:
							peak <- most
							return
						case <-time.After(100 * time.Millisecond):
						}
					}
				}()
				r, err := indicator.Measure(context.Background(), c, indicator.Options{Policy: quality.Default(), At: at})
				close(done)
				most = max(most, <-peak)
				if err != nil {
					b.Fatal(err)
				}
				s, parts := r.Snapshot()
				head, cut := must(json.Marshal(s)), must(json.Marshal(parts[indicator.Site]))
				b.ReportMetric(float64(len(head))/1024, "KiB-day")
				b.ReportMetric(float64(len(cut))/1024, "KiB-sites")
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(people), "ns/person")
			b.ReportMetric(float64(most)/(1<<20), "MiB-peak")
		})
	}
}
