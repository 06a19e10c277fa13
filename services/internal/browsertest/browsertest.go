// Package browsertest lets tests look at the console as a person does: in a
// browser, by keyboard, at any width, in light and dark. It needs Debian's
// chromium, and what package.json names; `make test-browser` sees to both.
package browsertest

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

const (
	// Enabled is the variable without which browser tests are skipped.
	Enabled = "HABEAS_TEST_BROWSER"
	// Screenshots is the variable that names the folder for screenshots.
	Screenshots = "HABEAS_SCREENSHOTS"
	// waitTime bounds how long something may take to appear. A busy machine is
	// slow; a page that never gets there fails all the same.
	waitTime = time.Minute
	// Zone is the browser's time zone. It is never UTC, so that a page that shows
	// UTC by mistake is noticed.
	Zone = "Europe/Paris"
)

// Skip skips the test unless browser tests are enabled.
func Skip(t *testing.T) {
	t.Helper()
	if os.Getenv(Enabled) == "" {
		t.Skip("needs a browser: make test-browser")
	}
}

// Browser is one browser, for one test and its pages.
type Browser struct {
	ctx    context.Context
	folder string
}

// Start starts a browser that ends with the test. Without a browser on the machine
// it skips the test.
func Start(t *testing.T) *Browser {
	t.Helper()
	Skip(t)
	opts := []chromedp.ExecAllocatorOption{chromedp.NoFirstRun, chromedp.NoDefaultBrowserCheck, chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.UserDataDir(t.TempDir()), chromedp.Env("TZ=" + Zone)}
	for _, flag := range []string{"disable-quic", "disable-background-networking", "disable-component-update", "disable-sync", "hide-scrollbars", "disable-dev-shm-usage"} {
		opts = append(opts, chromedp.Flag(flag, true))
	}
	alloc, stop := chromedp.NewExecAllocator(context.Background(), opts...)
	ctx, cancel := chromedp.NewContext(alloc)
	t.Cleanup(func() {
		_ = chromedp.Cancel(ctx) // waits for the browser's end, so that its folder can go
		cancel()
		stop()
	})
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("the browser doesn't start: %v", err)
	}
	return &Browser{ctx: ctx, folder: folder(t)}
}

// folder returns the folder for screenshots.
func folder(t *testing.T) string {
	t.Helper()
	dir := os.Getenv(Screenshots)
	if dir == "" {
		dir = filepath.Join(os.TempDir(), "habeas-screenshots")
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// Page is a tab with its own cookies: one agent's.
type Page struct {
	*testing.T
	ctx    context.Context
	folder string

	mu       sync.Mutex
	problems []string
}

// Option changes a page.
type Option func(*options)

type options struct{ script bool }

// WithoutScript opens the page with scripts switched off.
func WithoutScript(o *options) { o.script = false }

// Page opens a tab. When the test ends, nothing may stand in its console: no
// error, no violation of the content security policy.
func (b *Browser) Page(t *testing.T, opts ...Option) *Page {
	t.Helper()
	o := options{script: true}
	for _, opt := range opts {
		opt(&o)
	}
	ctx, cancel := chromedp.NewContext(b.ctx, chromedp.WithNewBrowserContext())
	p := &Page{T: t, ctx: ctx, folder: b.folder}
	t.Cleanup(cancel)
	if err := chromedp.Listen(ctx, p.listen); err != nil {
		t.Fatal(err)
	}
	call(p, log.Enable, cdp.Empty{})
	call(p, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{still}})
	call(p, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !o.script})
	t.Cleanup(func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		for _, problem := range p.problems {
			t.Errorf("the browser's console: %s", problem)
		}
	})
	return p
}

func (p *Page) listen(e any) {
	switch e := e.(type) {
	case *log.EventEntryAdded:
		// Beside a plain refusal, which is no page and names no icon, browsers look
		// for one of this name.
		if strings.HasSuffix(e.Entry.URL, "/favicon.ico") {
			return
		}
		if e.Entry.Level == log.EntryLevelError || e.Entry.Level == log.EntryLevelWarning {
			p.problem(fmt.Sprintf("%s: %s %s", e.Entry.Source, e.Entry.Text, e.Entry.URL))
		}
	case *runtime.EventExceptionThrown:
		text := e.ExceptionDetails.Text
		if x := e.ExceptionDetails.Exception; x != nil {
			text += " " + x.Description
		}
		p.problem(text)
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError || e.Type == runtime.ConsoleAPICalledTypeWarning {
			var args []string
			for _, a := range e.Args {
				args = append(args, string(a.Value)+a.Description)
			}
			p.problem(strings.Join(args, " "))
		}
	}
}

func (p *Page) problem(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.problems = append(p.problems, text)
}

// Expect marks an error in the console that has text in it as expected: a page that
// answers 409 is reported there.
func (p *Page) Expect(part string) {
	p.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	var rest []string
	for _, problem := range p.problems {
		if !strings.Contains(problem, part) {
			rest = append(rest, problem)
		}
	}
	p.problems = rest
}

// do has the browser do something within waitTime.
func (p *Page) do(steps ...chromedp.Action[chromedp.Void]) {
	p.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, waitTime)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		p.lost(err)
	}
}

