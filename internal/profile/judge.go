package profile

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Reading is what an answer to a credential says.
type Reading uint8

// The readings. Nothing proves nothing: no answer, a server's error, a full queue.
// Unknown is an answer that nobody declared, such as a redirect that is no success.
const (
	Nothing Reading = iota
	Wrong           // the credential was judged, and found wrong
	Refused         // a limit turned it away
	Granted         // a success, as declared
	Unknown
)

// Judge reads the answers to an operation that takes a credential, by the statuses
// that are declared for a right one, a wrong one and a refusal.
type Judge struct {
	Operation string
	Limit     Limit
	OK        int   // status of a right one that is declared; 0 = any 2xx
	Wrong     []int // statuses
	Refused   []int
}

// Judge is the one for an operation, whose requests count under the limit given.
func (p *Profile) Judge(operation string, l Limit) Judge {
	j := Judge{Operation: operation, Limit: l, OK: p.Operations[operation].OK, Wrong: []int{p.Operations[operation].Refusal()}, Refused: l.Statuses}
	if len(j.Refused) == 0 {
		j.Refused = []int{http.StatusTooManyRequests}
	}
	return j
}

// queueing is the longest Retry-After that is no lock: a server whose slots are
// all taken by checks in flight asks for a second or so.
func (j Judge) queueing() time.Duration {
	d := 5 * time.Second
	if own := cmp.Or(j.Limit.Lock, j.Limit.Window); own > 0 {
		d = min(d, own/4)
	}
	return d
}

// Refuses tells whether a status is a refusal's. Where it is a wrong credential's
// as well, the refusal is the one that says how long to wait.
func (j Judge) Refuses(status int, waitTold bool) bool {
	return slices.Contains(j.Refused, status) && (waitTold || !slices.Contains(j.Wrong, status))
}

// Grants tells whether a status is a right credential's. Where that is declared to be a
// redirect, or anything else but a 2xx, a 2xx is not: forms are shown again with one.
func (j Judge) Grants(status int) bool {
	if j.OK == 0 || j.OK/100 == 2 {
		return status/100 == 2
	}
	return status == j.OK
}

// Read tells what an answer says, by its status and its Retry-After, told when it
// has one. A wait of 0 is a refusal all the same: whoever obeys is refused again.
func (j Judge) Read(status int, wait time.Duration, told bool) Reading {
	switch {
	case status == 0:
		return Nothing
	case j.Refuses(status, told):
		if wait > 0 && wait <= j.queueing() {
			return Nothing
		}
		return Refused
	case slices.Contains(j.Wrong, status):
		return Wrong
	case j.Grants(status):
		return Granted
	case status >= http.StatusInternalServerError:
		return Nothing
	}
	return Unknown
}

// Undeclared names the answers that nobody declared, by their status.
func (j Judge) Undeclared(counts map[int]int) string {
	var parts []string
	moved := 0
	for _, status := range slices.Sorted(maps.Keys(counts)) {
		if status/100 == 3 {
			moved = status
		}
		times := ""
		if counts[status] > 1 {
			times = fmt.Sprintf(" (%d times)", counts[status])
		}
		parts = append(parts, fmt.Sprintf("%d%s is no answer that is known", status, times))
	}
	right := ""
	if j.OK != 0 && j.OK/100 != 2 {
		right = fmt.Sprintf("a right credential is answered %d (ok:), ", j.OK)
	} else if moved > 0 {
		right = fmt.Sprintf("a right credential is answered 2xx (ok: %d of the operation, where that redirect says it), ", moved)
	}
	return fmt.Sprintf("%s: %sa wrong credential is answered %s (refused: of operation %s in the profile) and a refusal by the limit %s (statuses: of the limit)",
		strings.Join(parts, ", "), right, Statuses(j.Wrong), j.Operation, Statuses(j.Refused))
}

// Statuses is "401 or 403".
func Statuses(list []int) string {
	var words []string
	for _, s := range list {
		words = append(words, strconv.Itoa(s))
	}
	return strings.Join(words, " or ")
}

// secretFields are what answers hold that nobody else may see.
var secretFields = []string{"access_token", "refresh_token", "challenge_token", "secret", "recovery_codes"}

// Secrets are the texts in a JSON answer that stand where an operation of the
// profile has a token or a secret.
func (p *Profile) Secrets(body []byte) (texts []string) {
	v, ok := decode(body)
	if !ok {
		return nil
	}
	seen := map[string]bool{}
	for _, o := range p.Operations {
		for _, name := range secretFields {
			place := o.place(name)
			if seen[place] {
				continue
			}
			seen[place] = true
			if found, _ := at(v, place); found != nil {
				switch found := found.(type) {
				case string:
					texts = append(texts, found)
				case []any:
					for _, one := range found {
						if text, ok := one.(string); ok {
							texts = append(texts, text)
						}
					}
				}
			}
		}
	}
	return texts
}
