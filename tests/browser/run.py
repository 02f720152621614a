#!/usr/bin/env python3
"""The status page in a real Chromium: against the simulated pool, and against a made-up one of 1,000.

Needs Debian's chromium and chromium-driver. `make test-browser` builds the program, fetches axe-core and runs this.
Screenshots are left in target/browser/.
"""

import contextlib
import json
import os
import pathlib
import re
import subprocess
import sys
import threading
import time
import traceback
import urllib.request

from cloud import EVIL, Cloud
from driver import Browser, Chromedriver

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = os.environ.get("BINARY", str(ROOT / "target/debug/simplescalevm"))
OUT = ROOT / "target/browser"
AXE = OUT / "axe/axe_core_python/axe.min.js"

DEMO = {
    "PROVIDER": "simulated", "APP_INTERVAL": "2", "REPLICA_CAPACITY": "4",
    "REPLICA_MIN_AVAILABLE_RESOURCES": "6", "REPLICA_MAX": "12", "REPLICA_BOOT_GRACE": "20",
    "REPLICA_LAUNCH_TIMEOUT": "15", "REPLICA_REPLACE_SILENT_AFTER": "6", "REPLICA_API_TIMEOUT": "1",
    "REPLICA_API_RETRIES": "0", "EXTERNAL_ADDRESS_MANAGEMENT": "true",
}


class Daemon:
    """The program, until it is stopped."""

    def __init__(self, settings):
        settings = {**settings, "APP_HOST": "127.0.0.1", "APP_PORT": "0"}
        self.process = subprocess.Popen([BINARY], env=settings, stderr=subprocess.PIPE, text=True)
        self.log = []
        self.url = None
        threading.Thread(target=self._read, daemon=True).start()
        wait("the status server", lambda: self.url or self.process.poll() is not None)
        if self.url is None:
            raise RuntimeError("it does not start:\n" + "".join(self.log))

    def _read(self):
        for line in self.process.stderr:
            self.log.append(line)
            found = re.search(r"status on (http://\S+)", line)
            if found:
                self.url = found[1]

    def json(self):
        with urllib.request.urlopen(self.url + "status", timeout=30) as answer:
            return json.load(answer)

    def wait_for_passes(self, count):
        wait(f"{count} passes", lambda: self.json()["passes"] >= count)

    def stop(self):
        self.process.terminate()
        self.process.wait(20)


def wait(what, seen, patience=120):
    end = time.monotonic() + patience
    while not seen():
        if time.monotonic() > end:
            raise AssertionError(f"never seen: {what}")
        time.sleep(0.1)


def get(url, accept):
    request = urllib.request.Request(url, headers={"Accept": accept})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return answer.headers, answer.read().decode()


# What every page has to be, whatever it shows.

CONTRAST = """
const parse = (text) => { const n = text.match(/[\\d.]+/g).map(Number); return n.length < 4 ? [...n, 1] : n };
const light = (c) => { const l = c.slice(0, 3).map((v) => { v /= 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4 });
  return 0.2126 * l[0] + 0.7152 * l[1] + 0.0722 * l[2] };
const ground = (e) => { for (; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor); if (c[3] > 0) return c } return [255, 255, 255, 1] };
const bad = new Set();
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
  const e = walker.currentNode.parentElement;
  if (!walker.currentNode.data.trim() || !e.checkVisibility() || ['SCRIPT', 'STYLE'].includes(e.tagName) || e.closest('svg')) continue;
  const [a, b] = [light(parse(getComputedStyle(e).color)), light(ground(e))];
  const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  if (ratio < 4.5) bad.add(`${ratio.toFixed(2)} ${e.tagName}.${e.className} ${walker.currentNode.data.trim().slice(0, 40)}`);
}
return [...bad].slice(0, 10);
"""

