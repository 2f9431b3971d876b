package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"time"
)

// job is what a tool is asked to do.
type job struct {
	addr   string
	length time.Duration
	conns  int     // connections, workers or users
	rate   float64 // requests per second; 0 = as fast as it goes, by conns
	think  time.Duration
	around time.Duration // of the same rate before and after, not counted; ours alone
	dir    string        // for files
}

// tool knows how to ask one generator for a job, and to read its answer; nil args
// = it cannot do that job.
type tool struct {
	name string
	args func(j job) []string
	read func(j job, out []byte) figures
}

// find collects the tools that can be had, with ourselves first.
func (b *bench) find() {
	ours := func(name string, more ...string) tool {
		return tool{name, func(j job) []string {
			if name == "vitals direct" && (j.rate > 0 || j.think > 0) || name == "vitals engine" && j.think > 0 || name == "vitals users" && j.rate > 0 {
				return nil
			}
			args := []string{b.self, "drive", "-addr", j.addr, "-for", j.length.String(), "-think", j.think.String(), "-around", j.around.String()}
			switch {
			case j.rate > 0:
				args = append(args, "-rate", fmt.Sprint(j.rate), "-workers", strconv.Itoa(j.conns))
			case name == "vitals engine": // the open model never waiting
				args = append(args, "-rate", "150000", "-workers", strconv.Itoa(j.conns))
			default:
				args = append(args, "-users", strconv.Itoa(j.conns))
			}
			return append(args, more...)
		}, func(_ job, out []byte) (f figures) { _ = json.Unmarshal(out, &f); return f }}
	}
	b.tools = []tool{ours("vitals direct", "-direct"), ours("vitals engine"), ours("vitals users")}
	if path, err := exec.LookPath("wrk"); err != nil {
		b.skip("wrk", "install Debian's wrk")
	} else {
		b.tools = append(b.tools, tool{"wrk", func(j job) []string {
			if j.rate > 0 || j.think > 0 {
				return nil
			}
			return []string{path, "-t1", fmt.Sprintf("-c%d", j.conns), "-d", j.length.String(), "--latency", "http://" + j.addr + "/"}
		}, readWrk})
	}
	if path, err := b.build("vegeta", "github.com/tsenart/vegeta/v12", "v12.13.0"); err != nil {
		b.skip("vegeta CLI", err.Error())
	} else {
		b.tools = append(b.tools, tool{"vegeta CLI", func(j job) []string {
			if j.think > 0 {
				return nil
			}
			target, results := filepath.Join(j.dir, "target"), filepath.Join(j.dir, "results")
			_ = os.WriteFile(target, []byte("GET http://"+j.addr+"/\n"), 0o600)
			return []string{path, "attack", "-targets", target, "-output", results, "-duration", j.length.String(),
				"-rate", fmt.Sprint(j.rate), "-max-workers", strconv.Itoa(j.conns)}
		}, func(j job, _ []byte) figures { return readVegeta(path, filepath.Join(j.dir, "results")) }})
	}
	if path, err := b.build("fortio", "fortio.org/fortio", "v1.66.5"); err != nil {
		b.skip("fortio", err.Error())
	} else {
		b.tools = append(b.tools, tool{"fortio", func(j job) []string {
			if j.think > 0 {
				return nil
			}
			qps := fmt.Sprint(j.rate)
			if j.rate == 0 {
				qps = "-1"
			}
			return []string{path, "load", "-quiet", "-c", strconv.Itoa(j.conns), "-qps", qps, "-t", j.length.String(), "-p", "50,90,95,99",
				"-json", filepath.Join(j.dir, "fortio.json"), "http://" + j.addr + "/"}
		}, readFortio})
	}
	if !b.opt.k6 {
		b.skip("k6", "not asked for; give -k6")
	} else if path, err := b.build("k6", "go.k6.io/k6", "v1.8.1"); err != nil {
		b.skip("k6", err.Error())
	} else {
		b.tools = append(b.tools, tool{"k6", func(j job) []string { return k6(path, j) }, readK6})
	}
}

