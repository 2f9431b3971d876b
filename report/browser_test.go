package report_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"vitals/report"
)

// tab is a page open in a real browser, and what it did that it should not.
type tab struct {
	context.Context
	t *testing.T

	mu       sync.Mutex
	trouble  []string // exceptions, console errors, refused content
	requests []string // beyond the page itself
}

// open opens a page as a user does: from disk, offline.
func open(t *testing.T, page []byte) *tab {
	t.Helper()
	file := filepath.Join(t.TempDir(), "report.html")
	if err := os.WriteFile(file, page, 0o600); err != nil {
		t.Fatal(err)
	}
	b := browse(t)
	b.visit("file://" + file)
	return b
}

// browse starts a browser with an empty tab.
func browse(t *testing.T) *tab {
	t.Helper()
	var browser string
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			browser = path
			break
		}
	}
	if browser == "" {
		t.Skip("the page was not opened: no browser here; install Debian's chromium")
	}
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(browser), chromedp.NoSandbox, chromedp.DisableGPU)
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), opts...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	ctx, cancel = context.WithTimeout(ctx, 3*time.Minute)
	t.Cleanup(cancel)
	b := &tab{Context: ctx, t: t}
	if err := chromedp.Listen(ctx, b.hear); err != nil {
		t.Fatal(err)
	}
	return b
}

func (b *tab) hear(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		b.trouble = append(b.trouble, e.ExceptionDetails.Text)
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError || e.Type == runtime.ConsoleAPICalledTypeWarning {
			b.trouble = append(b.trouble, fmt.Sprint("console ", e.Type))
		}
	case *cdplog.EventEntryAdded:
		if e.Entry.Level == cdplog.EntryLevelError || e.Entry.Level == cdplog.EntryLevelWarning {
			b.trouble = append(b.trouble, e.Entry.Text)
		}
	case *network.EventRequestWillBeSent:
		b.requests = append(b.requests, e.Request.URL)
	}
}

func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b, steps...); err != nil {
		b.t.Fatal(err)
	}
}

func (b *tab) visit(url string) {
	b.t.Helper()
	b.do(chromedp.Navigate(url), chromedp.WaitVisible(chromedp.CSS("footer")))
}

// look is the value of a JavaScript expression.
func look[T any](b *tab, expression string) T {
	b.t.Helper()
	v, err := chromedp.Run(b, chromedp.Evaluate[T](expression))
	if err != nil {
		b.t.Fatalf("%s: %v", expression, err)
	}
	return v
}

func (b *tab) size(width, height int64) {
	b.t.Helper()
	b.do(chromedp.EmulateViewport(width, height))
	time.Sleep(150 * time.Millisecond) // a resize observer runs in the next frames
}

func (b *tab) media(medium, scheme string) {
	b.t.Helper()
	_, err := chromedp.Call(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Media: medium, Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
	})
	if err != nil {
		b.t.Fatal(err)
	}
}

// picture keeps what the tab shows in the folder that VITALS_SHOTS names, for a
// person to look at.
func (b *tab) picture(name string) {
	b.t.Helper()
	dir := os.Getenv("VITALS_SHOTS")
	if dir == "" {
		return
	}
	png, err := chromedp.Run(b, chromedp.FullScreenshot(100))
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, name+".png"), png, 0o600)
	}
	if err != nil {
		b.t.Error(err)
	}
}

func (b *tab) complaints(where string) {
	b.t.Helper()
	script, err := os.ReadFile("testdata/accessible.js")
	if err != nil {
		b.t.Fatal(err)
	}
	for i, c := range look[[]string](b, string(script)) {
		if i == 8 {
			b.t.Errorf("%s: and more", where)
			break
		}
		b.t.Errorf("%s: %s", where, c)
	}
}

