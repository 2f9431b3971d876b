package harness

import (
	"os"
	"path/filepath"
	"strings"
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

// Every mistake in a file of accounts is told with its line, and no password is.
func TestMistakesInAccountFiles(t *testing.T) {
	for text, want := range map[string][]string{
		"email,pasword\na@x,SECRET\n":                            {`:1: the header lacks a column password (it has 2); did you mean "password" by "pasword"?`},
		"Email,Password\na@x,SECRET\n":                           {`did you mean "email" by "Email"?`, `did you mean "password" by "Password"?`},
		"email,password\na@x,SECRET\nb@x\na@x,SECRET\n,SECRET\n": {":3: found 1 field, the header names 2 columns", ":4: a@x stands twice, first on line 2", ":5: an empty email or password"},
		"\xff\xfee\x00m\x00":                                     {"the file is in UTF-16, expected UTF-8"},
		"email,password\na@x,SECRET\nb@x,SECRET\xfc\n":           {":3:11: found the byte 0xfc, which is no UTF-8: the file may be in Latin-1"},
		"email,password\na@x,\"SECRET\" x\n":                     {":2: "},
		"email;password\na@x;SECRET\n":                           {"want columns separated by commas"},
		"email\tpasword\na@x\tSECRET\n":                          {":1:6: want columns separated by commas, found a tab between them", `lacks a column password (it has 2); did you mean "password" by "pasword"?`},
		"\"email\";\"password\"\n\"a@x\";\"SECRET\"\n":           {":1:8: want columns separated by commas, found a semicolon between them"},
		"id|email|password, plain\n1|a@x|SECRET\n":               {":1:3: want columns separated by commas, found a bar between them", "lacks a column password (it has 3)"},
		"a@x,SEC;RET|SECRET\n":                                   {":1: the header lacks a column email"},
		"email,password\n":                                       {"no accounts below the header"},
	} {
		path := filepath.Join(t.TempDir(), "a.csv")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := ReadAccounts(path)
		for _, w := range want {
			if err == nil || !strings.Contains(err.Error(), w) || strings.Contains(err.Error(), "SECRET") {
				t.Errorf("%q: got %v, want %q", text, err, w)
			}
		}
	}
}
