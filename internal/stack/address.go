package stack

import "net/netip"

// Loopback maps n to a client address of its own in 127.16.0.0/12, which Linux
// lets any process send from: about a million addresses, none of them the
// server's. It stays clear of 127.0.0.1, which other programs use.
func Loopback(n uint64) netip.Addr {
	v := uint32(n%(1<<20-2)) + 1
	return netip.AddrFrom4([4]byte{127, byte(16 + v>>16), byte(v >> 8), byte(v)})
}

// Benchmark maps n to an address of 198.18.0.0/15, the block kept for
// benchmarks (RFC 2544): what a forwarding driver writes into X-Forwarded-For.
func Benchmark(n uint64) netip.Addr {
	v := uint32(n%(1<<17-2)) + 1
	return netip.AddrFrom4([4]byte{198, byte(18 + v>>16), byte(v >> 8), byte(v)})
}
