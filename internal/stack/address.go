package stack

import (
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Client addresses are numbered by the clock, 128 a second, so that no run meets what
// an earlier one left locked: of the smallest block (198.18.0.0/15) they come round after
// 17 minutes, when locks of 15 are over. A run takes a block, so that another one that
// begins while it lasts has others.
const (
	addressesASecond = 128
	addressesARun    = 2048
)

// FirstAddress is the number of the first client address of a run, an audit or a
// discovery that begins at now. Which are taken is kept in a file in the folder for
// temporary files; where there can be none, the clock alone decides.
func FirstAddress(now time.Time) uint64 {
	first := uint64(now.Unix()) * addressesASecond
	name := filepath.Join(os.TempDir(), fmt.Sprintf("vitals-addresses-%d", os.Getuid()))
	f, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return first
	}
	defer f.Close() // and the lock with it
	for range 100 {
		if taken, err := lock(f); taken || err != nil {
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	text, _ := io.ReadAll(io.LimitReader(f, 32)) // an empty file has none
	free, _ := strconv.ParseUint(strings.TrimSpace(string(text)), 10, 64)
	if free > first && free < first+3600*addressesASecond { // else the clock was another one
		first = free
	}
	_ = f.Truncate(0)
	_, _ = f.WriteAt(fmt.Appendf(nil, "%d\n", first+addressesARun), 0) // without it the clock decides
	return first
}

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
