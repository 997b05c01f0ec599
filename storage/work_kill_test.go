package storage_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"aidpass/access"
	"aidpass/access/work"
	"aidpass/storage"
)

// working is the folder in which TestKillWorkChild does a job, in a process of its own.
const working = "AIDPASS_TEST_KILL_WORK"

const workRows = 200

// TestKillWork kills a program again and again in the middle of a job. Each next one takes
// it up by itself, no row is left out, and only the row of the kill is ever done twice.
func TestKillWork(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED: processes and their deaths take long under the race detector")
	}
	dir := t.TempDir()
	db, err := storage.Open(t.Context(), dir, storage.Options{})
	check(t, err)
	defer db.Close()
	org, err := db.CreateOrg(t.Context(), "org-a", make([]byte, storage.KEKBytes), access.Actor{ID: "acc-1", Role: access.OrgAdmin})
	check(t, err)
	r := &work.Runner{Store: org}
	r.Handle("rows", rows(dir))
	j, err := r.Start(t.Context(), access.Actor{ID: "acc-1", Role: access.Issuer}, work.New{Kind: "rows", Total: workRows})
	check(t, err)
	kills := 0
	for ; kills < 100; kills++ {
		c := startChild(t, "TestKillWorkChild", working+"="+dir)
		time.Sleep(time.Duration(20+rand.IntN(80)) * time.Millisecond)
		killChild(t, c)
		if j, err = r.Job(t.Context(), j.ID); err != nil || j.State == work.Done {
			break
		}
	}
	check(t, err)
	if j.State != work.Done || j.Result != "/rows" || kills < 2 {
		t.Fatalf("after %d kills: %+v", kills, j)
	}
	b, err := os.ReadFile(filepath.Join(dir, "rows"))
	check(t, err)
	times := map[string]int{}
	twice := 0
	for _, line := range strings.Fields(string(b)) {
		if times[line]++; times[line] > 1 {
			twice++
		}
	}
	if len(times) != workRows || twice > kills {
		t.Errorf("%d rows of %d, %d done again in %d kills", len(times), workRows, twice, kills)
	}
	_, err = org.VerifyAudit(t.Context(), access.Head{})
	check(t, err)
}

// rows writes numbers into a file.
func rows(dir string) work.Kind {
	return work.Kind{Act: access.BatchIssue, Word: "jobs.title", Do: func(ctx context.Context, t *work.Turn) (string, error) {
		f, err := os.OpenFile(filepath.Join(dir, "rows"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			return "", err
		}
		defer f.Close()
		n := 0
		if p := t.Progress(); p != nil {
			if err := json.Unmarshal(p, &n); err != nil {
				return "", err
			}
		}
		for n < workRows {
			if _, err := fmt.Fprintln(f, n); err != nil {
				return "", err
			}
			n++
			time.Sleep(3 * time.Millisecond) // so that most kills find it at work
			if err := t.Save(ctx, fmt.Append(nil, n), n, workRows); err != nil {
				return "", err
			}
		}
		return "/rows", nil
	}}
}

func TestKillWorkChild(t *testing.T) {
	dir := os.Getenv(working)
	if dir == "" {
		t.Skip("run by TestKillWork")
	}
	db, err := storage.Open(t.Context(), dir, storage.Options{})
	check(t, err)
	org, err := db.Org(t.Context(), "org-a", make([]byte, storage.KEKBytes))
	check(t, err)
	r := &work.Runner{Store: org}
	r.Handle("rows", rows(dir))
	os.Stdout.WriteString("begin\n")
	check(t, r.Begin(t.Context()))
	r.Wait()
}
