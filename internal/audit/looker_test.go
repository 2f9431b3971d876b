package audit_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"vitals/internal/audit"
	"vitals/internal/audit/audittest"
)

// Probes that only look share one account, where the target is the user's own, and sign
// nobody in anywhere else.
func TestWhoeverOnlyLooksSharesOneAccount(t *testing.T) {
	t.Parallel()
	for _, own := range []bool{true, false} {
		g := audittest.New("").Serve(t)
		g.Own, g.Accounts = own, []audit.Account{g.Accounts[1]}
		rep := audit.Run(t.Context(), probes(t, audit.Intrusive, "SH1", "SH9", "LK25"), g, audit.Options{Patience: time.Minute})
		in := map[string]bool{}
		for _, f := range rep.Findings {
			in[f.ID] = slices.ContainsFunc(f.Transcript, func(x audit.Exchange) bool { return strings.Contains(x.Got, "renewal") })
			if f.Status != audit.Pass && (own || f.ID != "LK25") {
				t.Errorf("own %v: %s: got %v %q, want PASS", own, f.ID, f.Status, f.Reason)
			}
			told := fmt.Sprint(f.Notes)
			if f.ID == "SH9" && own == strings.Contains(told, "what somebody signed in is refused was not looked at") {
				t.Errorf("own %v: SH9 notes %s", own, told)
			}
		}
		if len(rep.Findings) != 3 || in["SH1"] != own || in["SH9"] != own || in["LK25"] != own {
			t.Errorf("own %v: signed in: %v", own, in)
		}
	}
}