LANDMARKS = """
const wrong = [];
const one = (selector) => { const n = document.querySelectorAll(selector).length; if (n !== 1) wrong.push(`${n} of ${selector}`) };
['main', 'body > header', 'body > footer', 'h1', 'html[lang=en]', 'head > title'].forEach(one);
for (const s of document.querySelectorAll('section')) if (!document.getElementById(s.getAttribute('aria-labelledby'))) wrong.push('a section without a name');
for (const th of document.querySelectorAll('th')) if (!th.scope) wrong.push(`no scope: ${th.textContent}`);
let level = 0;
for (const h of document.querySelectorAll('h1, h2, h3')) { const n = Number(h.tagName[1]); if (n > level + 1) wrong.push(`${h.tagName} after h${level}`); level = n }
for (const i of document.querySelectorAll('input')) if (!i.labels.length) wrong.push('an input without a label');
for (const s of document.querySelectorAll('svg:not([aria-hidden])')) if (!s.querySelector('title')?.textContent || !s.querySelector('desc')?.textContent) wrong.push('a picture without words');
const ids = [...document.querySelectorAll('[id]')].map((e) => e.id);
if (new Set(ids).size !== ids.length) wrong.push('an id twice');
return wrong;
"""


def check_looks(browser, name, sizes=(360, 1280), axe=True, height=None):
    """Narrow and wide, light and dark: nothing sticks out, everything can be read and found."""
    for scheme in ("light", "dark"):
        for width in sizes:
            browser.look(width, scheme)
            where = f"{name}, {width} px, {scheme}"
            over = browser.run("return document.documentElement.scrollWidth - innerWidth")
            assert over <= 0, f"{where}: {over} px stick out"
            equal(browser.run(CONTRAST), [], f"{where}: contrast below 4.5")
            equal(browser.run(LANDMARKS), [], where)
            browser.screenshot(OUT / f"{name}-{width}-{scheme}.png", height=height)
            if axe:
                browser.run(AXE.read_text())
                found = browser.run_async(
                    "const done = arguments[0]; axe.run(document, {resultTypes: ['violations']}).then((r) => "
                    "done(r.violations.map((v) => `${v.id}: ${v.help}: ${v.nodes[0].html.slice(0, 120)}`)))")
                equal(found, [], f"{where}: axe-core")


def check_quiet(browser, url):
    """The console is empty, and no other host was asked for anything."""
    equal(browser.console(), [], "the console says")
    allowed = (url, "data:")
    others = [address for address in browser.requests() if not address.startswith(allowed)]
    equal(others, [], "asked elsewhere")


def equal(seen, wanted, what):
    assert seen == wanted, f"{what}: {seen!r}, not {wanted!r}"


# The tests. Each gets the driver.


@contextlib.contextmanager
def simulated(driver, scripts=True, **more):
    daemon = Daemon({**DEMO, **more, "REPLICA_API_PORT": free_port()})
    browser = Browser(driver, scripts)
    try:
        yield daemon, browser
    finally:
        browser.close()
        daemon.stop()


def free_port():
    import socket
    with socket.socket() as one:
        one.bind(("127.77.0.1", 0))
        return str(one.getsockname()[1])


@contextlib.contextmanager
def thousand(driver):
    cloud = Cloud(1000, 40)
    settings = {**cloud.settings(), "APP_INTERVAL": "20", "REPLICA_MIN_AVAILABLE_RESOURCES": "1400"}
    daemon = Daemon(settings)
    browser = Browser(driver)
    try:
        daemon.wait_for_passes(2)
        yield daemon, browser
    finally:
        browser.close()
        daemon.stop()


def a_browser_gets_the_page_and_everything_else_gets_json(driver):
    with simulated(driver) as (daemon, browser):
        daemon.wait_for_passes(1)
        for path, accept, kind in [("", "text/html,*/*;q=0.8", "text/html; charset=utf-8"),
                                   ("", "*/*", "application/json"),
                                   ("status", "text/html", "application/json")]:
            fields, _ = get(daemon.url + path, accept)
            equal(fields["Content-Type"], kind, f"/{path} for {accept}")
            equal(fields["Vary"], "Accept", f"/{path}")
        browser.open(daemon.url)
        assert "group=scaler" in browser.run("return document.querySelector('h1').textContent")


