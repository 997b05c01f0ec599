package witness

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"

	"golang.org/x/mod/sumdb/tlog"

	"aidpass/access"
)

// A Promise is a checkpoint somebody holds: as a note or on paper.
type Promise struct {
	Name string // where it comes from, for people: a file's name, "paper"
	Paper
}

// Leaves gives the leaves of a tree that somebody stored, in order; io.EOF after the last.
type Leaves func() (tlog.Hash, error)

// A Tree is one that was stored of the log: in its database, or in a folder of tiles.
// It is believed as far as a promise bears it out; then it shows which entry is another.
type Tree struct {
	Name string
	Next Leaves
}

// An Outcome is what a Prover found.
type Outcome struct {
	Head access.Head // of the part that chains
	Root tlog.Hash   // of the tree over that part
	Kept []Promise   // those that hold
	// Bad are the faults, by the first entry each names; none: the log is what was
	// promised. Where a fault lies between two checkpoints and no tree shows the
	// entry, it names the first that may be bad and says so.
	Bad []access.BadRow
}

// A Prover holds a log, entry by entry, against promises and stored trees.
type Prover struct {
	chain    access.Chain
	broken   *access.BadRow // the chain ended here
	tree     growing
	trees    []*stored
	promises []Promise // by size
	next     int       // first promise not reached yet
	roots    []tlog.Hash
}

// stored is a Tree being read.
type stored struct {
	Tree
	growing
	first uint64      // number of the first entry that is another; 0: none
	roots []tlog.Hash // at the sizes of the promises
	ended bool
}

// NewProver begins a proof. The order of promises does not matter.
func NewProver(promises []Promise, trees ...Tree) *Prover {
	p := &Prover{promises: slices.Clone(promises)}
	slices.SortStableFunc(p.promises, func(a, b Promise) int { return cmp.Compare(a.Size, b.Size) })
	for _, t := range trees {
		p.trees = append(p.trees, &stored{Tree: t})
	}
	return p
}

// Add takes the next entry of the log. It returns errors of reading a tree alone:
// what is wrong with the entry is told by Finish.
func (p *Prover) Add(e *access.Entry) error {
	if p.broken != nil {
		return nil
	}
	if err := p.chain.Add(e); err != nil {
		var bad *access.BadRow
		if !errors.As(err, &bad) {
			return err
		}
		p.broken = bad
		return nil
	}
	leaf := Leaf(e)
	p.tree.add(leaf, nil)
	for _, t := range p.trees {
		if err := t.step(p.promises, &leaf); err != nil {
			return err
		}
	}
	for ; p.next < len(p.promises) && p.promises[p.next].Size == p.tree.size; p.next++ {
		p.roots = append(p.roots, p.tree.root())
	}
	return nil
}

// Fault notes a fault that the caller found, such as an entry beyond the log's end;
// no entry is taken from then on.
func (p *Prover) Fault(bad access.BadRow) {
	if p.broken == nil {
		p.broken = &bad
	}
}

// step takes the next leaf of a stored tree and compares it with the log's; nil: the
// log has none any more.
func (s *stored) step(promises []Promise, leaf *tlog.Hash) error {
	if s.ended {
		return nil
	}
	h, err := s.Next()
	if errors.Is(err, io.EOF) {
		s.ended = true
		return nil
	} else if err != nil {
		return err
	}
	s.growing.add(h, nil)
	if s.first == 0 && (leaf == nil || h != *leaf) {
		s.first = s.growing.size
	}
	for len(s.roots) < len(promises) && promises[len(s.roots)].Size == s.growing.size {
		s.roots = append(s.roots, s.growing.root())
	}
	return nil
}

// Finish ends the proof after the last entry.
func (p *Prover) Finish() (out Outcome, err error) {
	out.Head, out.Root = p.chain.Head(), p.tree.root()
	if p.broken != nil {
		out.Bad = append(out.Bad, *p.broken)
	}
	for _, t := range p.trees {
		for !t.ended {
			if err := t.step(p.promises, nil); err != nil {
				return out, err
			}
		}
		if t.first > 0 {
			bad := access.BadRow{Seq: t.first, Code: access.BadOther, Why: "another entry than the one " + t.Name + " has"}
			if t.first > out.Head.Seq {
				bad.Code, bad.Why = access.BadMissing, "missing: "+t.Name+" has it"
			}
			out.Bad = append(out.Bad, bad)
		}
	}
	good := uint64(0) // size of the last promise that holds
	for i, promise := range p.promises {
		if i < len(p.roots) && promise.Holds(p.roots[i]) {
			good = promise.Size
			out.Kept = append(out.Kept, promise)
			continue
		}
		out.Bad = append(out.Bad, p.blame(i, good, out.Head.Seq))
	}
	slices.SortStableFunc(out.Bad, func(a, b access.BadRow) int { return cmp.Compare(a.Seq, b.Seq) })
	return out, nil
}

// blame says which entry breaks promise i. good is the size of the last one that
// holds, end the number of the last entry that chains.
func (p *Prover) blame(i int, good, end uint64) access.BadRow {
	promise := p.promises[i]
	for _, t := range p.trees {
		if i < len(t.roots) && promise.Holds(t.roots[i]) && t.first > 0 && t.first <= promise.Size {
			return access.BadRow{Seq: t.first, Code: access.BadOther, Why: fmt.Sprintf("another entry than the one witnessed (%s, %d entries; shown by %s)", promise.Name, promise.Size, t.Name)}
		}
	}
	switch {
	case i < len(p.roots): // the whole of it is there
		if good+1 == promise.Size {
			return access.BadRow{Seq: promise.Size, Code: access.BadOther, Why: fmt.Sprintf("another entry than the one witnessed (%s, %d entries)", promise.Name, promise.Size)}
		}
		return access.BadRow{Seq: good + 1, Code: access.BadRange, Why: fmt.Sprintf("this entry, or one after it up to %d, is another than the one witnessed (%s, %d entries)", promise.Size, promise.Name, promise.Size)}
	case p.broken != nil && p.broken.Seq <= promise.Size:
		return access.BadRow{Seq: p.broken.Seq, Code: access.BadShort, Why: fmt.Sprintf("the log does not reach what was witnessed (%s, %d entries)", promise.Name, promise.Size)}
	}
	why := fmt.Sprintf("missing: the log had %d entries when it was witnessed (%s)", promise.Size, promise.Name)
	if good+1 < end {
		why += fmt.Sprintf("; it, or another from %d on, was taken out", good+1)
	}
	return access.BadRow{Seq: end + 1, Code: access.BadMissing, Why: why}
}
