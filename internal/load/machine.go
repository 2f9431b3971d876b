package load

import (
	"context"
	"os"
	"os/exec"
	"time"

	"vitals/internal/load/null"
)

// MachineRate is MaxRate against the null server that this program is with these
// arguments, in requests per second.
func MachineRate(ctx context.Context, server ...string) (float64, error) {
	binary, err := os.Executable()
	if err != nil {
		return 0, err
	}
	base, end, err := null.Start(exec.CommandContext(ctx, binary, server...))
	if err != nil {
		return 0, err
	}
	defer end()
	rate, _, err := MaxRate(ctx, base, 3*time.Second)
	return rate, err
}
