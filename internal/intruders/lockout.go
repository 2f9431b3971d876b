package intruders

import (
	"time"

	"vitals/internal/profile"
	"vitals/internal/wire"
)

// meter counts what one address had judged, against a limit in a window. Without a
// limit nothing is too much, and a window of 0 does not forget.
type meter struct {
	limit  int
	window time.Duration
	fixed  bool          // windows follow one another: around an edge twice the limit may fall into one as long
	delay  profile.Delay // beyond the limit a try is judged after a wait that grows; the zero value = it is not judged

	sure   []time.Time // those surely in the window, by when they were sent
	may    []time.Time // those that may be, by when their answers came
	excess int         // at any time, above what is allowed
}

func (j judge) meter() meter {
	return meter{limit: j.Limit.Limit, window: j.Limit.Window, fixed: j.Limit.Fixed, delay: j.Limit.Delay}
}

// judged notes one more. The server judged it between Sent and Done, so two are
// surely in one window only when it spans both.
func (m *meter) judged(a wire.Answer) {
	m.at(a)
	m.sure, m.may = append(m.sure, a.Sent), append(m.may, a.Done)
	switch {
	case m.delay.From > 0 && m.early(a):
		m.excess++
	case m.delay.From > 0:
	case m.limit > 0:
		m.excess = max(m.excess, len(m.sure)-m.allowed())
	}
}

// early tells whether the last one was judged before the wait was over that those
// before it made due. A server may begin its waits one try later than we do, and round
// them to seconds.
func (m *meter) early(a wire.Answer) bool {
	n := len(m.sure)
	if n < m.waits() {
		return false
	}
	wait := m.delay.After(n - m.waits())
	return a.Done.Sub(m.sure[n-2]) < wait-min(time.Second, wait/2)
}

// waits is the first try that surely comes after a wait.
func (m *meter) waits() int { return m.limit + 2 }

// at forgets what has left the window by the time of an answer.
func (m *meter) at(a wire.Answer) {
	for m.window > 0 && len(m.sure) > 0 && a.Done.Sub(m.sure[0]) > m.window {
		m.sure = m.sure[1:]
	}
	for m.window > 0 && len(m.may) > 0 && a.Sent.Sub(m.may[0]) > m.window+time.Second {
		m.may = m.may[1:]
	}
}

// allowed is how many a sound server may judge within the length of a window.
func (m *meter) allowed() int {
	if m.fixed {
		return 2 * m.limit
	}
	return m.limit
}

// count is how many were judged before a refusal: the limit, where that many can have
// been in the window; else as many as there were too many or too few.
func (m *meter) count(refusal wire.Answer) int {
	m.at(refusal)
	switch {
	case len(m.sure) > m.allowed():
		return len(m.sure)
	case len(m.may) < m.limit:
		return len(m.may)
	}
	return m.limit
}

// lockout follows the lock of one address: how many were judged before it, and whether
// it still lasts.
type lockout struct {
	meter
	lasting time.Duration // that is promised; 0 = no lock is
	bare    bool          // nobody promised a lock: only what a refusal says of its end counts

	shut     bool      // something was refused, and nothing judged since that may have ended
	until    time.Time // refusals last at least to here, as the first one said, else as is promised; zero = nobody said
	locks    int       // how many there were
	most     int       // judged within one window at any time, but for those amid a lock
	admitted int       // judged before the first lock, or before a later one if that was too many
}

func (j judge) lockout() lockout {
	return lockout{meter: j.meter(), lasting: j.Limit.Lock, bare: j.bare}
}

// refused notes a refusal.
func (l *lockout) refused(a wire.Answer) {
	if !l.shut {
		l.close(a)
	}
	if !l.until.IsZero() && !l.over(a) {
		return
	}
	wait, told := retryAfter(a)
	switch {
	case told && wait > 0:
		l.until = a.Sent.Add(wait - time.Second) // whole seconds, rounded up
	case told:
	case l.bare:
		l.until = a.Sent
	case l.lasting > 0 && (l.until.IsZero() || a.Sent.Sub(l.until) > 2*time.Second): // no straggler of the lock before
		l.until = a.Sent.Add(l.lasting - time.Second)
	case l.lasting > 0:
	case l.delay.From > 0:
		l.until = a.Sent // whether it came too soon is for early to say
	case l.fixed:
		l.until = a.Sent // the next window may begin at once
	case l.window > 0 && len(l.may) > 0:
		l.until = l.may[0].Add(l.window - time.Second) // the oldest leaves
	}
}

// close is the moment from which is refused.
func (l *lockout) close(a wire.Answer) {
	n := l.count(a)
	if l.locks == 0 || n > l.allowed() && n > l.admitted {
		l.admitted = n // why a later lock came sooner, nobody promised
	}
	l.shut = true
	l.locks++
}

// judged notes a credential that was judged, and tells whether that was while it was to
// be refused. After a lock a count begins anew: the lock ends it.
func (l *lockout) judged(a wire.Answer) (leaked bool) {
	switch {
	case l.shut && !l.over(a):
		l.meter.judged(a)
		return true
	case l.shut:
		l.shut = false
		if l.lasting > 0 {
			l.sure, l.may = nil, nil
		}
	}
	l.meter.judged(a)
	l.most = max(l.most, len(l.sure))
	return false
}

// reopened is the count of the same address without the refusals so far, which were of
// something else.
func (l lockout) reopened() lockout {
	l.shut, l.until, l.locks, l.admitted = false, time.Time{}, 0, 0
	return l
}

// over tells whether a lock may have ended before an answer came.
func (l *lockout) over(a wire.Answer) bool { return !l.until.IsZero() && !a.Done.Before(l.until) }

// due tells whether what was answered was to be refused: amid a lock, or when as many
// were judged as the server's own headers allow (0 = it does not say).
func (l *lockout) due(a wire.Answer, told int) bool {
	l.at(a)
	return l.shut && !l.over(a) || !l.fixed && l.delay.From == 0 && told > 0 && !l.shut && len(l.sure) >= told
}

// never tells that so few guesses fell into a window that no lock was to be met, though
// more than the limit were judged.
func (l *lockout) never(judged int) bool {
	return l.locks == 0 && l.limit > 0 && judged > l.allowed() && l.most <= l.allowed()
}

// total is how many were judged before a lock, or at all where none was met.
func (l *lockout) total() int {
	if l.locks == 0 || l.most > l.allowed() && l.most > l.admitted {
		return l.most
	}
	return l.admitted
}
