package trust

import (
	"fmt"

	"aidpass/words"
)

// index prepares Find, and refuses the keys that only the whole list can tell:
//   - one key in two places: it would have two uses or two owners, so both go;
//   - two keys of one organisation under one key id: which one a card means
//     cannot be said, so both go;
//   - an anchor among an organisation's keys.
func (l *List) index() {
	first := make(map[[32]byte]*Key)
	for _, o := range l.Organisations {
		for _, k := range o.Keys {
			if k.Key == nil {
				continue
			}
			thumb := k.Key.Thumbprint()
			switch same := first[thumb]; {
			case same != nil:
				l.refuseKey(same, "the same key stands elsewhere on the list")
				l.refuseKey(k, "the same key stands elsewhere on the list")
			case l.thumbs[thumb]:
				l.refuseKey(k, "it is an anchor of the list")
			}
			if first[thumb] == nil {
				first[thumb] = k
			}
			l.thumbs[thumb] = true
		}
	}
	for _, o := range l.Organisations {
		l.join(o)
	}
	for _, x := range l.Removed {
		// Listed again is not removed.
		if l.byID[x.ID] == nil {
			l.removed[x.ID] = x.Since
		}
	}
}

// join makes o and its keys known to Find and drops the refused keys from o.
func (l *List) join(o *Organisation) {
	l.byID[o.ID] = o
	for _, k := range o.Keys {
		l.chain(k)
	}
	kept := o.Keys[:0]
	for _, k := range o.Keys {
		if !k.refused {
			kept = append(kept, k)
		}
	}
	clear(o.Keys[len(kept):])
	o.Keys = kept
}

// chain puts k before the other keys of its id. An organisation's keys come one
// after the other, so a second one of it meets the first at the head; both are
// refused, and so is a good one beside a refused one.
func (l *List) chain(k *Key) {
	head := l.byKID[string(k.KID)]
	if head != nil && head.Org == k.Org {
		l.refuseKey(head, "another key of the organisation has the same key id")
		l.refuseKey(k, "another key of the organisation has the same key id")
		return
	}
	k.next = head
	l.byKID[string(k.KID)] = k
}

func (l *List) refuseKey(k *Key, why string) {
	if k.refused {
		return
	}
	k.refused = true
	l.Faults = append(l.Faults, Fault{Org: k.Org.ID, KID: k.KID, Reason: words.BadKey,
		Text: fmt.Sprintf("organisation %q, key %x: %s", k.Org.ID, k.KID, why)})
}
