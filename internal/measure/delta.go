package measure

import (
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	hdr "github.com/HdrHistogram/hdrhistogram-go"
)

// deltaEvery is the width of a delta's slices, whatever the recorder's own are:
// the members of one run cut time alike.
const deltaEvery = time.Second

// Delta is what honest steps saw since the delta before it, in slices of one
// second by due time. Deltas are added up (Live); each is sent once.
type Delta struct {
	At     time.Duration // all that ended before is in this delta or in an earlier one
	slices map[int]*slice
}

// Empty says that nothing was seen.
func (d *Delta) Empty() bool { return len(d.slices) == 0 }

// Delta is what was seen since the call before, up to now, an offset from the
// run's start. It is empty unless Options.Deltas.
func (r *Recorder) Delta(now time.Duration) *Delta {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.drainAll()
	d := &Delta{At: now, slices: r.fresh}
	if r.fresh != nil {
		r.fresh = map[int]*slice{}
	}
	return d
}

// freshAt is the slice of the next delta that holds an offset; nil where there is
// none. The caller holds the lock.
func (r *Recorder) freshAt(due time.Duration) *slice {
	if r.fresh == nil || due < 0 {
		return nil
	}
	i := int(due / deltaEvery)
	if r.fresh[i] == nil {
		r.fresh[i] = &slice{response: make([]*hdr.PackedHistogram, len(r.steps))}
	}
	return r.fresh[i]
}

// deltaForm is the first byte of an encoded delta.
const deltaForm = 3

// Bounds of what is read: a step index and a slice index past them are no run's.
const (
	maxDeltaSteps  = 1 << 16
	maxDeltaSlices = 1 << 20
)

// MarshalBinary is the delta as varints: a few bytes for each distinct duration.
// It fails never.
func (d *Delta) MarshalBinary() ([]byte, error) {
	b := []byte{deltaForm}
	put := func(ns ...int64) {
		for _, n := range ns {
			b = binary.AppendUvarint(b, uint64(n))
		}
	}
	histogram := func(h *hdr.PackedHistogram) {
		if h == nil {
			put(0)
			return
		}
		put(int64(h.Populated()))
		before := int64(0)
		for value, count := range h.ForEachBucket {
			put(value-before, count)
			before = value
		}
	}
	put(d.At.Microseconds(), int64(len(d.slices)))
	for _, at := range slices.Sorted(maps.Keys(d.slices)) {
		sl := d.slices[at]
		c := sl.counts
		put(int64(at), c.Planned, c.Sent, c.Late, c.Dropped, c.Unsent, c.Served, c.Refused, c.Failed, c.Errors, c.Ours, c.Bytes, sl.until.Microseconds())
		used := 0
		for _, h := range sl.response {
			if h != nil {
				used++
			}
		}
		put(int64(used))
		for step, h := range sl.response {
			if h == nil {
				continue
			}
			put(int64(step))
			histogram(h)
		}
		histogram(sl.service)
		put(int64(len(sl.gauges)))
		for _, name := range slices.Sorted(maps.Keys(sl.gauges)) {
			g := sl.gauges[name]
			put(int64(len(name)))
			b = append(b, name...)
			b = binary.LittleEndian.AppendUint64(b, math.Float64bits(g.sum))
			put(int64(g.n))
		}
	}
	return b, nil
}

// UnmarshalBinary reads what MarshalBinary wrote. What is no delta is an error.
func (d *Delta) UnmarshalBinary(b []byte) error {
	r := &deltaReader{b: b}
	if len(b) == 0 || b[0] != deltaForm {
		return errors.New("decode delta: another form than this program's")
	}
	r.b = b[1:]
	d.At, d.slices = time.Duration(r.n(math.MaxInt64/1000))*time.Microsecond, map[int]*slice{}
	for range r.n(maxDeltaSlices) {
		at := int(r.n(maxDeltaSlices))
		sl := &slice{}
		c := &sl.counts
		for _, n := range []*int64{&c.Planned, &c.Sent, &c.Late, &c.Dropped, &c.Unsent, &c.Served, &c.Refused, &c.Failed, &c.Errors, &c.Ours, &c.Bytes} {
			*n = r.n(math.MaxInt64)
		}
		sl.until = time.Duration(r.n(math.MaxInt64/1000)) * time.Microsecond
		for range r.n(maxDeltaSteps) {
			step := int(r.n(maxDeltaSteps))
			for len(sl.response) <= step {
				sl.response = append(sl.response, nil)
			}
			sl.response[step] = r.histogram()
		}
		if h := r.histogram(); h.TotalCount() > 0 {
			sl.service = h
		}
		for range r.n(maxDeltaSteps) {
			name := r.bytes(int(r.n(256)))
			sum, n := r.bytes(8), int(r.n(math.MaxInt32))
			if r.err != nil {
				break
			}
			if sl.gauges == nil {
				sl.gauges = map[string]reading{}
			}
			sl.gauges[string(name)] = reading{math.Float64frombits(binary.LittleEndian.Uint64(sum)), n}
		}
		if r.err != nil {
			break
		}
		d.slices[at] = sl
	}
	if r.err == nil && len(r.b) > 0 {
		r.err = fmt.Errorf("%d bytes too many", len(r.b))
	}
	if r.err != nil {
		return fmt.Errorf("decode delta: %w", r.err)
	}
	return nil
}

// deltaReader reads varints; after the first error it reads zeros.
type deltaReader struct {
	b   []byte
	err error
}

var errCutShort = errors.New("cut short, or a number out of its bounds")

func (r *deltaReader) n(most uint64) int64 {
	v, size := binary.Uvarint(r.b)
	if r.err == nil && (size <= 0 || v > most) {
		r.err = errCutShort
	}
	if r.err != nil {
		return 0
	}
	r.b = r.b[size:]
	return int64(v)
}

func (r *deltaReader) bytes(n int) []byte {
	if r.err == nil && n > len(r.b) {
		r.err = errCutShort
	}
	if r.err != nil {
		return nil
	}
	out := r.b[:n]
	r.b = r.b[n:]
	return out
}

func (r *deltaReader) histogram() *hdr.PackedHistogram {
	h := hdr.NewPacked(lowest, highest, digits)
	value := int64(0)
	for range r.n(uint64(len(r.b))) {
		value += r.n(2 * highest)
		count := r.n(math.MaxInt64)
		if r.err == nil {
			r.err = h.RecordValues(value, count)
		}
		if r.err != nil {
			break
		}
	}
	return h
}
