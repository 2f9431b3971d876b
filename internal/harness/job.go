package harness

import (
	"net/url"
	"time"

	"vitals/internal/baseline"
	"vitals/internal/machine"
	"vitals/report"
)

// jobURL is the page of the CI job that this process is part of, as its server
// says in the environment; "" outside one.
func jobURL(getenv func(string) string) string {
	if server, repo, id := getenv("GITHUB_SERVER_URL"), getenv("GITHUB_REPOSITORY"), getenv("GITHUB_RUN_ID"); server != "" && repo != "" && id != "" {
		return plain(server + "/" + repo + "/actions/runs/" + id)
	}
	for _, name := range []string{"CI_JOB_URL", "BUILD_URL", "BUILDKITE_BUILD_URL", "CIRCLE_BUILD_URL"} {
		if u := plain(getenv(name)); u != "" {
			return u
		}
	}
	return ""
}

// plain is an address without a user, a password or a query, which may hold a
// secret; "" of what is no address.
func plain(text string) string {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
		return ""
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
}

// probe notes how fast the machine itself is just now, beside what it measures.
func probe(d *report.Document) {
	d.Canary = append(d.Canary, baseline.Canary{At: time.Now().UTC(), NSPerUnit: machine.Work()})
}