var wrkLine = regexp.MustCompile(`(?m)^\s+(50|90|99)%\s+([0-9.]+[a-zµ]+)`)

func readWrk(_ job, out []byte) (f figures) {
	for _, m := range wrkLine.FindAllSubmatch(out, -1) {
		d, _ := time.ParseDuration(string(m[2]))
		switch string(m[1]) {
		case "50":
			f.P50 = d
		case "90":
			f.P90 = d
		case "99":
			f.P99 = d
		}
	}
	f.ServiceP50 = f.P50
	return f
}

func readVegeta(path, results string) (f figures) {
	out, err := exec.Command(path, "report", "-type=json", results).Output()
	if err != nil {
		return f
	}
	var r struct {
		Latencies struct {
			P50 time.Duration `json:"50th"`
			P90 time.Duration `json:"90th"`
			P95 time.Duration `json:"95th"`
			P99 time.Duration `json:"99th"`
			Max time.Duration `json:"max"`
		} `json:"latencies"`
	}
	_ = json.Unmarshal(out, &r)
	l := r.Latencies
	return figures{P50: l.P50, P90: l.P90, P95: l.P95, P99: l.P99, Max: l.Max, ServiceP50: l.P50, ServiceP95: l.P95}
}

func readFortio(j job, _ []byte) (f figures) {
	b, err := os.ReadFile(filepath.Join(j.dir, "fortio.json"))
	if err != nil {
		return f
	}
	var r struct {
		DurationHistogram struct {
			Max         float64
			Percentiles []struct{ Percentile, Value float64 }
		}
	}
	_ = json.Unmarshal(b, &r)
	f.Max = seconds(r.DurationHistogram.Max)
	for _, p := range r.DurationHistogram.Percentiles {
		switch p.Percentile {
		case 50:
			f.P50, f.ServiceP50 = seconds(p.Value), seconds(p.Value)
		case 90:
			f.P90 = seconds(p.Value)
		case 95:
			f.P95, f.ServiceP95 = seconds(p.Value), seconds(p.Value)
		case 99:
			f.P99 = seconds(p.Value)
		}
	}
	return f
}

const k6Script = `import http from 'k6/http'; import { sleep } from 'k6';
export const options = { discardResponseBodies: true, summaryTrendStats: ['p(50)','p(90)','p(95)','p(99)','max'], %s };
export default function () { http.get('http://%s/'); %s }
export function handleSummary(d) { return { '%s': JSON.stringify(d.metrics.http_req_duration.values) }; }`

func k6(path string, j job) []string {
	opts, think := fmt.Sprintf("vus: %d, duration: '%s'", j.conns, j.length), ""
	if j.rate > 0 {
		opts = fmt.Sprintf("scenarios: { a: { executor: 'constant-arrival-rate', rate: %v, timeUnit: '1s', duration: '%s', preAllocatedVUs: %d, maxVUs: %d } }",
			j.rate, j.length, j.conns, j.conns)
	}
	if j.think > 0 {
		think = fmt.Sprintf("sleep(%v*(0.5+Math.random()));", j.think.Seconds())
	}
	script := filepath.Join(j.dir, "k6.js")
	_ = os.WriteFile(script, fmt.Appendf(nil, k6Script, opts, j.addr, think, filepath.Join(j.dir, "k6.json")), 0o600)
	return []string{path, "run", "--quiet", "--no-usage-report", script}
}

func readK6(j job, _ []byte) (f figures) {
	b, err := os.ReadFile(filepath.Join(j.dir, "k6.json"))
	if err != nil {
		return f
	}
	var ms map[string]float64
	_ = json.Unmarshal(b, &ms)
	at := func(name string) time.Duration { return seconds(ms[name] / 1000) }
	return figures{P50: at("p(50)"), P90: at("p(90)"), P95: at("p(95)"), P99: at("p(99)"), Max: at("max"), ServiceP50: at("p(50)"), ServiceP95: at("p(95)")}
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
