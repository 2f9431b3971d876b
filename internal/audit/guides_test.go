package audit

import (
	"os"
	"regexp"
	"testing"
)

// Every line of a published guide that a probe names is quoted on the page that the
// references lead to.
func TestGuideReferencesStand(t *testing.T) {
	page, err := os.ReadFile("../../docs/published-guides.md")
	if err != nil {
		t.Fatal(err)
	}
	quoted, guide := map[string]bool{}, ""
	for _, m := range regexp.MustCompile(`(?m)^(?:## (.*)|\| (\d+) \| .+ \|)$`).FindAllSubmatch(page, -1) {
		if len(m[1]) > 0 {
			guide = string(m[1])
			continue
		}
		quoted[guide+":"+string(m[2])] = true
	}
	n := 0
	for _, p := range Probes() {
		if p.Guide == "–" {
			continue
		}
		n++
		if !quoted[p.Guide] {
			t.Errorf("%s refers to %s, which docs/published-guides.md does not quote", p.ID, p.Guide)
		}
	}
	if n == 0 {
		t.Error("no probe refers to a guide")
	}
}