// call gives the browser a command of its protocol.
func call[P, R any](p *Page, command cdp.Command[P, R], params P) R {
	p.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, waitTime)
	defer cancel()
	r, err := chromedp.Call(ctx, command, params)
	if err != nil {
		p.Fatal(err)
	}
	return r
}

// lost ends the test and prints what the page shows.
func (p *Page) lost(why error) {
	p.Helper()
	p.Shoot("failed-" + strings.ReplaceAll(p.Name(), "/", "-"))
	ctx, cancel := context.WithTimeout(p.ctx, waitTime)
	defer cancel()
	text, _ := chromedp.Run(ctx, chromedp.Evaluate[string](`location.pathname + ": " + document.body.innerText.slice(0, 2000)`))
	p.Fatalf("%v; the page is %s", why, text)
}

// Open loads an address.
func (p *Page) Open(url string) { p.Helper(); p.do(chromedp.Navigate(url)) }

// Eval returns what an expression is worth on the page; promises are waited for.
func Eval[T any](p *Page, expression string) T {
	p.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, waitTime)
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		p.lost(err)
	}
	return v
}

// Script runs a script on the page.
func (p *Page) Script(script string) { p.Helper(); Eval[chromedp.Void](p, script) }

// True waits until an expression is true on the page, or on one that follows it.
func (p *Page) True(expression string) {
	p.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, waitTime)
	defer cancel()
	beat := time.NewTicker(50 * time.Millisecond)
	defer beat.Stop()
	for {
		// Between two pages there is nothing to ask.
		if is, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`!!(`+expression+`)`)); err == nil && is {
			return
		}
		select {
		case <-ctx.Done():
			p.lost(fmt.Errorf("it never comes true that %s", expression))
		case <-beat.C:
		}
	}
}

// Says waits until an element shows a text.
func (p *Page) Says(selector, text string) {
	p.Helper()
	p.True(fmt.Sprintf(`[...document.querySelectorAll(%q)].some(e => e.innerText.toLowerCase().includes(%q.toLowerCase()))`, selector, text))
}

// Click clicks on an element that is visible.
func (p *Page) Click(selector string) {
	p.Helper()
	p.do(chromedp.Click(chromedp.CSS(selector), chromedp.NodeVisible))
}

// Submit clicks on a button and waits until another page has been loaded.
func (p *Page) Submit(selector string) {
	p.Helper()
	p.Script(`window.before = true`)
	p.Click(selector)
	p.True(`window.before === undefined && document.readyState === "complete"`)
}

// Type types text into a field.
func (p *Page) Type(selector, text string) {
	p.Helper()
	p.do(chromedp.SendKeys(chromedp.CSS(selector), text, chromedp.NodeVisible))
}

// Set sets a field's value, or a list's choice.
func (p *Page) Set(selector, value string) {
	p.Helper()
	p.do(chromedp.SetValue(chromedp.CSS(selector), value))
}

// Files chooses files in a file field.
func (p *Page) Files(selector string, files ...string) {
	p.Helper()
	p.do(chromedp.SetUploadFiles(chromedp.CSS(selector), files))
}

// Press presses keys, as chromedp's kb package writes them.
func (p *Page) Press(keys string) { p.Helper(); p.do(chromedp.KeyEvent(keys)) }

// Look is a way to look at a page: size, colours, motion.
type Look struct {
	Width int
	Dark  bool
	Print bool
}

// Name returns the look's name in a screenshot's file name.
func (l Look) Name() string {
	switch {
	case l.Print:
		return "print"
	case l.Dark:
		return fmt.Sprintf("%04d-dark", l.Width)
	default:
		return fmt.Sprintf("%04d-light", l.Width)
	}
}

// still has pages move at once: a click is aimed at a place, and must not meet a page
// that is still scrolling.
var still = &emulation.MediaFeature{Name: "prefers-reduced-motion", Value: "reduce"}

// As shows the page in a look from now on.
func (p *Page) As(l Look) {
	p.Helper()
	scheme, media := "light", "screen"
	if l.Dark {
		scheme = "dark"
	}
	if l.Print {
		media = "print"
	}
	call(p, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: int64(l.Width), Height: 900, DeviceScaleFactor: 1, Mobile: l.Width < 500})
	call(p, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: media, Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}, still}})
}

// Shoot writes a screenshot of the whole page.
func (p *Page) Shoot(name string) {
	p.Helper()
	beyond := true
	ctx, cancel := context.WithTimeout(p.ctx, waitTime)
	defer cancel()
	shot, err := chromedp.Call(ctx, page.CaptureScreenshot, page.CaptureScreenshotParams{CaptureBeyondViewport: &beyond})
	if err == nil {
		err = os.WriteFile(filepath.Join(p.folder, name+".png"), shot.Data, 0o644)
	}
	if err != nil {
		p.Errorf("screenshot %s: %v", name, err)
	}
}

// Pages returns on how many pages the page prints.
func (p *Page) Pages() int {
	p.Helper()
	printed := call(p, page.PrintToPDF, page.PrintToPDFParams{PaperWidth: 8.27, PaperHeight: 11.69})
	return bytes.Count(printed.Data, []byte("/Type /Page\n"))
}
