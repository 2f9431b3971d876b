package fleet

import (
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"vitals/scenarios"
)

// Because are the reasons to use several machines where one could send the load.
var Because = []string{"regions", "addresses", "rehearsal"}

// mostMembers is more than any engine starts at once, and shown how many commands are
// written out.
const (
	mostMembers = 10_000
	shown       = 10
)

// Propose prints how many members a scenario (built-in name or file) needs where one
// machine can send capacity requests a second, and the command of each. members is
// how many there are to be, 0 as many as are needed; more than needed want a reason.
// auto is as many as are needed, of machines whose capacity measure finds out.
func Propose(w io.Writer, scenario string, capacity float64, members, because string, measure func() (float64, error)) error {
	workers, err := strconv.Atoi(members)
	switch {
	case members != "auto" && (err != nil || workers < 0):
		return fmt.Errorf("--workers %s: want a number, or auto", members)
	case because != "" && !slices.Contains(Because, because):
		return fmt.Errorf("--because %s: want one of %s", because, strings.Join(Because, ", "))
	case math.IsNaN(capacity) || math.IsInf(capacity, 0) || capacity < 0:
		return fmt.Errorf("--capacity %g: want requests per second, above 0", capacity)
	case members != "auto" && capacity == 0:
		return errors.New("how much one machine sends is not known: give --capacity what vitals probe-generator says of it, or let --workers auto measure this machine")
	case members == "auto" && capacity == 0:
		if capacity, err = measure(); err != nil {
			return err
		}
	}
	sc, err := scenarios.Open(scenario)
	if err != nil {
		return err
	}
	load := sc.At("full")
	rate, unit := load.Peak(), "requests/s"
	if load.Model == scenarios.Users {
		unit = "users, each of which sends at most one request at a time"
	}
	need, err := Workers(rate, capacity)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "%s: at most %.0f %s; one machine sends %.0f/s, and is trusted with 60 %% of that: %d needed\n", sc.Name, rate, unit, capacity, need)
	if workers == 0 {
		workers = need
	}
	if workers > 1 && need == 1 && because == "" {
		return fmt.Errorf("one machine suffices for %s; several need a reason: --because %s", sc.Name, strings.Join(Because, "|"))
	}
	switch {
	case workers > mostMembers:
		return fmt.Errorf("%d members: want at most %d; is --capacity in requests per second?", workers, mostMembers)
	case workers < need:
		fmt.Fprintf(w, "  %d are fewer: each would be asked for more than it is trusted with\n", workers)
	}
	if workers == 1 {
		fmt.Fprintf(w, "  vitals run %s …\n", scenario)
		return nil
	}
	for i := range min(workers, shown) {
		fmt.Fprintf(w, "  vitals run %s --member %s …\n", scenario, Member{Index: i, Of: workers})
	}
	if workers > shown {
		fmt.Fprintf(w, "  … and so on, to --member %s\n", Member{Index: workers - 1, Of: workers})
	}
	return nil
}
