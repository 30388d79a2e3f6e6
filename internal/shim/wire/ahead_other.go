//go:build !unix

package wire

// lendable says whether memory can be lent to this reader while there is something to read.
func (r *Reader) lendable() bool { return false }

// Spill reads nothing here.
func (r *Reader) Spill(int) int { return 0 }
