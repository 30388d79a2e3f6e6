package wire

import "hash/crc32"

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// A CRC is linear: the checksums of two messages of one length differ by the checksum of their difference, taken without
// the inversions at both ends. Leading zeros of the difference count for nothing, and n trailing zero bytes multiply it
// by x^8n modulo the polynomial. So fourteen changed bytes correct the checksum of a megabyte in well under a microsecond.

// reflected is the polynomial of CRC-32C, lowest power in the highest bit.
const reflected = 0x82f63b78

// powers[k] is x^(2^k) modulo the polynomial.
var powers = func() (t [32]uint32) {
	t[0] = 1 << 30 // x^1
	for k := range len(t) - 1 {
		t[k+1] = multiply(t[k], t[k])
	}
	return t
}()

// multiply two polynomials modulo the polynomial.
func multiply(a, b uint32) (product uint32) {
	for bit := uint32(1) << 31; bit != 0; bit >>= 1 {
		if a&bit != 0 {
			product ^= b
		}
		carry := b & 1
		b >>= 1
		b ^= reflected & -carry
	}
	return product
}

// raw is the checksum without the inversions at both ends.
func raw(p []byte) uint32 { return ^crc32.Update(^uint32(0), castagnoli, p) }

// shift is the raw checksum of what sum is that of, followed by so many zero bytes; fewer than 2^28.
func shift(sum uint32, zeros int) uint32 {
	for k := 3; zeros > 0; k, zeros = k+1, zeros>>1 {
		if zeros&1 != 0 {
			sum = multiply(powers[k], sum)
		}
	}
	return sum
}
