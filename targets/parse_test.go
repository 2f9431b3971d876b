package targets_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"vitals/targets"
)

func TestParse(t *testing.T) {
	for text, want := range map[string]targets.Target{
		"p95 < 300ms":                      {Metric: "p95", Op: "<", Limit: 300e6},
		"p95(create medication) < 250ms":   {Metric: "p95", Step: "create medication", Op: "<", Limit: 250e6},
		"p95( create  medication )<250ms":  {Metric: "p95", Step: "create medication", Op: "<", Limit: 250e6},
		"p99.9 <= 1.5s":                    {Metric: "p99.9", Op: "<=", Limit: 1.5e9},
		"errors < 0.1%":                    {Metric: "errors", Op: "<", Limit: 0.001},
		"errors == 0":                      {Metric: "errors", Op: "==", Limit: 0},
		"rps >= 500":                       {Metric: "rps", Op: ">=", Limit: 500},
		"rps >= 500/s":                     {Metric: "rps", Op: ">=", Limit: 500},
		"cpu < 70%":                        {Metric: "cpu", Op: "<", Limit: 0.7},
		"p95 > 1s for 10s":                 {Metric: "p95", Op: ">", Limit: 1e9, For: 10 * time.Second},
		"errors < 1% during spike":         {Metric: "errors", Op: "<", Limit: 0.01, During: "spike"},
		"p95 < 1s during the long hold":    {Metric: "p95", Op: "<", Limit: 1e9, During: "the long hold"},
		"lockout.admitted == 5":            {Metric: "lockout.admitted", Op: "==", Limit: 5},
		"lockout.bystanders == 0":          {Metric: "lockout.bystanders", Op: "==", Limit: 0},
		"recovery < 30s":                   {Metric: "recovery", Op: "<", Limit: 30e9},
		"goodput >= 70%":                   {Metric: "goodput", Op: ">=", Limit: 0.7},
		"  p50   !=   2ms  ":               {Metric: "p50", Op: "!=", Limit: 2e6},
		"failed(sign in)>=12.5%":           {Metric: "failed", Step: "sign in", Op: ">=", Limit: 0.125},
		"errors < 1% during spike for 10s": {Metric: "errors", Op: "<", Limit: 0.01, During: "spike", For: 10 * time.Second},
	} {
		got, err := targets.Parse(text)
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		if diff := cmp.Diff(got, want, cmpopts.IgnoreFields(targets.Target{}, "Text")); diff != "" {
			t.Errorf("%q: -got +want\n%s", text, diff)
		}
		again, err := targets.Parse(got.Text)
		if err != nil || !cmp.Equal(again, got) {
			t.Errorf("%q: its text %q parses as %+v, %v", text, got.Text, again, err)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"":                           `1:1: found the end, expected a metric (as in p95 < 300ms)`,
		"p59 < 300ms":                `1:1: unknown metric "p59" (did you mean "p95"?)`,
		"lockout.admited == 5":       `1:1: unknown metric "lockout.admited" (did you mean "lockout.admitted"?)`,
		"latency < 1s":               `1:1: unknown metric "latency" (known: ` + strings.Join(targets.Metrics(), ", ") + `)`,
		"p95 300ms":                  `1:5: found "300ms", expected a comparison (one of <= >= == != < >)`,
		"p95 = 300ms":                `1:5: found "=", expected a comparison (write ==)`,
		"p95 => 300ms":               `1:5: found "=>", expected a comparison (write >=)`,
		"p95 ≤ 300ms":                `1:5: found "≤", expected a comparison (write <=)`,
		"p95 < 300":                  `1:7: p95: found "300", expected a time such as 300ms or 1.5s (write the unit: 300ms)`,
		"p95 < 30%":                  `1:7: p95: found "30%", expected a time such as 300ms or 1.5s`,
		"errors < 0.1":               `1:10: errors: found "0.1", expected a share such as 0.1% (write the unit: 0.1% or 10%)`,
		"errors < 5":                 `1:10: errors: found "5", expected a share such as 0.1% (write the unit: 5%)`,
		"mean < 0.3":                 `1:8: mean: found "0.3", expected a time such as 300ms or 1.5s (write the unit: 0.3s or 0.3ms)`,
		"p95 < 300 ms":               `1:7: p95: found "300", expected a time such as 300ms or 1.5s (without the space: 300ms)`,
		"errors < 0.1 %":             `1:10: errors: found "0.1", expected a share such as 0.1% (without the space: 0.1%)`,
		"errors <= 100%":             `1:11: errors <= 100% is true of every result (it would judge nothing)`,
		"errors > 200%":              `1:10: errors > 200% is true of no result (it would judge nothing)`,
		"failed == 101%":             `1:11: failed == 101% is true of no result (it would judge nothing)`,
		"rps >= 0":                   `1:8: rps >= 0 is true of every result (it would judge nothing)`,
		"p95 < 0ms":                  `1:7: p95 < 0ms is true of no result (it would judge nothing)`,
		"lockout.leaked < 0":         `1:18: lockout.leaked < 0 is true of no result (it would judge nothing)`,
		"errors < -1%":               `1:10: errors: found "-1%", expected a share such as 0.1%`,
		"rps >= fast":                `1:8: rps: found "fast", expected a rate such as 500 or 500/s`,
		"rps >= 1e9":                 `1:8: rps: found "1e9", expected a rate such as 500 or 500/s`,
		"p95 <":                      `1:6: p95: found the end, expected a time such as 300ms or 1.5s`,
		"cpu(sign in) < 70%":         `1:4: cpu is of the whole run, it takes no step (leave the parentheses out)`,
		"p95(sign in < 70ms":         `1:4: the parenthesis is not closed`,
		"p95() < 70ms":               `1:4: found no step's name between the parentheses (leave the parentheses out to mean every step)`,
		"p95 < 70ms fro 10s":         `1:12: found "fro", expected the sentence's end (did you mean "for"?)`,
		"p95 < 70ms for ten":         `1:16: found "ten", expected a time after "for" (as in p95 > 1s for 10s)`,
		"p95 < 70ms during":          `1:18: found no phase after "during" (as in errors < 1% during spike)`,
		"recovery < 30s during hold": `1:16: recovery is of the whole run, it takes no phase`,
		"p95 < 70ms for 1s for 2s":   `1:19: found "for", expected the sentence's end (did you mean "for"?)`,
		"\n":                         `1:2: found the end, expected a metric (as in p95 < 300ms)`,
	} {
		_, err := targets.Parse(text)
		if err == nil {
			t.Errorf("%q: got no error, want %s", text, want)
		} else if got := err.Error(); got != want {
			t.Errorf("%q:\n got %s\nwant %s", text, got, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{"p95 < 300ms", "p95(create medication) <= 250ms for 10s", "errors < 0.1% during spike", "p95 \t( < ≤", "rps>=5/s", "(", "p99.9!=1h"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := targets.Parse(text)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "1:") {
				t.Fatalf("got %v, want a position", err)
			}
			return
		}
		again, err := targets.Parse(got.Text)
		if err != nil || !cmp.Equal(again, got) {
			t.Fatalf("%q parses as %+v; its text %q as %+v, %v", text, got, got.Text, again, err)
		}
	})
}
