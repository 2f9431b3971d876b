package load

import (
	"context"
	"os/exec"
	"time"

	"vitals/internal/load/null"
)

// MachineRate is MaxRate against the null server that the command starts, in
// requests per second.
func MachineRate(ctx context.Context, server *exec.Cmd) (float64, error) {
	base, end, err := null.Start(server)
	if err != nil {
		return 0, err
	}
	defer end()
	rate, _, err := MaxRate(ctx, base, 3*time.Second)
	return rate, err
}
