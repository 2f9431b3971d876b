package importer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"

	"vitals/internal/strict"
)

// maxExchanges bounds a recording: what a user does is some dozens of requests.
const maxExchanges = 10_000

// recorder passes requests on to an API, and keeps them with their answers as a HAR
// capture. It holds passwords and tokens, so it is never written to a file: Import
// takes out what is secret.
type recorder struct {
	to    *url.URL
	proxy *httputil.ReverseProxy
	talk  io.Writer

	mu   sync.Mutex
	kept archive
	lost int // requests beyond maxExchanges
	dumb int // requests that the API gave no answer to
}

// newRecorder records the API at to, and tells each request on talk.
func newRecorder(to *url.URL, talk io.Writer) *recorder {
	r := &recorder{to: to, talk: talk}
	r.proxy = &httputil.ReverseProxy{
		ErrorLog: log.New(io.Discard, "", 0), // the error handler tells what failed
		Rewrite: func(p *httputil.ProxyRequest) {
			p.SetURL(to) // its name as well: an API may answer to several
			for _, h := range []string{"Accept-Encoding", "If-None-Match", "If-Modified-Since"} {
				p.Out.Header.Del(h) // the transport unpacks what it asks for itself, and a 304 has no answer to learn from
			}
		},
		ModifyResponse: func(res *http.Response) error {
			r.hand(res.Header)
			return nil
		},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
			if got, ok := w.(*keptAnswer); ok {
				got.failed = err
			}
			http.Error(w, "vitals init --record: "+err.Error(), http.StatusBadGateway)
		},
	}
	return r
}

// ServeHTTP passes one request on and keeps it.
func (r *recorder) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	began, sent, got := time.Now(), &keptBody{}, &keptAnswer{ResponseWriter: w, status: http.StatusOK}
	if req.Body != nil {
		req.Body = teed{io.TeeReader(req.Body, sent), req.Body}
	}
	e := entry{Started: began.Format(time.RFC3339Nano)}
	e.Request.Method, e.Request.Headers = req.Method, pairsOf(req.Header)
	e.Request.URL = r.to.Scheme + "://" + r.to.Host + strings.TrimRight(r.to.EscapedPath(), "/") + req.URL.RequestURI()
	defer func() { // a client that hangs up ends the request here
		e.Time = float64(time.Since(began)) / float64(time.Millisecond)
		what := req.Method + " " + shownPath(req.URL.Path)
		if got.failed != nil {
			r.mu.Lock()
			r.dumb++
			r.mu.Unlock()
			fmt.Fprintf(r.talk, "  %s: no answer: %v\n", what, got.failed)
			return
		}
		e.Request.Post.Text, e.Request.Post.Mime = sent.text.String(), req.Header.Get("Content-Type")
		e.Response.Status, e.Response.Headers = got.status, pairsOf(got.Header())
		e.Response.Content.Text, e.Response.Content.Mime = got.body.text.String(), got.Header().Get("Content-Type")
		if sent.cut {
			e.Request.Post.Mime = "more than 1 MiB" // such a body is left out, and said
		}
		r.keep(e)
		fmt.Fprintf(r.talk, "  %s: %d\n", what, got.status)
	}()
	r.proxy.ServeHTTP(got, req)
}

func (r *recorder) keep(e entry) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.kept.Log.Entries) < maxExchanges {
		r.kept.Log.Entries = append(r.kept.Log.Entries, e)
	} else {
		r.lost++
	}
}

// record listens until a signal, the end of ctx, or enter, and gives what went by, and
// whether enter ended it.
func record(ctx context.Context, o Request, enter <-chan struct{}, talk io.Writer) (kept *archive, entered bool, err error) {
	ends := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) { // nohup asked that it be ignored
		ends = append(ends, syscall.SIGHUP)
	}
	ctx, stop := signal.NotifyContext(ctx, ends...)
	defer stop()
	to, err := strict.ParseURL("--record", o.Record)
	if err != nil {
		return nil, false, err
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", o.Listen)
	if err != nil {
		return nil, false, fmt.Errorf("--listen: %w", err)
	}
	if itself(ctx, to, l.Addr()) {
		_ = l.Close() // nobody came
		return nil, false, fmt.Errorf("--record %s: the recorder itself would listen there (--listen %s): want the URL of an API that runs, and another address to listen on", to, o.Listen)
	}
	r := newRecorder(to, talk)
	server := &http.Server{Handler: r, ReadHeaderTimeout: 30 * time.Second, ErrorLog: log.New(io.Discard, "", 0)}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l) }()
	how := "Ctrl-C"
	if enter != nil {
		how = "Enter"
	}
	fmt.Fprintf(talk, recording, l.Addr(), o.Record, how)
	select {
	case <-ctx.Done():
	case <-enter:
		entered = true
	case err := <-ended:
		return nil, false, fmt.Errorf("record: %w", err)
	}
	// What is under way may end; whoever stays longer is cut.
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	if server.Shutdown(end) != nil {
		_ = server.Close() // the recording has what ended
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.kept.Log.Entries) == 0 && r.dumb > 0 {
		return nil, false, fmt.Errorf("nothing was recorded: %s came, and %s gave no answer to any", many(r.dumb, "request"), o.Record)
	}
	if len(r.kept.Log.Entries) == 0 {
		return nil, false, errors.New("nothing was recorded: no request came to " + l.Addr().String())
	}
	if r.lost > 0 {
		fmt.Fprintf(talk, "%s beyond %d: passed on and not kept\n", many(r.lost, "request"), maxExchanges)
	}
	return &r.kept, entered, nil
}

const recording = `Recording. Send to http://%s what one user does; it is passed on to %s:
  sign in, ask who is signed in (/me, or the user's own object), list, create, read, change and delete an object, sign out,
  and ask for its health. Of one user alone: two are folded into one.
  A sign-in with a wrong password, and a request without a token, tell how they are refused.
%s ends the recording. What is sent is kept in memory alone; passwords and tokens are not copied.
`
