package deploy

import (
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"
)

// labels are the published metrics with their own labels, and the
// standard ones that are used here.
var labels = map[string][]string{
	"up":                             {},
	"process_cpu_seconds_total":      {},
	"process_resident_memory_bytes":  {},
	"http_requests_total":            {"method", "route", "status"},
	"http_request_duration_seconds":  {"route", "outcome"},
	"http_in_flight":                 {},
	"http_shed_total":                {},
	"ratelimit_decisions_total":      {"policy", "decision"},
	"ratelimit_lockouts_total":       {"policy"},
	"ratelimit_backend_errors_total": {},
	"rate_limit_degraded":            {},
	"auth_attempts_total":            {"endpoint", "outcome"},
	"password_hash_seconds":          {},
	"password_hash_wait_seconds":     {},
	"password_hash_queue_depth":      {},
	"password_hash_shed_total":       {},
	"db_pool_max":                    {},
	"db_pool_total":                  {},
	"db_pool_acquired":               {},
	"db_pool_idle":                   {},
	"db_pool_acquire_seconds":        {},
	"db_pool_timeouts_total":         {},
	"db_pool_new_conns_total":        {},
	"redis_call_seconds":             {"call"},
	"sentry_events_total":            {"result"},
	"process_workers":                {"state"},
	"build_info":                     {"version", "goversion"},
}

// ofTheRun are what `vitals run --serve-metrics` shows.
var ofTheRun = map[string][]string{
	"http_client_request_duration_seconds": {"scenario", "step", "http_request_method", "http_response_status_code"},
	"vitals_response_p50_seconds":          {"scenario"},
	"vitals_response_p95_seconds":          {"scenario"},
	"vitals_response_p99_seconds":          {"scenario"},
	"vitals_requests_total":                {"scenario", "outcome"},
	"vitals_errors_total":                  {"scenario"},
	"vitals_users":                         {"scenario"},
	"vitals_requests_in_flight":            {"scenario"},
	"vitals_planned_starts_per_second":     {"scenario"},
	"vitals_late_total":                    {"scenario"},
	"vitals_dropped_total":                 {"scenario"},
	"vitals_target_losing":                 {"scenario", "target"},
	"vitals_invariant_violations_total":    {"scenario"},
}

// The run's dashboard asks for what internal/export shows, and nothing else.
func TestTheRunShowsWhatItsDashboardAsks(t *testing.T) {
	text, err := os.ReadFile("../internal/export/metrics.go")
	if err != nil {
		t.Fatal(err)
	}
	for name := range ofTheRun {
		if !strings.Contains(string(text), `"`+name+`"`) {
			t.Errorf("%s is no metric of a run", name)
		}
	}
}

// standard are not of our source.
var standard = []string{"up", "process_cpu_seconds_total", "process_resident_memory_bytes"}

// load decodes a YAML file into v; unknown and repeated fields are errors, so
// the types here are the fields we use, spelt as their programs spell them.
func load(t *testing.T, file string, v any) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Load(b, v, yaml.WithKnownFields(), yaml.WithUniqueKeys()); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}

type rules struct {
	Groups []struct {
		Name  string
		Rules []struct {
			Alert, Expr, For    string
			Labels, Annotations map[string]string
		}
	}
}

func TestPrometheus(t *testing.T) {
	var scrape struct {
		Global struct {
			ScrapeInterval     string `yaml:"scrape_interval"`
			ScrapeTimeout      string `yaml:"scrape_timeout"`
			EvaluationInterval string `yaml:"evaluation_interval"`
		}
		RuleFiles     []string `yaml:"rule_files"`
		ScrapeConfigs []struct {
			JobName       string `yaml:"job_name"`
			StaticConfigs []struct {
				Targets []string
			} `yaml:"static_configs"`
		} `yaml:"scrape_configs"`
	}
	load(t, "prometheus/prometheus.yml", &scrape)
	for _, f := range scrape.RuleFiles {
		if _, err := os.Stat(filepath.Join("prometheus", f)); err != nil {
			t.Error(err)
		}
	}
	var r rules
	load(t, "prometheus/alerts.yml", &r)
	seen := map[string]bool{}
	for _, g := range r.Groups {
		for _, rule := range g.Rules {
			if rule.Alert == "" || seen[rule.Alert] || rule.Annotations["summary"] == "" || !slices.Contains([]string{"page", "ticket"}, rule.Labels["severity"]) {
				t.Errorf("%s: an alert needs a name of its own, a severity of page or ticket, and a summary", rule.Alert)
			}
			seen[rule.Alert] = true
			known(t, rule.Alert, rule.Expr)
		}
	}
}

