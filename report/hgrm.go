package report

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	hdr "github.com/HdrHistogram/hdrhistogram-go"

	"vitals/internal/measure"
)

// HGRM renders the response times of all honest steps in the judged window as the
// percentile table that HdrHistogram's plotter reads, in milliseconds: those of all its
// runs, where it was repeated. A document
// of several scenarios is an error: they are distributions of their own.
func HGRM(w io.Writer, d *Document) error {
	if names := d.names(); len(names) != 1 {
		return fmt.Errorf("a .hgrm file is one distribution, the document has %s (%s): choose one with --scenario", ran(d), strings.Join(names, ", "))
	}
	h, err := dense(d.pooled())
	if err != nil {
		return err
	}
	var b bytes.Buffer // the library gives the writer back and would go on after an error
	if _, err := h.PercentilesPrint(&b, 5, 1000); err != nil {
		return fmt.Errorf("write percentiles: %w", err)
	}
	_, err = w.Write(b.Bytes())
	return err
}

// dense is the library's own histogram of ours.
func dense(h *measure.Histogram) (*hdr.Histogram, error) {
	if h == nil {
		h = measure.NewHistogram()
	}
	text, err := h.MarshalText()
	if err != nil {
		return nil, err
	}
	out, err := hdr.Decode(text)
	if err != nil {
		return nil, fmt.Errorf("read histogram: %w", err)
	}
	return out, nil
}