def a_reader_finds_what_they_look_for(driver):
    with simulated(driver) as (daemon, browser):
        daemon.wait_for_passes(20)
        browser.open(daemon.url)
        text = browser.run("return document.body.innerText")
        for word in ["Healthy", "Free resources", "of 6 wanted", "of at most 12", "next", "What holds it back",
                     "The last hours", "Replicas by state", "Last plan", "Recent events", "External addresses",
                     "127.77.0.", "a restart forgets it", "History since", "done: create", "simulated"]:
            assert word.lower() in text.lower(), f"{word!r} is not on the page:\n{text}"
        check_looks(browser, "demo")
        browser.look(1100)
        browser.screenshot(OUT / "readme.png", height=1000)
        check_quiet(browser, daemon.url)


def the_picture_and_the_clock_follow_the_passes(driver):
    with simulated(driver) as (daemon, browser):
        daemon.wait_for_passes(2)
        browser.open(daemon.url)
        browser.run("window.before = document.querySelector('#past svg').outerHTML; window.here = true")
        browser.wait_until("another picture",
                           "return document.querySelector('#past svg').outerHTML !== window.before")
        assert browser.run("return window.here"), "the page was loaded anew"
        check_quiet(browser, daemon.url)


def a_refresh_forgets_nothing_the_reader_did(driver):
    with simulated(driver) as (daemon, browser):
        daemon.wait_for_passes(8)
        browser.look(360)
        browser.open(daemon.url)
        browser.run("document.getElementById('numbers').open = true; scrollTo(0, 500); window.here = scrollY;"
                    "window.row = document.getElementById('rows').rows[0];"
                    "document.querySelector('#numbers summary').focus({preventScroll: true});"
                    "window.text = document.getElementById('past').innerHTML")
        browser.wait_until("a refresh", "return document.getElementById('past').innerHTML !== window.text")
        assert browser.run("return document.getElementById('numbers').open"), "what was opened is closed"
        equal(browser.run("return document.activeElement.tagName"), "SUMMARY", "the focus")
        moved = browser.run("return Math.abs(scrollY - window.here)")
        assert moved < 60, f"the page moved by {moved} px"


def a_program_that_is_gone_is_said_so(driver):
    with simulated(driver) as (daemon, browser):
        daemon.wait_for_passes(1)
        browser.open(daemon.url)
        daemon.stop()
        browser.wait_until("the alarm", "return !document.getElementById('lost').hidden")
        assert "No answer since" in browser.run("return document.getElementById('lost').innerText")


def without_scripts_everything_is_there(driver):
    with simulated(driver, scripts=False) as (daemon, browser):
        daemon.wait_for_passes(10)
        browser.look(360)
        browser.open(daemon.url + "?filter=healthy")
        source = browser.source()
        assert re.search(r'<meta http-equiv="refresh" content="\d+"', source), "no refresh"
        assert 'value="healthy"' in source, "the filter is not kept"
        equal(browser.run("return document.getElementById('live').hidden"), True, "the switch that needs a script")
        states = browser.run("return [...document.getElementById('rows').rows].filter((r) => r.checkVisibility())"
                             ".map((r) => r.className)")
        assert states and set(states) == {"healthy"}, f"the filter shows {states}"
        browser.screenshot(OUT / "no-script-360.png")
        check_quiet(browser, daemon.url)


def a_summary_names_nothing(driver):
    with simulated(driver, APP_STATUS_DETAIL="summary") as (daemon, browser):
        daemon.wait_for_passes(20)
        browser.open(daemon.url)
        text = browser.run("return document.body.innerHTML.replace(/<script>.*/s, '')")
        for hidden in ["127.77", "203.0.113", "simulated-", "scaler-"]:
            assert hidden not in text, f"{hidden} is shown: {text}"
        check_looks(browser, "summary")
        check_quiet(browser, daemon.url)


