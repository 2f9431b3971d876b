package report_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"vitals/internal/golden"
	"vitals/report"
)

func page(t *testing.T) string {
	t.Helper()
	d := document(t)
	d.Comparison = comparison(t)
	return string(render(t, report.HTML, d))
}

var (
	styles  = regexp.MustCompile(`(?s)<style>(.*?)</style>`)
	scripts = regexp.MustCompile(`(?s)<script>(.*?)</script>`)
	block   = regexp.MustCompile(`(?s)<script type="application/json" id="data">(.*?)</script>`)
)

// What stands around the vendored library and our own files is golden; they
// themselves would only make it long.
func TestHTML(t *testing.T) {
	text := page(t)
	text = styles.ReplaceAllString(text, "<style>…</style>")
	text = scripts.ReplaceAllString(text, "<script>…</script>")
	text = block.ReplaceAllString(text, "<script>data</script>")
	text = regexp.MustCompile(`'sha256-[^']*'`).ReplaceAllString(text, "'sha256-…'")
	golden.Check(t, []byte(text), "report.html")
}

// The page must work from a file, without a network, under its own policy.
func TestHTMLKeepsItsPolicy(t *testing.T) {
	text := page(t)
	policy := regexp.MustCompile(`Content-Security-Policy" content="([^"]*)"`).FindStringSubmatch(text)
	if policy == nil || !strings.HasPrefix(policy[1], "default-src 'none';") || strings.Contains(policy[1], "unsafe") {
		t.Fatalf("got policy %q", policy)
	}
	parts := append(styles.FindAllStringSubmatch(text, -1), scripts.FindAllStringSubmatch(text, -1)...)
	if len(parts) != 4 {
		t.Fatalf("got %d styles and scripts, want 4", len(parts))
	}
	for _, p := range parts {
		sum := sha256.Sum256([]byte(p[1]))
		if !strings.Contains(policy[1], base64.StdEncoding.EncodeToString(sum[:])) {
			t.Errorf("the policy would block what begins with %.40q", p[1])
		}
	}
	markup := scripts.ReplaceAllString(styles.ReplaceAllString(text, ""), "")
	for _, bad := range []string{" src=", " href=", " style=", " onload=", "@import"} {
		if strings.Contains(markup, bad) {
			t.Errorf("the page has %q", bad)
		}
	}
	if n := len(text); n > 200<<10 {
		t.Errorf("got %d kB for two short runs", n>>10)
	}
}

func TestHTMLCharts(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("the page's script is run by node: install nodejs")
	}
	text := page(t)
	all := scripts.FindAllStringSubmatch(text, -1)
	in, err := json.Marshal(map[string]string{"data": block.FindStringSubmatch(text)[1], "script": all[len(all)-1][1]})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), node, "testdata/charts.js")
	cmd.Stdin = bytes.NewReader(in)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, stderr.Bytes())
	}
	golden.Check(t, out, "charts.txt")
}

// One null instead of a missing figure keeps the lists as long as each other.
func TestHTMLDataOfAnEmptyRun(t *testing.T) {
	d := document(t)
	d.Runs[0].Result.Series.Slices = nil
	text := string(render(t, report.HTML, d))
	var runs []struct {
		X      []float64
		P95    []*float64
		Phases []struct{ Name string }
	}
	if err := json.Unmarshal([]byte(block.FindStringSubmatch(text)[1]), &runs); err != nil {
		t.Fatal(err)
	}
	if len(runs[0].X) != 0 || runs[0].P95 == nil || len(runs[1].X) != len(runs[1].P95) || len(runs[1].Phases) != 2 {
		t.Errorf("got %+v", runs[0])
	}
}
