package audit

import (
	"encoding/json"
	"reflect"
	"testing"
)

// A text of an update says who sent it where any words will do, one text at a time.
func TestTextsThatSayWhoSentThem(t *testing.T) {
	t.Parallel()
	own := map[string]any{"thing": "A thing", "shop_id": 7, "action": "taken"}
	for body, want := range map[string][]string{
		`{"note":"{{notes}}","n":5}`: {`{"n":5,"note":"{{notes}}{{vitals_sent_by}}"}`},
		`{"data":[{"a":"{{thing}}"}],"b":"by hand"}`: {
			`{"b":"by hand{{vitals_sent_by}}","data":[{"a":"{{thing}}"}]}`, `{"b":"by hand","data":[{"a":"{{thing}}{{vitals_sent_by}}"}]}`,
		},
		`{"id":"{{id}}","shop":"{{shop_id}}","did":"{{action}}","day":"2026-05-04","mail":"a@b.example","at":"https://b.example","done":true}`: nil,
	} {
		var tree map[string]any
		if err := json.Unmarshal([]byte(body), &tree); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, one := range marked(tree, own) {
			b, _ := json.Marshal(one) // it came from JSON
			got = append(got, string(b))
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %q, want %q", body, got, want)
		}
	}
}
