package harness

import (
	"testing"

	"vitals/internal/measure"
)

func TestTraceURL(t *testing.T) {
	for text, right := range map[string]bool{
		"": true, "https://traces.example/trace/{trace_id}": true, "http://10.0.0.1:16686/trace/{trace_id}?x={trace_id}": true,
		"https://traces.example/": false, "javascript:alert({trace_id})": false, "traces.example/{trace_id}": false, "https://u:p@traces.example/{trace_id}": false,
	} {
		if err := checkTraceURL(text); (err == nil) != right {
			t.Errorf("%q: got %v", text, err)
		}
	}
	res := &measure.Result{Slowest: []measure.Exemplar{{TraceID: "0af7"}, {}}}
	linkTraces(res, "https://traces.example/{trace_id}/x")
	if got := res.Slowest[0].TraceURL; got != "https://traces.example/0af7/x" || res.Slowest[1].TraceURL != "" {
		t.Errorf("got %q and %q", got, res.Slowest[1].TraceURL)
	}
}
