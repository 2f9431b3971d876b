package fleet

import (
	"fmt"
	"io"
	"strings"

	"vitals/scenarios"
)

// Because are the reasons to use several machines where one could send the load.
var Because = []string{"regions", "addresses", "rehearsal"}

// Propose prints how many members a scenario (built-in name or file) needs where one
// machine can send capacity requests a second, and the command of each. workers is
// how many there are to be, 0 as many as are needed; more than needed want a reason.
func Propose(w io.Writer, scenario string, capacity float64, workers int, because string) error {
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
		return fmt.Errorf("%w; take --capacity from vitals probe-generator", err)
	}
	fmt.Fprintf(w, "%s: at most %.0f %s; one machine sends %.0f/s, and is trusted with 60 %% of that: %d needed\n", sc.Name, rate, unit, capacity, need)
	if workers == 0 {
		workers = need
	}
	if workers > 1 && need == 1 && because == "" {
		return fmt.Errorf("one machine suffices for %s; several need a reason: --because %s", sc.Name, strings.Join(Because, "|"))
	}
	for i := range workers {
		fmt.Fprintf(w, "  vitals run %s --member %s …\n", scenario, Member{Index: i, Of: workers})
	}
	return nil
}
