package api_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"aidpass/internal/patience"
	"aidpass/web/api"
)

// live is a server that really listens, with TLS.
type live struct {
	*world
	address string
	client  *http.Client
	stop    context.CancelFunc
	ended   chan error
}

func start(t *testing.T, with ...func(*api.Config)) *live {
	t.Helper()
	w := newWorld(t, with...)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(leaf)
	plain, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := tls.NewListener(plain, &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, NextProtos: []string{"h2", "http/1.1"}})
	ctx, stop := context.WithCancel(t.Context())
	s := &live{world: w, address: plain.Addr().String(), stop: stop, ended: make(chan error, 1)}
	s.client = &http.Client{Timeout: 60 * time.Second, Transport: &http.Transport{ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{RootCAs: roots}}}
	go func() { s.ended <- w.server.Serve(ctx, l) }()
	t.Cleanup(func() { stop(); s.client.CloseIdleConnections() })
	return s
}

func (s *live) url(path string) string { return "https://" + s.address + path }

// raw opens a connection that a hostile client may do anything with.
func (s *live) raw(t *testing.T) net.Conn {
	t.Helper()
	c, err := tls.Dial("tcp", s.address, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"http/1.1"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func TestRealTLS(t *testing.T) {
	s := start(t)
	a, err := s.client.Get(s.url("/scanner/"))
	if err != nil {
		t.Fatal(err)
	}
	defer a.Body.Close()
	if a.StatusCode != 200 || a.ProtoMajor != 2 || a.Header.Get("Strict-Transport-Security") == "" {
		t.Errorf("%s %s, %v", a.Proto, a.Status, a.Header)
	}
	old, err := tls.Dial("tcp", s.address, &tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS11})
	if err == nil {
		old.Close()
		t.Error("TLS 1.1 was taken")
	}
	if strings.Contains(s.logs.String(), "127.0.0.1") {
		t.Errorf("the log holds an address:\n%s", s.logs)
	}
}

func TestSlowClientsAreSentAway(t *testing.T) {
	s := start(t, func(c *api.Config) {
		c.Limits.Header, c.Limits.Request, c.Limits.InFlight = time.Second, 2*time.Second, 8
	})
	path := s.confirmed(t, "tab-1")
	const slow = 20
	var all sync.WaitGroup
	begun := time.Now()
	for i := range slow {
		c := s.raw(t)
		all.Go(func() {
			if i%2 == 0 {
				fmt.Fprintf(c, "GET / HTTP/1.1\r\nHost: localhost\r\nX-A: ") // and never the rest
			} else {
				fmt.Fprintf(c, "POST %s/journal HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/cbor-seq\r\nContent-Length: 1000000\r\n\r\n", path)
				for range 60 {
					if _, err := c.Write([]byte{1}); err != nil {
						break
					}
					time.Sleep(50 * time.Millisecond)
				}
			}
			io.Copy(io.Discard, c) // until the server ends it
		})
	}
	all.Wait()
	if took := time.Since(begun); took > patience.Limit {
		t.Errorf("they were held for %s", took)
	}
	if len(s.stored) != 0 {
		t.Errorf("%d records of half a request are stored", len(s.stored))
	}
	// The others go on.
	if got := s.upload(t, path, record(1, "a")); got.Records[0].State != "accepted" {
		t.Errorf("%+v", got)
	}
}

func TestCutOffUploadsCountForNothing(t *testing.T) {
	s := start(t)
	path := s.confirmed(t, "tab-1")
	body := append(record(1, "a"), record(2, "b")...)
	for cut := range body {
		c := s.raw(t)
		fmt.Fprintf(c, "POST %s/journal HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/cbor-seq\r\nContent-Length: %d\r\n\r\n%s", path, len(body), body[:cut])
		c.Close()
	}
	a := s.upload(t, path, record(3, "c"))
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.stored) != 1 || a.Records[0].State != "accepted" {
		t.Errorf("%d are stored", len(s.stored))
	}
}

func TestBigBodiesAndHeaders(t *testing.T) {
	s := start(t)
	path := s.confirmed(t, "tab-1")
	// Without a length, so that only reading tells.
	endless := io.MultiReader(bytes.NewReader(make([]byte, api.MaxUploadBytes)), bytes.NewReader(make([]byte, 64<<20)))
	a, err := s.client.Post(s.url(path+"/journal"), "application/cbor-seq", endless)
	if err == nil {
		a.Body.Close()
		if a.StatusCode != 413 {
			t.Errorf("65 MiB: %s", a.Status)
		}
	}
	c := s.raw(t)
	go func() {
		fmt.Fprintf(c, "GET / HTTP/1.1\r\nHost: localhost\r\n")
		for range 1000 {
			if _, err := fmt.Fprintf(c, "X-A: %s\r\n", strings.Repeat("a", 1000)); err != nil {
				return
			}
		}
	}()
	line, err := bufio.NewReader(c).ReadString('\n')
	if err == nil && !strings.Contains(line, " 431 ") {
		t.Errorf("a megabyte of headers: %q", line)
	}
}

