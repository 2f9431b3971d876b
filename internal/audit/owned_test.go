package audit

import (
	"maps"
	"testing"

	"vitals/internal/wire"
)

// Whose an object is, is found by the value: what me tells of its maker, and of nobody
// else, stands in the object under whatever name.
func TestOwned(t *testing.T) {
	t.Parallel()
	of := func(body string) Answer { return Answer{Answer: wire.Answer{Body: []byte(body)}} }
	mine, theirs := of(`{"data":{"id":"d1","email":"a@x.test","town":"Ulm"}}`), of(`{"data":{"id":"d2","email":"b@x.test","town":"Ulm"}}`)
	for made, want := range map[string]map[string]any{
		`{"data":{"id":"p9","driverId":"d1","town":"Ulm"}}`: {"driverId": "d2"},
		`{"id":"p9","by":{"owner":"a@x.test"}}`:             {"owner": "b@x.test"},
		`{"id":"p9"}`:                                       {},
		`[]`:                                                {},
	} {
		if got := owned(of(made), "p9", mine, theirs); !maps.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", made, got, want)
		}
	}
}
