package harness

import (
	"os"
	"path/filepath"
	"testing"
)

// Commas part files, but not the name of a file that is there.
func TestAccountFiles(t *testing.T) {
	dir := t.TempDir()
	file := func(name, email string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte("email,password\n"+email+",secret-1\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	a, b, comma := file("a.csv", "a@x.example"), file("b.csv", "b@x.example"), file("a, and b.csv", "c@x.example")
	for list, want := range map[string]int{a: 1, a + "," + b: 2, a + ", " + b: 2, comma: 1} {
		if got, err := ReadAccounts(list); err != nil || len(got) != want {
			t.Errorf("%s: got %d accounts, %v, want %d", list, len(got), err, want)
		}
	}
	if _, err := ReadAccounts(a + "," + filepath.Join(dir, "none.csv")); err == nil {
		t.Error("a file that is not there was read")
	}
}