// quiet tells that the page fetched nothing and complained of nothing.
func (b *tab) quiet() {
	b.t.Helper()
	b.mu.Lock() // not for longer: events come while an expression is looked at
	trouble, requests := slices.Clone(b.trouble), slices.Clone(b.requests)
	b.mu.Unlock()
	if len(trouble) > 0 {
		b.t.Errorf("the browser complains: %q", trouble)
	}
	if others := slices.DeleteFunc(requests, func(u string) bool { return strings.HasPrefix(u, "file://") && strings.HasSuffix(u, "report.html") }); len(others) > 0 {
		b.t.Errorf("the page fetched %q, want nothing: it is one offline file", others)
	}
	if n := look[int](b, `performance.getEntriesByType('resource').length`); n != 0 {
		b.t.Errorf("got %d resources fetched, want none", n)
	}
}

// noOverflow tells that the page is no wider than its window.
func (b *tab) noOverflow(where string) {
	b.t.Helper()
	if over := look[int](b, `document.documentElement.scrollWidth - document.documentElement.clientWidth`); over > 0 {
		worst := look[string](b, `[...document.querySelectorAll('main *')].filter(n => n.getBoundingClientRect().right > innerWidth + 1 && !n.closest('.scroll, .transcript, nav')).map(n => n.outerHTML.slice(0, 90)).slice(0, 3).join(' | ')`)
		b.t.Errorf("%s: the page is %d px wider than its window: %s", where, over, worst)
	}
}

func full(t *testing.T) []byte {
	t.Helper()
	d := document(t)
	d.Comparison = comparison(t)
	return render(t, report.HTML, d)
}

// TestHTMLInABrowser opens the page in a real browser: every chart is drawn, wide
// and narrow, light and dark, and nothing is fetched.
func TestHTMLInABrowser(t *testing.T) {
	b := open(t, full(t))
	b.size(1280, 900)
	panels, drawn := look[int](b, `document.querySelectorAll('.panel[data-run]').length`), look[int](b, `document.querySelectorAll('.panel.drawn .uplot canvas').length`)
	if panels < 10 || drawn != panels {
		t.Errorf("got %d of %d charts drawn, want all", drawn, panels)
	}
	// A chart that drew nothing is a canvas without ink.
	if blank := look[int](b, `[...document.querySelectorAll('.uplot canvas')].filter(c => !c.getContext('2d').getImageData(0, 0, c.width, c.height).data.some(v => v)).length`); blank != 0 {
		t.Errorf("got %d blank charts, want none", blank)
	}
	if verdict := look[string](b, `document.querySelector('h1 .badge').textContent`); verdict != "FAIL" {
		t.Errorf("got verdict %q, want it shown", verdict)
	}
	if first := look[string](b, `document.querySelector('main').innerText.slice(0, 40)`); !strings.Contains(first, "FAIL") {
		t.Errorf("the page begins with %q, want the verdict", first)
	}
	for _, scheme := range []string{"light", "dark"} {
		b.media("screen", scheme)
		for _, width := range []int64{1280, 768, 360} {
			b.size(width, 800)
			where := fmt.Sprintf("%s at %d px", scheme, width)
			b.noOverflow(where)
			b.complaints(where)
			b.picture(fmt.Sprintf("report-%s-%d", scheme, width))
		}
	}
	b.quiet()
}

// A press on a column's head sorts by it: durations by their length and not by
// their letters.
func TestHTMLSorts(t *testing.T) {
	b := open(t, full(t))
	const table = `[...document.querySelectorAll('#run-1 table.grid')].find(t => t.textContent.includes('all honest'))`
	column := func() []string {
		return look[[]string](b, `[...`+table+`.tBodies[0].rows].map(r => r.cells[6].textContent)`)
	}
	press := table + `.tHead.rows[0].cells[6].querySelector('button').click()`
	look[any](b, press+`, 0`)
	down := column()
	look[any](b, press+`, 0`)
	up := column()
	slices.Reverse(up)
	if len(down) != 4 || down[0] != "391ms" || down[3] != "340ms" || up[0] != down[0] || up[3] != down[3] {
		t.Errorf("got %q and turned %q, want the slowest first", down, up)
	}
	if got := look[string](b, table+`.tHead.rows[0].cells[6].getAttribute('aria-sort')`); got != "ascending" {
		t.Errorf("got aria-sort %q", got)
	}
	b.quiet()
}

