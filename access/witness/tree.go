package witness

import (
	"crypto/sha256"
	"fmt"
	"io"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

// A growing tree: the roots of its full parts, largest first. It takes leaves in
// order and gives the root at any moment, in memory of the logarithm of its size.
type growing struct {
	size  uint64
	parts []tlog.Hash
}

// add takes the next leaf, and tells each full part that ends with it; tell may be nil.
func (g *growing) add(leaf tlog.Hash, tell func(part tlog.Hash)) {
	g.parts = append(g.parts, leaf)
	for n := g.size; n&1 == 1; n >>= 1 {
		last := len(g.parts) - 1
		g.parts = append(g.parts[:last-1], tlog.NodeHash(g.parts[last-1], g.parts[last]))
		if tell != nil {
			tell(g.parts[last-1])
		}
	}
	g.size++
}

// root is the Merkle tree hash. RFC 6962 2.1: of no leaf it is SHA-256 of nothing.
func (g *growing) root() tlog.Hash {
	last := len(g.parts) - 1
	if last < 0 {
		return sha256.Sum256(nil)
	}
	h := g.parts[last]
	for i := last - 1; i >= 0; i-- {
		h = tlog.NodeHash(g.parts[i], h)
	}
	return h
}

// Grow returns the hashes to be stored when leaves follow the first size of a tree
// whose stored hashes r reads, from index tlog.StoredHashCount(size) on, and the
// root after them.
func Grow(size uint64, leaves []tlog.Hash, r tlog.HashReader) (stored []tlog.Hash, root tlog.Hash, err error) {
	first := tlog.StoredHashCount(int64(size))
	both := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		out := make([]tlog.Hash, len(indexes))
		var ask []int64
		for i, x := range indexes {
			if x >= first {
				if x-first >= int64(len(stored)) {
					return nil, fmt.Errorf("witness: hash %d is not stored yet", x)
				}
				out[i] = stored[x-first]
			} else {
				ask = append(ask, x)
			}
		}
		if len(ask) == 0 {
			return out, nil
		}
		old, err := r.ReadHashes(ask)
		if err != nil {
			return nil, err
		}
		for i, x := range indexes {
			if x < first {
				out[i], old = old[0], old[1:]
			}
		}
		return out, nil
	})
	n := int64(size)
	for _, leaf := range leaves {
		more, err := tlog.StoredHashesForRecordHash(n, leaf, both)
		if err != nil {
			return nil, root, fmt.Errorf("witness: %w", err)
		}
		stored = append(stored, more...)
		n++
	}
	if n == 0 {
		return stored, sha256.Sum256(nil), nil
	}
	root, err = tlog.TreeHash(n, both)
	return stored, root, err
}

// tileHeight is that of C2SP tlog-tiles: 256 hashes a tile.
const tileHeight = 8

// tilePath is a tile's path of C2SP tlog-tiles, which does not name the height.
func tilePath(t tlog.Tile) string {
	return strings.Replace(t.Path(), fmt.Sprintf("tile/%d/", tileHeight), "tile/", 1)
}

// WriteTiles gives write every tile of a tree: hashes alone, which tell nothing of
// an entry to who does not have it. Bundles of entries are not written: they name
// accounts.
func WriteTiles(size uint64, r tlog.HashReader, write func(path string, data []byte) error) error {
	for _, t := range tlog.NewTiles(tileHeight, 0, int64(size)) {
		data, err := tlog.ReadTileData(t, r)
		if err != nil {
			return fmt.Errorf("witness: tile %s: %w", tilePath(t), err)
		}
		if err := write(tilePath(t), data); err != nil {
			return err
		}
	}
	return nil
}

// TileLeaves reads the leaves of a tree of a size from its lowest tiles, in order.
// read returns the file at a path; of a tile that is not there whole it is asked
// for the part that stood at the end of the tree.
func TileLeaves(size uint64, read func(path string) ([]byte, error)) Leaves {
	var data []byte
	next := uint64(0)
	return func() (h tlog.Hash, err error) {
		if next == size {
			return h, io.EOF
		}
		if len(data) == 0 {
			t := tlog.Tile{H: tileHeight, L: 0, N: int64(next >> tileHeight), W: int(min(1<<tileHeight, size-next))}
			if data, err = read(tilePath(t)); err != nil {
				return h, err
			}
			if len(data) != t.W*tlog.HashSize {
				return h, fmt.Errorf("witness: the tile %s has %d bytes, not %d", tilePath(t), len(data), t.W*tlog.HashSize)
			}
		}
		h, data = tlog.Hash(data[:tlog.HashSize]), data[tlog.HashSize:]
		next++
		return h, nil
	}
}

// StoredLeaves gives the leaves among the stored hashes of a tree, which next reads
// in the order of their indexes; io.EOF after the last. Where a hash is missing, or is
// not that of the leaves below it, the leaf in its place is one that fits no entry.
func StoredLeaves(next func() (index int64, h tlog.Hash, err error)) Leaves {
	var g growing
	var want, have int64
	var hash tlog.Hash
	held := false // hash was read, and belongs to a later index
	take := func() (tlog.Hash, error) {
		if !held {
			var err error
			if have, hash, err = next(); err != nil {
				return tlog.Hash{}, err
			}
		}
		held = have != want
		want++
		if held {
			return tlog.Hash{}, nil
		}
		return hash, nil
	}
	return func() (tlog.Hash, error) {
		leaf, err := take()
		if err != nil {
			return leaf, err
		}
		fits := true
		g.add(leaf, func(part tlog.Hash) { // the full parts it ends are stored behind it
			if stored, e := take(); e != nil && e != io.EOF {
				err = e
			} else if e != nil || stored != part {
				fits = false
			}
		})
		if !fits {
			return tlog.Hash{}, err
		}
		return leaf, err
	}
}