def a_thousand_replicas_can_be_read_and_filtered(driver):
    with thousand(driver) as (daemon, browser):
        began = time.monotonic()
        browser.look(1280)
        browser.open(daemon.url)
        opened = time.monotonic() - began
        _, page = get(daemon.url, "text/html")
        began = time.monotonic()
        get(daemon.url, "text/html")
        print(f"  page of 1,000: {len(page.encode())} bytes, answered in {time.monotonic() - began:.3f} s, "
              f"opened in {opened:.2f} s")
        rows = browser.run("return document.getElementById('rows').rows.length")
        assert rows > 980, f"{rows} rows"
        for word in ["Creation paused until", "Quota exceeded", "203.0.113.40"]:
            assert word in browser.run("return document.body.innerText"), f"{word} is not on the page"
        browser.type("#filter", "silent 503")
        shown = browser.run("return [...document.getElementById('rows').rows].filter((r) => !r.hidden)"
                            ".map((r) => r.className)")
        assert len(shown) == 20 and set(shown) == {"silent"}, f"the filter shows {shown}"
        took = browser.run("const f = document.getElementById('filter'); f.value = 'recorder-00'; const t = performance.now();"
                           "f.dispatchEvent(new Event('input')); document.body.offsetHeight; return performance.now() - t")
        print(f"  filtered in {took:.0f} ms")
        text = browser.run("window.text = document.getElementById('now').innerHTML;"
                           "return document.getElementById('shown').textContent")
        browser.wait_until("a refresh", "return document.getElementById('now').innerHTML !== window.text")
        equal(browser.run("return document.getElementById('filter').value"), "recorder-00", "the filter")
        assert text.split(" of ")[0] in browser.run("return document.getElementById('shown').textContent"), "rows shown"
        check_quiet(browser, daemon.url)


def a_thousand_replicas_look_well_and_no_name_is_markup(driver):
    with thousand(driver) as (daemon, browser):
        browser.look(1280)
        browser.open(daemon.url)
        names = browser.run("return [...document.querySelectorAll('#rows bdi')].map((e) => e.textContent)")
        assert EVIL in names, "the evil name is not shown as it is"
        assert "owned" not in browser.run("return document.title")
        equal(browser.run("return document.querySelectorAll('#rows img, #rows script').length"), 0, "markup")
        check_looks(browser, "thousand", axe=False, height=3000)
        browser.click("a[data-filter=parked]")
        equal(browser.run("return document.getElementById('shown').textContent").split(" of ")[0], "10", "parked")
        check_quiet(browser, daemon.url)


TESTS = [
    a_browser_gets_the_page_and_everything_else_gets_json,
    a_reader_finds_what_they_look_for,
    the_picture_and_the_clock_follow_the_passes,
    a_refresh_forgets_nothing_the_reader_did,
    a_program_that_is_gone_is_said_so,
    without_scripts_everything_is_there,
    a_summary_names_nothing,
    a_thousand_replicas_can_be_read_and_filtered,
    a_thousand_replicas_look_well_and_no_name_is_markup,
]


def main():
    wanted = [test for test in TESTS if not sys.argv[1:] or any(word in test.__name__ for word in sys.argv[1:])]
    driver = Chromedriver()
    failed = 0
    try:
        for test in wanted:
            try:
                test(driver)
                print(f"test {test.__name__} ... ok", flush=True)
            except Exception:
                failed += 1
                print(f"test {test.__name__} ... FAILED\n{traceback.format_exc()}", flush=True)
    finally:
        driver.stop()
    word = "FAILED" if failed else "ok"
    print(f"\ntest result: {word}. {len(wanted) - failed} passed; {failed} failed; 0 ignored")
    return 1 if failed or not wanted else 0


if __name__ == "__main__":
    sys.exit(main())
