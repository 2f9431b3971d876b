package load

import (
	"fmt"
	"net/url"
	"strings"

	"vitals/internal/wire"
)

// follower finds out where a step goes that follows a header of the answer before
// it, as in follow: Location. It stays on the host that the load is for: no other
// may get any.
type follower struct {
	header string
	base   *url.URL
}

// resolve is the path and query that the header of the answer to c names.
func (f *follower) resolve(c *wire.Call) ([]byte, error) {
	value, ok := c.Header(f.header)
	if !ok {
		return nil, absentHeader(c, f.header)
	}
	to, err := url.Parse(string(value))
	if err != nil {
		return nil, fmt.Errorf("header %s is no address", f.header)
	}
	if to.Host != "" && (to.Scheme != "" && to.Scheme != f.base.Scheme || !strings.EqualFold(wire.HostPort(&url.URL{Scheme: f.base.Scheme, Host: to.Host}), wire.HostPort(f.base))) {
		return nil, fmt.Errorf("header %s leads to %s, where no load may go", f.header, to.Host)
	}
	at, err := url.Parse(string(c.Path))
	if err != nil {
		return nil, fmt.Errorf("header %s cannot be followed from %s", f.header, c.Path)
	}
	return []byte(wire.RequestTarget(at.ResolveReference(to))), nil
}
