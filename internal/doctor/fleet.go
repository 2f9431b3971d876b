package doctor

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"vitals/internal/fleet/rendezvous"
)

// FleetOptions are of an examination before a run of several members.
type FleetOptions struct {
	File    string // holds the URL of the Redis
	System  string // URL of the system under test; "" = not known
	Image   string // of the members; "" = they are no containers
	Members int
}

// What a member takes at the rendezvous: its last flushes and its document, of a
// scenario with seven steps that runs for ten minutes.
const memberMiB = 4

// oldestRedis is the first major version with streams.
const oldestRedis = 5

// ExamineFleet looks at what a run of several members needs: the rendezvous, its
// clock, and how the members' image is named. It changes nothing.
func ExamineFleet(ctx context.Context, o FleetOptions) []Finding {
	var findings []Finding
	if o.Image != "" {
		findings = append(findings, memberImage(o.Image))
	}
	text, err := os.ReadFile(o.File)
	if err != nil {
		return append(findings, Finding{Missing, "rendezvous", "no URL: " + err.Error(), "name the file that holds it: --rendezvous-file"})
	}
	at := strings.TrimSpace(string(text))
	m, err := rendezvous.Open(at, "doctor")
	if err != nil {
		return append(findings, Finding{Missing, "rendezvous", err.Error(), "write the URL into the file, alone"})
	}
	defer m.Close()
	in, err := m.Inspect(ctx)
	if err != nil {
		return append(findings, Finding{Missing, "rendezvous", "not reached: " + err.Error(), "start a Redis of the run's own that every member reaches, with an account that may use INFO, TIME, DBSIZE and RANDOMKEY"})
	}
	return append(findings, version(in), apart(in, at, o.System), way(at), eviction(in), room(in, o.Members), commonClock(in))
}

func version(in rendezvous.Inspection) Finding {
	f := Finding{Status: OK, What: "rendezvous", Found: "Redis " + in.Version}
	major, _, _ := strings.Cut(in.Version, ".")
	if n, err := strconv.Atoi(major); err == nil && n < oldestRedis {
		f.Status, f.Do = Missing, fmt.Sprintf("use Redis %d or later: members tell what they see in a stream", oldestRedis)
	}
	return f
}

// apart looks for signs that the Redis is an application's, and for whether it
// shares a machine with the system under test.
func apart(in rendezvous.Inspection, at, of string) Finding {
	f := Finding{Status: OK, What: "its own", Found: fmt.Sprintf("%d keys, none of another's seen", in.Keys)}
	system, err1 := url.Parse(of)
	meeting, err2 := url.Parse(at)
	switch {
	case in.Foreign != "":
		f.Status, f.Found = Missing, fmt.Sprintf("%d keys, some of them another's (%s…)", in.Keys, in.Foreign)
		f.Do = "use a Redis that nothing else uses: the system's own would be loaded by the measurement, and might drop it"
	case err1 == nil && err2 == nil && system.Hostname() != "" && system.Hostname() == meeting.Hostname():
		f.Status, f.Found = Note, "on "+meeting.Hostname()+", as the system under test"
		f.Do = "for figures that count, put it on another machine"
	}
	return f
}

// way looks at whether what is sent can be read on the way.
func way(text string) Finding {
	f := Finding{Status: OK, What: "way", Found: "TLS"}
	u, err := url.Parse(text)
	if err != nil || u.Scheme == "rediss" {
		return f
	}
	f.Found = "plain, on this machine"
	if ip := net.ParseIP(u.Hostname()); u.Hostname() != "localhost" && (ip == nil || !ip.IsLoopback()) {
		f.Status, f.Found, f.Do = Note, "plain", "outside a network of your own use rediss://: whoever can write there can stop the run"
	}
	return f
}

func eviction(in rendezvous.Inspection) Finding {
	f := Finding{Status: OK, What: "eviction", Found: in.Policy}
	if in.Memory > 0 && in.Policy != "noeviction" {
		f.Status, f.Do = Missing, "set maxmemory-policy noeviction: Redis would drop what the members measured"
	}
	return f
}

func room(in rendezvous.Inspection, members int) Finding {
	f := Finding{Status: OK, What: "memory", Found: "no bound"}
	if in.Memory == 0 {
		return f
	}
	free, need := (in.Memory-in.Used)>>20, int64(2*memberMiB*max(1, members))
	f.Found = fmt.Sprintf("%d MiB free", free)
	if free < need {
		f.Status, f.Do = Note, fmt.Sprintf("%d members may need %d MiB for ten minutes of load: raise maxmemory", members, need)
	}
	return f
}

func commonClock(in rendezvous.Inspection) Finding {
	f := Finding{Status: OK, What: "clock", Found: fmt.Sprintf("%s from this machine's, ± %s", in.Offset.Round(10*time.Microsecond), in.Bound.Round(10*time.Microsecond))}
	if in.Bound > rendezvous.MostBound {
		f.Status, f.Do = Missing, fmt.Sprintf("members refuse to start above ± %s: use a rendezvous that is nearer", rendezvous.MostBound)
	}
	return f
}

func memberImage(image string) Finding {
	f := Finding{Status: OK, What: "image", Found: image}
	if !strings.Contains(image, "@sha256:") {
		f.Status, f.Do = Note, "name it by digest (NAME@sha256:…): with a tag, members may run different versions, and are then refused"
	}
	return f
}
