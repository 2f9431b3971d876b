package process

import (
	"bytes"
	"io"
	"os"
	"sync"
)

// syncWriter lets several writers of whole lines share one destination.
type syncWriter struct {
	mu sync.Mutex
	to io.Writer
}

func (w *syncWriter) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.to.Write(b)
}

// lineWriter holds back what is not yet a whole line, so that the records of
// several workers do not cut each other in two.
type lineWriter struct {
	to   io.Writer
	rest []byte
}

func (w *lineWriter) Write(b []byte) (int, error) {
	w.rest = append(w.rest, b...)
	end := bytes.LastIndexByte(w.rest, '\n') + 1
	if end == 0 {
		return len(b), nil
	}
	_, err := w.to.Write(w.rest[:end])
	w.rest = append(w.rest[:0], w.rest[end:]...)
	return len(b), err
}

// workerLog is where one worker's lines go. A file is shared as it is: its
// descriptor is inherited and nothing is copied.
func workerLog(to io.Writer) io.Writer {
	if f, ok := to.(*os.File); ok {
		return f
	}
	return &lineWriter{to: to}
}
