package routes_test

import (
	"testing"

	"vitals/internal/routes"
)

func TestMatch(t *testing.T) {
	patterns := []string{"/a/{id}", "/a/list", "/a/{id}/b", "/", "/a/{id}/{part}"}
	for path, want := range map[string]int{
		"/a/7": 0, "/a/list": 1, "/a/{{x}}": 0, "/a/7/b": 2, "/a/{{x}}/b": 2, "/a/7/c": 4, "/": 3, "/b": -1, "/a/": -1, "/a": -1, "/a/7/b/c": -1, "": -1,
	} {
		if got := routes.Match(path, patterns); got != want {
			t.Errorf("%s: got %d, want %d", path, got, want)
		}
	}
	if got := routes.Match("/a/{{x}}", []string{"/b", "/a/list"}); got != 1 {
		t.Errorf("a placeholder may be a word: got %d, want 1", got)
	}
}
