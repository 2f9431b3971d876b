//go:build !unix

package load

import "time"

// ownCPU is not to be had here; the share shows as zero.
func ownCPU() time.Duration { return 0 }
