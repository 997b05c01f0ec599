// Package overheard keeps what a program under test says, for a test that reads along
// while it still speaks.
package overheard

import (
	"bytes"
	"sync"
)

// Buffer is a bytes.Buffer that may be written and read at once. The zero Buffer is empty;
// it must not be copied.
type Buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write adds b. It never fails.
func (o *Buffer) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(b)
}

// String returns all that was written so far.
func (o *Buffer) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}
