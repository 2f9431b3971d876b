package export_test

import (
	"context"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"vitals/internal/export"
	"vitals/report"
)

// The live page in a real browser draws what comes, and tells the verdict.
func TestLivePageInABrowser(t *testing.T) {
	path, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("the page was not opened: no browser here; install Debian's chromium")
	}
	e := start(t, export.Options{Live: ":0"})
	for i := range 10 {
		e.Show(state(i + 1))
	}
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU)
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), opts...)
	defer cancel()
	ctx, cancel = chromedp.NewContext(ctx)
	defer cancel()
	ctx, cancel = context.WithTimeout(ctx, time.Minute)
	defer cancel()
	var mu sync.Mutex
	var trouble []string
	if err := chromedp.Listen(ctx, func(event any) {
		if x, ok := event.(*runtime.EventExceptionThrown); ok {
			mu.Lock()
			defer mu.Unlock()
			trouble = append(trouble, x.ExceptionDetails.Text)
		}
	}); err != nil {
		t.Fatal(err)
	}
	wait := func(expression string) {
		t.Helper()
		if _, err := chromedp.Run(ctx, chromedp.Poll[bool](expression)); err != nil {
			t.Fatalf("%s: %v", expression, err)
		}
	}
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(360, 800), chromedp.Navigate(at(t, e))); err != nil {
		t.Fatal(err)
	}
	wait(`document.getElementById('where').textContent.startsWith('0:10 of 1:00, hold')`)
	wait(`document.getElementById('losing').textContent.includes('p95 < 30ms is 40')`)
	wait(`document.querySelectorAll('.uplot canvas').length === 2`)
	e.Show(state(11))
	wait(`document.getElementById('where').textContent.startsWith('0:11')`)
	wait(`document.documentElement.scrollWidth <= document.documentElement.clientWidth`)
	go func() {
		_ = e.End(context.WithoutCancel(ctx), &report.Document{Verdict: report.Fail})
	}()
	wait(`document.getElementById('state').textContent === 'FAIL'`)
	mu.Lock()
	defer mu.Unlock()
	if len(trouble) > 0 {
		t.Errorf("the browser complains: %q", trouble)
	}
}
