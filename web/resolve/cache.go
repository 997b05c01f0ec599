package resolve

import (
	"sync"
	"time"
)

// Bounds of the cache. It spares others our questions; it is no store, and what
// must be known offline travels in packs.
const (
	maxKept        = 5 * time.Minute
	maxCached      = 256     // answers
	maxCachedBytes = 8 << 20 // of all answers
)

// cache keeps answers for a short while. The zero cache is empty.
type cache struct {
	mu    sync.Mutex
	kept  map[string]kept
	bytes int
}

type kept struct {
	body  []byte
	until time.Time
}

// find returns what was kept under key. The caller must not change it.
func (c *cache) find(key string, now time.Time) ([]byte, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	k, ok := c.kept[key]
	return k.body, ok && now.Before(k.until)
}

// add keeps body for a while. Where there is no room, old answers go first, then
// any: a stranger who fills the cache gains nothing but our questions.
func (c *cache) add(key string, body []byte, now time.Time, keep time.Duration) {
	if keep <= 0 || len(body) > maxCachedBytes/4 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.kept == nil {
		c.kept = map[string]kept{}
	}
	c.drop(key)
	full := func() bool { return len(c.kept) >= maxCached || c.bytes+len(body) > maxCachedBytes }
	for _, all := range []bool{false, true} {
		for old, k := range c.kept {
			if !full() {
				break
			}
			if all || !now.Before(k.until) {
				c.drop(old)
			}
		}
	}
	c.kept[key] = kept{body, now.Add(keep)}
	c.bytes += len(body)
}

func (c *cache) drop(key string) {
	c.bytes -= len(c.kept[key].body)
	delete(c.kept, key)
}
