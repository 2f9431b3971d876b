package exit

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// Interruptible derives two contexts from ctx: the first ends at the first
// Ctrl-C, SIGTERM or SIGHUP (the terminal was closed), so that the run drains and
// keeps what it measured; the second at the second one, which stops at once. stop gives the signals back.
func Interruptible(ctx context.Context, talk io.Writer) (drain, kill context.Context, stop func()) {
	drain, cancelDrain := context.WithCancel(ctx)
	kill, cancelKill := context.WithCancel(ctx)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	if !signal.Ignored(syscall.SIGHUP) { // nohup asked that it be ignored
		signal.Notify(signals, syscall.SIGHUP)
	}
	done := make(chan struct{})
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for _, step := range []struct {
			cancel context.CancelFunc
			words  string
		}{
			{cancelDrain, "interrupted: finishing what is under way and keeping what was measured; once more stops at once"},
			{cancelKill, "stopping at once"},
		} {
			select {
			case <-signals:
				fmt.Fprintln(talk, "\nvitals: "+step.words)
				step.cancel()
			case <-done:
				return
			}
		}
	}()
	return drain, kill, func() {
		signal.Stop(signals)
		close(done)
		<-ended
		cancelDrain()
		cancelKill()
	}
}
