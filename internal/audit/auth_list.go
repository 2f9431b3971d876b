package audit

import (
	"bytes"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// wider are how APIs usually take it that more of a list is asked for at once, or the
// newest of it first. A name that an API does not know it passes over, or refuses.
var wider = []string{
	"limit=500", "per_page=500", "perPage=500", "page_size=500", "pageSize=500", "size=500",
	"sort=-created", "sort=-created_at", "ordering=-created", "ordering=-created_at", "order=desc", "sort=desc",
}

// paged asks for a list with something more in its query.
func (t *T) paged(from netip.Addr, token, query string) Answer {
	q := t.Request("list", from, token, nil)
	if query != "" {
		q.Path, q.Label = joined(q.Path, query), "list?"+query
	}
	return t.keep("list", nil, t.again(q))
}

// joined is a path with one more parameter; "" where it has that one already.
func joined(path, query string) string {
	u, err := url.Parse(path)
	name, _, _ := strings.Cut(query, "=")
	if err != nil || u.Query().Has(name) {
		return ""
	}
	if u.RawQuery != "" {
		return path + "&" + query
	}
	return path + "?" + query
}

// finds is what is asked for with the list so that its owner finds an object on it: ""
// where the first page has it. False when no usual query does.
func (t *T) finds(owner session, id string) (query string, found bool, last Answer) {
	first := t.paged(owner.from, owner.access, "")
	if !t.Operation("list").Succeeded(first.Status) || bytes.Contains(first.Body, []byte(id)) {
		return "", true, first // of a list that is not answered nothing is to be found
	}
	q := t.Request("list", owner.from, owner.access, nil)
	for _, query := range wider {
		if q.Method != http.MethodGet || joined(q.Path, query) == "" {
			continue
		}
		if a := t.paged(owner.from, owner.access, query); t.Operation("list").Succeeded(a.Status) && bytes.Contains(a.Body, []byte(id)) {
			return query, true, a
		}
	}
	return "", false, first
}

// unfound skips what a list proves when its owner does not find an object on it.
func (t *T) unfound(own Answer, id string) {
	path := t.Request("list", netip.Addr{}, "", nil).Path
	var tried, ways []string
	for _, query := range wider {
		name, _, _ := strings.Cut(query, "=")
		if !slices.Contains(tried, name) {
			tried = append(tried, name)
		}
	}
	for _, query := range []string{"perPage=500", "sort=-created"} {
		if way := joined(path, query); way != "" {
			ways = append(ways, way)
		}
	}
	t.Skip("%v: its owner does not find object %s on the first page either, so that another does not proves nothing of the list: have the profile's operation list ask for it so that more stand on it, or the newest first, as in path: %s (tried: %s)", own, id, strings.Join(ways, " or "), strings.Join(tried, ", "))
}