func TestPromtool(t *testing.T) {
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("promtool is not installed (Debian: prometheus)")
	}
	for _, args := range [][]string{{"check", "config", "prometheus/prometheus.yml"}, {"check", "rules", "prometheus/alerts.yml"}} {
		if out, err := exec.CommandContext(t.Context(), promtool, args...).CombinedOutput(); err != nil {
			t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
}

func TestGrafana(t *testing.T) {
	for _, file := range []string{"vitals.json", "run.json"} {
		t.Run(file, func(t *testing.T) { dashboard(t, "grafana/dashboards/"+file) })
	}
}

func dashboard(t *testing.T, file string) {
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var d struct {
		Title  string
		Panels []struct {
			ID         int
			Type       string
			Title      string
			Datasource struct{ UID string }
			Targets    []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(b, &d); err != nil {
		t.Fatal(err)
	}
	var sources struct {
		APIVersion  int `yaml:"apiVersion"`
		Datasources []struct {
			Name, UID, Type, Access, URL string
			IsDefault                    bool              `yaml:"isDefault"`
			JSONData                     map[string]string `yaml:"jsonData"`
		}
	}
	load(t, "grafana/provisioning/datasources/prometheus.yml", &sources)
	var providers struct {
		APIVersion int `yaml:"apiVersion"`
		Providers  []struct {
			Name, Type     string
			AllowUIUpdates bool `yaml:"allowUiUpdates"`
			Options        map[string]string
		}
	}
	load(t, "grafana/provisioning/dashboards/vitals.yml", &providers)
	ids, exprs := map[int]bool{}, 0
	for _, p := range d.Panels {
		if ids[p.ID] {
			t.Errorf("panel %d twice", p.ID)
		}
		ids[p.ID] = true
		if p.Type != "row" && p.Datasource.UID != sources.Datasources[0].UID {
			t.Errorf("%s: got data source %q, want the provisioned one", p.Title, p.Datasource.UID)
		}
		for _, target := range p.Targets {
			exprs++
			known(t, p.Title, target.Expr)
		}
	}
	if exprs == 0 {
		t.Error("the dashboard asks nothing")
	}
}

var (
	quoted   = regexp.MustCompile(`"[^"]*"`)
	grouping = regexp.MustCompile(`\b(by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)`)
	duration = regexp.MustCompile(`\[[^\]]*\]`)
	matchers = regexp.MustCompile(`([a-z_]+)?\{([^}]*)\}`)
	word     = regexp.MustCompile(`[a-zA-Z_:][a-zA-Z0-9_:]*(\s*\()?`)
	suffix   = regexp.MustCompile(`_(bucket|sum|count)$`)
)

// known reports what mistakes finds.
func known(t *testing.T, where, expr string) {
	t.Helper()
	for _, m := range mistakes(expr) {
		t.Errorf("%s: %s", where, m)
	}
}

// mistakes lists the metrics of a query that do not exist, and the labels that
// none of its metrics has.
func mistakes(expr string) (found []string) {
	plain := duration.ReplaceAllString(quoted.ReplaceAllString(expr, ""), "")
	used := []string{}
	for _, m := range grouping.FindAllStringSubmatch(plain, -1) {
		used = append(used, strings.FieldsFunc(m[2], func(r rune) bool { return r == ',' || r == ' ' })...)
	}
	for _, m := range matchers.FindAllStringSubmatch(plain, -1) {
		used = append(used, regexp.MustCompile(`[a-z_]+`).FindAllString(m[2], -1)...)
	}
	plain = grouping.ReplaceAllString(matchers.ReplaceAllString(plain, "$1"), "")
	allowed := []string{"job", "instance", "le"} // Prometheus' own
	metrics := 0
	for _, w := range word.FindAllString(plain, -1) {
		if strings.HasSuffix(w, "(") || slices.Contains([]string{"and", "or", "unless", "bool", "offset"}, w) {
			continue
		}
		name := w
		if _, ok := labels[name]; !ok {
			name = suffix.ReplaceAllString(w, "")
		}
		own, ok := labels[name]
		if !ok {
			own, ok = ofTheRun[w]
		}
		if !ok {
			own, ok = ofTheRun[name]
		}
		if !ok {
			found = append(found, w+" is no metric of this service")
		}
		allowed = append(allowed, own...)
		metrics++
	}
	if metrics == 0 {
		found = append(found, "no metric in "+expr)
	}
	for _, l := range used {
		if !slices.Contains(allowed, l) {
			found = append(found, "no metric of the query has the label "+l)
		}
	}
	return found
}

func TestMistakes(t *testing.T) {
	for expr, want := range map[string]int{
		`http_request_total`:                        1,
		`sum by (path) (http_requests_total)`:       1,
		`http_requests_total{code="500"}`:           1,
		`1 > 0`:                                     1,
		`rate(http_requests_total{status="x"}[5m])`: 0,
	} {
		if got := mistakes(expr); len(got) != want {
			t.Errorf("%s: got %q, want %d mistakes", expr, got, want)
		}
	}
}

// Every metric named here is one that the source makes.
func TestMetricsExist(t *testing.T) {
	var source strings.Builder
	err := filepath.WalkDir("../server", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		b, err := os.ReadFile(path)
		source.Write(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for name := range labels {
		if !slices.Contains(standard, name) && !strings.Contains(source.String(), `"`+name+`"`) {
			t.Errorf("%s is not in the source", name)
		}
	}
}
