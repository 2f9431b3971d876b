// Package canary proves that no secret is in what a program wrote: planted
// values are searched for in files, as they are and in the encodings that hide
// them from a plain search (product: no secret, by proof).
package canary

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
)

// Hit is one place where a secret was found. It names the secret by its place
// in the list, never by its value.
type Hit struct {
	File   string
	Offset int // in the file, or in what it unpacks to
	Secret int // index into the list
	Form   string
}

// String is a hit for a test's message.
func (h Hit) String() string {
	return fmt.Sprintf("%s: secret %d at byte %d, %s", h.File, h.Secret, h.Offset, h.Form)
}

// Dir searches every file below dir, what gzip packed among them. Secrets
// shorter than 8 bytes are refused: they are found by chance.
func Dir(dir string, secrets ...string) ([]Hit, error) {
	var hits []Hit
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		found, err := Bytes(path, data, secrets...)
		hits = append(hits, found...)
		return err
	})
	return hits, err
}

// Bytes searches one file's content.
func Bytes(name string, data []byte, secrets ...string) ([]Hit, error) {
	var hits []Hit
	for i, s := range secrets {
		if len(s) < 8 {
			return nil, fmt.Errorf("secret %d has %d bytes: plant at least 8", i, len(s))
		}
		for _, f := range forms(s) {
			if at := bytes.Index(data, f.text); at >= 0 {
				hits = append(hits, Hit{name, at, i, f.name})
			}
		}
	}
	if bytes.HasPrefix(data, []byte{0x1f, 0x8b}) {
		unpacked, err := gunzip(data)
		if err != nil {
			return hits, fmt.Errorf("unpack %s: %w", name, err)
		}
		inside, err := Bytes(name+" (unpacked)", unpacked, secrets...)
		return append(hits, inside...), err
	}
	return hits, nil
}

func gunzip(data []byte) ([]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(z)
}

// form is a secret as a file may hold it.
type form struct {
	name string
	text []byte
}

func forms(s string) []form {
	out := []form{{"plain", []byte(s)}}
	add := func(name, text string) {
		for _, f := range out {
			if string(f.text) == text {
				return
			}
		}
		out = append(out, form{name, []byte(text)})
	}
	add("reversed", reversed(s))
	add("hex", hex.EncodeToString([]byte(s)))
	add("upper-case hex", strings.ToUpper(hex.EncodeToString([]byte(s))))
	add("URL query", url.QueryEscape(s))
	add("URL path", url.PathEscape(s))
	if text, err := json.Marshal(s); err == nil {
		add("JSON", strings.Trim(string(text), `"`))
	}
	for _, e := range []struct {
		name string
		*base64.Encoding
	}{{"base64", base64.RawStdEncoding}, {"base64url", base64.RawURLEncoding}} {
		// Inside a longer text the secret may begin at any of three places of a
		// group; what its neighbours have a part in is left out.
		for shift := range 3 {
			text := e.EncodeToString(append(make([]byte, shift), s...))
			first := (shift*8 + 5) / 6
			last := (shift + len(s)) * 8 / 6
			add(fmt.Sprintf("%s, shifted by %d", e.name, shift), text[first:last])
		}
	}
	return out
}

func reversed(s string) string {
	b := []byte(s)
	for i, j := 0, len(b)-1; i < j; i, j = i+1, j-1 {
		b[i], b[j] = b[j], b[i]
	}
	return string(b)
}
