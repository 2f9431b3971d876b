package observe

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/pprof/profile"
	"golang.org/x/sync/errgroup"

	"vitals/internal/measure"
)

// The bounds of a profile that is read, packed and unpacked, and of what is kept of it.
const (
	maxProfile    = 32 << 20
	mostFunctions = 10  // by their own time, and as many with what they call
	longestName   = 200 // bytes of a function's name
)

// ProfileCPU asks the profilers at the pages (/debug/pprof/profile) for the same
// seconds and adds their answers up: where the processor time of all processes went,
// and the profile itself for go tool pprof.
func ProfileCPU(ctx context.Context, c *http.Client, pages []*url.URL, length time.Duration) (*measure.CPUProfile, []byte, error) {
	each := make([]*profile.Profile, len(pages))
	group, ctx := errgroup.WithContext(ctx)
	for i, page := range pages {
		group.Go(func() (err error) {
			each[i], err = askProfile(ctx, c, page, length)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, nil, err
	}
	sum, err := profile.Merge(each)
	if err != nil {
		return nil, nil, fmt.Errorf("add up the profiles of %d processes: %w", len(each), err)
	}
	p, err := busiest(sum)
	if err != nil {
		return nil, nil, err
	}
	for _, one := range each { // at the same time, not one after the other
		p.Took = max(p.Took, measure.Micros(one.DurationNanos))
	}
	var raw bytes.Buffer
	if err := sum.Write(&raw); err != nil {
		return nil, nil, fmt.Errorf("write the profile: %w", err)
	}
	return p, raw.Bytes(), nil
}

// askProfile takes one process' profile.
func askProfile(ctx context.Context, c *http.Client, page *url.URL, length time.Duration) (*profile.Profile, error) {
	at := *page
	q := at.Query()
	q.Set("seconds", strconv.Itoa(int(length.Seconds())))
	at.RawQuery = q.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, at.String(), nil)
	if err != nil {
		return nil, err
	}
	resp, err := c.Do(req)
	if err != nil {
		return nil, fmt.Errorf("ask %s: %w", page.Redacted(), bare(err))
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxProfile+1))
	switch {
	case resp.StatusCode != http.StatusOK && resp.Header.Get("X-Go-Pprof") != "": // it says why itself
		return nil, fmt.Errorf("ask %s: status %d: %.200q", page.Redacted(), resp.StatusCode, bytes.TrimSpace(body))
	case resp.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("ask %s: status %d, want 200", page.Redacted(), resp.StatusCode)
	case err != nil:
		return nil, fmt.Errorf("ask %s: %w", page.Redacted(), err)
	}
	p, err := readProfile(body)
	if err != nil {
		return nil, fmt.Errorf("ask %s: %w", page.Redacted(), err)
	}
	return p, nil
}

// bare is an HTTP client's error without the address that it repeats.
func bare(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err
	}
	return err
}

// readProfile reads a profile in pprof's own form. It is unpacked here, where there is a
// bound: a few bytes of gzip may hold any number of others.
func readProfile(packed []byte) (*profile.Profile, error) {
	var plain []byte
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err == nil {
		plain, err = io.ReadAll(io.LimitReader(z, maxProfile+1))
	}
	if err == nil && max(len(packed), len(plain)) > maxProfile {
		err = fmt.Errorf("more than %d MiB", maxProfile>>20)
	}
	var p *profile.Profile
	if err == nil {
		p, err = profile.ParseUncompressed(plain)
	}
	if err == nil {
		err = p.CheckValid()
	}
	if err != nil {
		return nil, fmt.Errorf("the answer is no profile: %w", err)
	}
	return p, nil
}

// busiest are the functions that took the most, by themselves and with what they call.
func busiest(p *profile.Profile) (*measure.CPUProfile, error) {
	at := slices.IndexFunc(p.SampleType, func(t *profile.ValueType) bool { return t.Type == "cpu" && t.Unit == "nanoseconds" })
	if at < 0 {
		return nil, errors.New("the answer is no profile of processor time")
	}
	counts := slices.IndexFunc(p.SampleType, func(t *profile.ValueType) bool { return t.Type == "samples" })
	own, whole := map[string]int64{}, map[string]int64{}
	var total, samples int64
	for _, s := range p.Sample {
		v := s.Value[at]
		total += v
		if counts >= 0 {
			samples += s.Value[counts]
		}
		stack := names(s)
		if len(stack) == 0 {
			continue
		}
		own[stack[0]] += v
		slices.Sort(stack)
		for _, name := range slices.Compact(stack) { // one that calls itself took it once
			whole[name] += v
		}
	}
	if total <= 0 {
		return nil, errors.New("it used no processor time while it was profiled")
	}
	out := &measure.CPUProfile{CPU: measure.Micros(total), Samples: samples}
	share := func(v int64) float64 { return float64(v) / float64(total) }
	kept := map[string]bool{}
	for _, by := range []map[string]int64{own, whole} {
		for i, name := range most(by) {
			if i < mostFunctions && !kept[name] && by[name] > 0 {
				kept[name] = true
				out.Functions = append(out.Functions, measure.FunctionTime{Name: name, Own: share(own[name]), Whole: share(whole[name])})
			}
		}
	}
	for name, v := range own {
		if !kept[name] {
			out.Rest = max(out.Rest, share(v))
		}
	}
	slices.SortStableFunc(out.Functions, func(a, b measure.FunctionTime) int {
		return cmp.Or(cmp.Compare(b.Own, a.Own), cmp.Compare(b.Whole, a.Whole), strings.Compare(a.Name, b.Name))
	})
	return out, nil
}

// names are a sample's functions, the innermost first. A call that Go's scheduler put
// into a function to interrupt it is none of its own: the time is the function's.
func names(s *profile.Sample) (out []string) {
	for _, l := range s.Location {
		if len(l.Line) == 0 {
			out = append(out, fmt.Sprintf("%#x", l.Address)) // no symbol
		}
		for _, line := range l.Line {
			if line.Function != nil && !(len(out) == 0 && strings.HasPrefix(line.Function.Name, "runtime.asyncPreempt")) {
				out = append(out, cutName(line.Function.Name))
			}
		}
	}
	return out
}

func cutName(name string) string {
	if len(name) > longestName {
		name = strings.ToValidUTF8(name[:longestName], "") + "…"
	}
	return name
}

// most are the functions by what they took, the most first.
func most(by map[string]int64) []string {
	out := make([]string, 0, len(by))
	for name := range by {
		out = append(out, name)
	}
	slices.SortFunc(out, func(a, b string) int { return cmp.Or(cmp.Compare(by[b], by[a]), strings.Compare(a, b)) })
	return out
}