// One zoom is all charts' of the run, and a button takes it back.
func TestHTMLZoomsAllCharts(t *testing.T) {
	b := open(t, full(t))
	b.size(1280, 900)
	box := look[[]float64](b, `(() => { const r = document.querySelector('#run-0 .u-over').getBoundingClientRect(); return [r.left, r.top + scrollY, r.width, r.height] })()`)
	look[any](b, fmt.Sprintf(`scrollTo(0, %f), 0`, box[1]-200))
	y := look[float64](b, `document.querySelector('#run-0 .u-over').getBoundingClientRect().top`) + box[3]/2
	ink := `[...document.querySelectorAll('#run-0 .uplot canvas')].map(c => c.toDataURL())`
	before := look[[]string](b, ink)
	b.do(chromedp.DragAndDropXY(box[0]+box[2]*0.3, y, box[0]+box[2]*0.6, y, 8))
	time.Sleep(200 * time.Millisecond)
	after := look[[]string](b, ink)
	for i := range before {
		if before[i] == after[i] {
			t.Errorf("chart %d of %d did not zoom", i+1, len(before))
		}
	}
	if n := look[int](b, `document.querySelectorAll('.reset').length`); n != 1 {
		t.Fatalf("got %d buttons to show the whole run again, want 1", n)
	}
	look[any](b, `document.querySelector('.reset').click(), 0`)
	time.Sleep(200 * time.Millisecond)
	for i, again := range look[[]string](b, ink) { // not to the pixel: it was drawn by another way of rounding
		if again == after[i] {
			t.Errorf("chart %d of %d is still zoomed", i+1, len(before))
		}
	}
	if n := look[int](b, `document.querySelectorAll('.reset').length`); n != 0 {
		t.Error("the button stayed")
	}
	b.quiet()
}

// Without scripts, and on paper, every chart is a drawing and nothing overflows.
func TestHTMLWithoutScripts(t *testing.T) {
	b := browse(t)
	if _, err := chromedp.Call(b, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "report.html")
	if err := os.WriteFile(file, full(t), 0o600); err != nil {
		t.Fatal(err)
	}
	b.visit("file://" + file)
	shown := `[...document.querySelectorAll('.panel .still')].filter(s => s.getBoundingClientRect().height > 50).length`
	all := `document.querySelectorAll('.panel').length`
	for _, width := range []int64{1280, 360} {
		b.size(width, 800)
		if got, want := look[int](b, shown), look[int](b, all); got != want || got == 0 {
			t.Errorf("at %d px: got %d of %d drawings", width, got, want)
		}
		where := fmt.Sprintf("without scripts at %d px", width)
		b.noOverflow(where)
		b.complaints(where)
	}
	b.picture("report-no-scripts-360")
	b.quiet()
}

func TestHTMLInPrint(t *testing.T) {
	b := open(t, full(t))
	b.media("print", "light")
	b.size(720, 1000) // A4 between its margins
	if got, want := look[int](b, `[...document.querySelectorAll('.panel .still')].filter(s => s.getBoundingClientRect().height > 50).length`), look[int](b, `document.querySelectorAll('.panel').length`); got != want {
		t.Errorf("got %d of %d drawings on paper", got, want)
	}
	if n := look[int](b, `[...document.querySelectorAll('.uplot, nav')].filter(s => s.getClientRects().length).length`); n != 0 {
		t.Errorf("got %d things on paper that are for a screen", n)
	}
	b.noOverflow("print")
	b.picture("report-print")
	b.quiet()
}