// R18: what was acknowledged is stored, whenever the server is told to stop; and
// what was not acknowledged is sent again and stored once.
func TestStopUnderLoadLosesNothing(t *testing.T) {
	s := start(t, func(c *api.Config) { c.Limits.Drain = patience.Limit })
	s.behave(nil, 3*time.Millisecond)
	path := s.confirmed(t, "tab-1")
	var acked sync.Map
	var count atomic.Int64
	var all sync.WaitGroup
	for phone := range 16 {
		all.Go(func() {
			for n := uint64(1); ; n++ {
				raw := record(uint64(phone)*1_000_000+n, "x")
				a, err := s.client.Post(s.url(path+"/journal"), "application/cbor-seq", bytes.NewReader(raw))
				if err != nil {
					return // the server is gone: the record stays on the phone
				}
				body, err := io.ReadAll(a.Body)
				a.Body.Close()
				var got acks
				if a.StatusCode != 200 || err != nil || json.Unmarshal(body, &got) != nil || got.Ack != "aidpass-ack-1" {
					if a.StatusCode == 503 && a.Header.Get("Retry-After") == "" {
						t.Error("503 without Retry-After")
					}
					if a.StatusCode != 503 && err == nil {
						t.Errorf("%s %s", a.Status, body)
					}
					return
				}
				acked.Store(sha256.Sum256(raw), true)
				count.Add(1)
			}
		})
	}
	patience.Until(t, "it is busy", func() bool { return count.Load() >= 100 })
	s.stop()
	if err := <-s.ended; err != nil {
		t.Fatalf("stop: %v", err)
	}
	// From here on the database may be closed: nothing is written any more.
	s.mu.Lock()
	stored := len(s.stored)
	s.mu.Unlock()
	all.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.stored) != stored {
		t.Errorf("%d records were stored after the end", len(s.stored)-stored)
	}
	lost := 0
	acked.Range(func(hash, _ any) bool {
		if s.stored[hash.([32]byte)] == 0 {
			lost++
		}
		return true
	})
	if n := count.Load(); lost > 0 || n < 10 {
		t.Errorf("%d of %d acknowledged records are lost", lost, n)
	}
}

func TestStopDoesNotWaitForever(t *testing.T) {
	s := start(t, func(c *api.Config) { c.Limits.Drain, c.Limits.Wait = 200*time.Millisecond, 300*time.Millisecond })
	s.behave(nil, time.Hour)
	path := s.confirmed(t, "tab-1")
	go func() {
		if a, err := s.client.Post(s.url(path+"/journal"), "application/cbor-seq", bytes.NewReader(record(1, "x"))); err == nil {
			a.Body.Close()
		}
	}()
	time.Sleep(100 * time.Millisecond)
	s.stop()
	select {
	case <-s.ended:
	case <-time.After(patience.Limit):
		t.Fatal("it hangs")
	}
}

// T21: garbage on the public paths does not keep a phone from being answered.
func TestUploadsGoOnInAFlood(t *testing.T) {
	s := start(t)
	path := s.confirmed(t, "tab-1")
	ctx, end := context.WithCancel(t.Context())
	var flood sync.WaitGroup
	for range 8 {
		flood.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				r, _ := http.NewRequestWithContext(ctx, "POST", s.url("/api/v1/enrol"), strings.NewReader(strings.Repeat("{", 900)))
				r.Header.Set("Content-Type", "application/json")
				if i%2 == 0 {
					r, _ = http.NewRequestWithContext(ctx, "GET", s.url("/public/"+strings.Repeat("x", i%500)), nil)
				}
				if a, err := s.client.Do(r); err == nil {
					io.Copy(io.Discard, a.Body)
					a.Body.Close()
				}
			}
		})
	}
	var slowest time.Duration
	for n := range uint64(100) {
		begun := time.Now()
		a, err := s.client.Post(s.url(path+"/journal"), "application/cbor-seq", bytes.NewReader(record(n+1, "x")))
		if err != nil || a.StatusCode != 200 {
			t.Fatalf("%v %v", a, err)
		}
		io.Copy(io.Discard, a.Body)
		a.Body.Close()
		slowest = max(slowest, time.Since(begun))
	}
	end()
	flood.Wait()
	t.Logf("slowest of 100 uploads in the flood: %s", slowest) // by the client's limit none waited for a minute
}
