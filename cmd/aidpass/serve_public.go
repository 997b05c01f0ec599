package main

import (
	"context"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"time"

	"aidpass/access"
	"aidpass/status"
	"aidpass/trust"
	"aidpass/web/api"
)

// refreshEvery is how soon the server shows what another command has published.
const refreshEvery = 2 * time.Second

// dropEvery is how often it deletes what wallets showed and is not kept any longer, in
// refreshes: a minute.
const dropEvery = 30

func (s *serving) watch(ctx context.Context) {
	tick := time.NewTicker(refreshEvery)
	defer tick.Stop()
	defer s.counting.Wait()
	defer s.nightly.working.Wait()
	s.count(ctx)
	s.nightly.look(ctx)
	seen := ""
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if n%dropEvery == 0 {
			if _, err := s.a.requests(s.o).Drop(ctx); err != nil {
				s.log.Error("what wallets showed is kept longer than it was to be", "code", access.ErrorCode(err))
			}
		}
		s.sweep(ctx)
		s.count(ctx)
		s.nightly.look(ctx)
		s.move()
		if s.desk != nil {
			if err := s.desk.renew(false); err != nil {
				s.log.Error("the keys for wallets are not read anew", "code", access.ErrorCode(err))
			}
		}
		now, err := s.published()
		if err == nil && now == seen {
			continue
		}
		if err == nil {
			if err := s.followTrust(); err != nil {
				s.log.Error("the trust list is not read anew", "code", access.ErrorCode(err))
			}
			err = s.refresh(ctx)
		}
		if err != nil {
			s.log.Error("public documents are not read anew", "code", access.ErrorCode(err))
			continue
		}
		seen = now
	}
}

// followTrust goes by the newest trust list: that of --trust, where the file is another
// now, or a newer one that another command brought here.
func (s *serving) followTrust() error {
	s.packs.mu.Lock()
	s.a.kept = nil
	have, err := s.a.keptList()
	if err == nil && s.packs.flags.trust != s.a.keptPath() {
		var raw []byte
		var list *trust.List
		raw, list, err = readList(s.packs.flags.trust, trust.Anchors{})
		switch {
		case err != nil:
		case have != nil && have.ID == list.ID && have.Sequence > list.Sequence:
			s.a.say("%s is list %d, and list %d has been used here: from now on this server goes by %s", s.packs.flags.trust, list.Sequence, have.Sequence, s.a.keptPath())
			s.packs.flags.trust = s.a.keptPath()
		case have == nil || have.Digest() != list.Digest():
			err = s.a.keepTrustList(raw, list, s.packs.flags.chain)
		}
	}
	s.packs.mu.Unlock()
	if err != nil || s.desk == nil {
		return err
	}
	if err := s.desk.renew(true); err != nil {
		return err
	}
	s.openid.Renew()
	return nil
}

// published tells what is public apart from that of another time: the files of the
// public folder, and what the organisation's keys are told from.
func (s *serving) published() (string, error) {
	var mark strings.Builder
	if info, err := os.Stat(s.f.pack.trust); err == nil { // may lie elsewhere
		fmt.Fprintln(&mark, info.Size(), info.ModTime().UnixNano())
	}
	withdrawn, err := s.o.withdrawals()
	if err != nil {
		return "", err
	}
	fmt.Fprintln(&mark, len(withdrawn)) // each stays for good
	err = s.walkPublic(func(name string, info fs.FileInfo) error {
		fmt.Fprintln(&mark, name, info.Size(), info.ModTime().UnixNano())
		return nil
	})
	return mark.String(), err
}

func (s *serving) walkPublic(visit func(name string, info fs.FileInfo) error) error {
	dir := s.a.publicDir()
	return filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() || strings.HasPrefix(e.Name(), ".") {
			return err
		}
		info, err := e.Info()
		if notThere(err) {
			return nil // replaced this moment: the next look sees it
		}
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		return visit(filepath.ToSlash(name), info)
	})
}

// maxPublicFile bounds a public document: a status list of 2^24 entries.
const maxPublicFile = 8 << 20

// refresh takes the public folder into memory: below /public/, and each status
// list also under the path of its own URI, for a server that stands at that name;
// so are the organisation's keys for wallet credentials.
func (s *serving) refresh(ctx context.Context) error {
	docs := map[string]*api.Document{}
	err := s.walkPublic(func(name string, _ fs.FileInfo) error {
		body, err := readFile(filepath.Join(s.a.publicDir(), filepath.FromSlash(name)), maxPublicFile)
		if notThere(err) {
			return nil
		}
		docs["/public/"+name] = api.NewDocument(api.MediaType(name), body)
		return err
	})
	if err != nil {
		return err
	}
	uris, err := s.o.store.StatusLists(ctx, s.a.Now())
	if err != nil {
		return err
	}
	for _, uri := range uris {
		_, rest, _ := strings.Cut(uri, "://")
		_, path, ok := strings.Cut(rest, "/")
		if doc := docs["/public/status/"+slug(uri)+".cwt"]; ok && path != "" && doc != nil {
			docs["/"+path] = doc
		}
		if doc := docs["/public/status/"+slug(uri)+".jwt"]; ok && path != "" && doc != nil {
			docs["/"+status.URIOfJWT(path)] = doc
		}
	}
	keys, err := s.webKeys()
	if err != nil {
		return err
	}
	maps.Copy(docs, keys)
	if s.ca != nil {
		docs[siteCAPath] = api.NewDocument(api.MediaType(siteCAPath), s.ca.Raw)
	}
	s.public.Fill(docs)
	return nil
}
