package importer

import (
	"bytes"
	"io"
	"net/http"
)

// maxKept bounds what a recorder keeps of one body; all of it is passed on.
const maxKept = 1 << 20

// keptBody is the beginning of a body that went by.
type keptBody struct {
	text bytes.Buffer
	cut  bool
}

// Write keeps what there is room for, and never fails.
func (k *keptBody) Write(p []byte) (int, error) {
	room := min(len(p), maxKept-k.text.Len())
	k.text.Write(p[:room])
	k.cut = k.cut || room < len(p)
	return len(p), nil
}

// teed is a body that is kept while it is read.
type teed struct {
	io.Reader
	io.Closer
}

// keptAnswer is an answer that is kept while it is passed on.
type keptAnswer struct {
	http.ResponseWriter
	status int
	body   keptBody
	failed error // the API gave none
}

// WriteHeader implements http.ResponseWriter; informational answers are none of its own.
func (k *keptAnswer) WriteHeader(status int) {
	if status >= 200 || status == http.StatusSwitchingProtocols {
		k.status = status
	}
	k.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (k *keptAnswer) Write(p []byte) (int, error) {
	_, _ = k.body.Write(p) // it never fails
	return k.ResponseWriter.Write(p)
}

// Unwrap gives http.ResponseController what it flushes and hijacks.
func (k *keptAnswer) Unwrap() http.ResponseWriter { return k.ResponseWriter }

// pairsOf are headers as a capture has them, in the order of their names.
func pairsOf(h http.Header) (pairs []pair) {
	for _, name := range keys(h) {
		for _, v := range h[name] {
			pairs = append(pairs, pair{name, v})
		}
	}
	return pairs
}
