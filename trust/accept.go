package trust

import (
	"aidpass/credential"
	"aidpass/words"
)

// Memory is what a device keeps of the newest list it accepted. A device that
// has only scanned a fingerprint knows the anchors and nothing else.
type Memory struct {
	Anchors            Anchors
	Sequence           uint64
	Issued, NextUpdate credential.Time
	Digest             [32]byte
}

// memory is what is kept of l.
func (l *List) memory() Memory {
	return Memory{Anchors: l.Anchors, Sequence: l.Sequence, Issued: l.Issued, NextUpdate: l.NextUpdate, Digest: l.digest}
}

// Accept opens raw over what a device remembers, and returns the list with what
// is to be remembered from now on. On any error the old memory comes back and
// the old list stays in use.
//
// chain holds the lists that changed the anchors, oldest first, and lets a
// device follow changes that it slept through. Links it has behind it, or that
// are not signed by the set it trusts at that point, are passed over: no link
// can be skipped, since raw then does not open.
//
// Besides the refusals of Open: TrustListRollback for a list older than one
// seen (in the chain too), TrustListEquivocation for another list of the same
// sequence, which is a reason to raise an alarm: the anchors signed both. The
// same list again is no fault.
func Accept(old Memory, chain [][]byte, raw []byte) (*List, Memory, error) {
	now := old
	for _, link := range chain {
		if now.Anchors.K == 0 {
			break // trust on first use: nothing to follow from
		}
		l, err := Open(link, now.Anchors)
		if err == nil && l.Sequence > now.Sequence {
			now = l.memory()
		}
	}
	l, err := Open(raw, now.Anchors)
	if err != nil {
		return nil, old, err
	}
	switch {
	case l.Sequence < now.Sequence:
		return nil, old, refuse(words.TrustListRollback, "list %d was seen, %d was offered", now.Sequence, l.Sequence)
	case l.Sequence == now.Sequence && l.digest != now.Digest:
		return nil, old, refuse(words.TrustListEquivocation, "two lists %d are signed: %x was seen, %x was offered",
			l.Sequence, now.Digest[:8], l.digest[:8])
	}
	return l, l.memory(), nil
}
