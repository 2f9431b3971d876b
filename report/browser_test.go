package report_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"vitals/report"
)

// TestHTMLInABrowser opens the page as a user does: from disk, offline, in a
// real browser. Every chart must be drawn, and nothing may be fetched.
func TestHTMLInABrowser(t *testing.T) {
	var browser string
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			browser = path
			break
		}
	}
	if browser == "" {
		t.Skip("the HTML report was not opened: no browser here; install Debian's chromium")
	}
	page := filepath.Join(t.TempDir(), "report.html")
	f, err := os.Create(page)
	if err != nil {
		t.Fatal(err)
	}
	if err := report.HTML(f, document(t)); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}

	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(browser), chromedp.NoSandbox, chromedp.DisableGPU)
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), opts...)
	defer cancel()
	ctx, cancel = chromedp.NewContext(ctx)
	defer cancel()
	ctx, cancel = context.WithTimeout(ctx, 90*time.Second)
	defer cancel()
	if err := chromedp.Do(ctx, chromedp.Navigate("file://"+page), chromedp.WaitVisible(chromedp.CSS(".uplot canvas"))); err != nil {
		t.Fatal(err)
	}
	charts, err := chromedp.Run(ctx, chromedp.Evaluate[int](`document.querySelectorAll('.uplot canvas').length`))
	if err != nil || charts == 0 {
		t.Errorf("got %d charts, %v, want them drawn", charts, err)
	}
	// A chart that drew nothing is a canvas without ink.
	blank, err := chromedp.Run(ctx, chromedp.Evaluate[int](`[...document.querySelectorAll('.uplot canvas')].filter(c => !c.getContext('2d').getImageData(0, 0, c.width, c.height).data.some(v => v)).length`))
	if err != nil || blank != 0 {
		t.Errorf("got %d blank charts, %v, want none", blank, err)
	}
	fetched, err := chromedp.Run(ctx, chromedp.Evaluate[int](`performance.getEntriesByType('resource').length`))
	if err != nil || fetched != 0 {
		t.Errorf("got %d resources fetched, %v, want none: the page is one offline file", fetched, err)
	}
	verdict, err := chromedp.Run(ctx, chromedp.Evaluate[string](`document.querySelector('.badge').textContent`))
	if err != nil || verdict == "" {
		t.Errorf("got verdict %q, %v, want it shown", verdict, err)
	}
}
