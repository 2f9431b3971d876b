package machine

import (
	"crypto/sha256"
	"slices"
	"time"
)

// Work measures how long this machine takes for a unit of fixed work, 64 KiB of
// SHA-256, in nanoseconds: the median of five rounds. Beside runs it tells a
// machine that was slower that night from a system that was. It takes some
// milliseconds.
func Work() (nsPerUnit float64) {
	const rounds, units = 5, 16
	block := make([]byte, 64<<10)
	var took [rounds]time.Duration
	for i := range took {
		began := time.Now()
		for range units {
			sum := sha256.Sum256(block)
			block[0] = sum[0] // so that no round can be left out
		}
		took[i] = time.Since(began)
	}
	slices.Sort(took[:])
	return float64(took[rounds/2]) / units
}
