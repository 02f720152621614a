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


# An address or a time that stands on two lines.
BROKEN = """
const whole = /\\d+\\.\\d+\\.\\d+\\.\\d+|\\d\\d:\\d\\d(:\\d\\d)?|[0-9a-f]+(:[0-9a-f]+){2,7}/g;
const broken = [];
const look = (range, text) => {
  const tops = [...range.getClientRects()].filter((r) => r.width > 0).map((r) => r.bottom);
  if (tops.some((t) => Math.abs(t - tops[0]) > 8)) broken.push(text);
};
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
  const node = walker.currentNode;
  if (['SCRIPT', 'STYLE'].includes(node.parentElement.tagName) || !node.parentElement.checkVisibility()) continue;
  for (const found of node.data.matchAll(whole)) {
    const range = document.createRange();
    range.setStart(node, found.index);
    range.setEnd(node, found.index + found[0].length);
    look(range, found[0]);
  }
}
for (const time of document.querySelectorAll('time, td:nth-of-type(n+5) code')) {
  const range = document.createRange();
  range.selectNodeContents(time);
  look(range, time.textContent);
}
return [...new Set(broken)].slice(0, 10);
"""

# What a finger has to hit and cannot.
SMALL = """
const small = [];
for (const e of document.querySelectorAll('a, button, label, summary, input:not([type=checkbox]), td code, th code, li code')) {
  if (!e.checkVisibility() || e.matches('.skip')) continue;
  const r = e.getBoundingClientRect();
  if (r.height < 24 || r.width < 24) small.push(`${e.tagName} ${e.textContent.slice(0, 30)}: ${r.width.toFixed(1)} × ${r.height.toFixed(1)}`);
}
return small.slice(0, 10);
"""

# Which part stands above the one that is to be read before it.
ORDER = """
const ids = ['health', 'attention-heading', 'trouble-heading', 'now-heading', 'addresses-heading', 'past-heading', 'plan-heading',
             'events-heading', 'replicas-heading'];
const parts = ids.map((id) => document.getElementById(id)).filter(Boolean);
const tops = parts.map((e) => e.getBoundingClientRect().top);
return parts.filter((_, n) => n && tops[n] < tops[n - 1]).map((e) => e.id);
"""


def check_looks(browser, name, sizes=(320, 390, 800, 1400), axe=True, height=None):
    """Narrow and wide, light and dark: nothing sticks out or breaks, everything can be read, found and hit."""
    for scheme in ("light", "dark"):
        for width in sizes:
            browser.look(width, scheme)
            where = f"{name}, {width} px, {scheme}"
            over = browser.run("return document.documentElement.scrollWidth - innerWidth")
            assert over <= 0, f"{where}: {over} px stick out"
            equal(browser.run(CONTRAST), [], f"{where}: contrast below 4.5")
            equal(browser.run(LANDMARKS), [], where)
            equal(browser.run(BROKEN), [], f"{where}: on two lines")
            equal(browser.run(SMALL), [], f"{where}: less than 24 px")
            equal(browser.run(ORDER), [], f"{where}: out of order")
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
                     "127.77.0.", "a restart forgets it", "History since", "create 1 replica", "settings in force", "simulated"]:
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


def the_figures_stand_in_twos_on_a_small_screen(driver):
    with simulated(driver) as (daemon, browser):
        daemon.wait_for_passes(2)
        browser.open(daemon.url)
        for width, columns in [(320, 1), (559, 1), (560, 2), (800, 2), (960, 2), (1400, 4)]:
            browser.look(width)
            lefts = browser.run("return [...document.querySelectorAll('.card')].map((c) => c.getBoundingClientRect().left)")
            equal((len(lefts), len(set(lefts))), (4, columns), f"cards, and columns of them, at {width} px")


def local_time_is_a_switch_that_is_remembered(driver):
    with simulated(driver, APP_INTERVAL="3600") as (daemon, browser):
        daemon.wait_for_passes(1)
        browser.cdp("Emulation.setTimezoneOverride", timezoneId="Asia/Kolkata")
        browser.open(daemon.url)
        shown = ("const t = document.querySelector('footer time'); const z = document.querySelector('footer .zone');"
                 "return [t.textContent, z.textContent, t.dateTime, document.querySelector('#local input').checked]")
        utc, zone, machine, _ = browser.run(shown)
        equal((utc, zone), (machine[:19].replace("T", " "), "UTC"), "at first")
        local = browser.run("const d = new Date(arguments[0]); d.setMinutes(d.getMinutes() + 330);"
                            "return d.toISOString().slice(0, 19).replace('T', ' ')", machine)
        browser.click("#local input")
        equal(browser.run(shown), [local, "GMT+5:30", machine, True], "switched on")
        left = browser.run("return [...document.querySelectorAll('time')].filter((t) => !t.dataset.utc).length")
        equal(left, 0, "times that stay in UTC")
        browser.open(daemon.url)
        equal(browser.run(shown), [local, "GMT+5:30", machine, True], "remembered")
        browser.run("window.page = document.getElementById('now').innerHTML;"
                    "document.getElementById('now').textContent = ''; document.querySelector('#live input').click();"
                    "document.querySelector('#live input').click()")
        browser.wait_until("a refresh", "return document.querySelector('#now time')?.dataset.utc")
        browser.click("#local input")
        equal(browser.run(shown), [utc, "UTC", machine, False], "switched off")
        browser.open(daemon.url)
        equal(browser.run(shown), [utc, "UTC", machine, False], "remembered, too")
        check_quiet(browser, daemon.url)


def a_click_copies_an_id_or_an_address(driver):
    with simulated(driver) as (daemon, browser):
        daemon.wait_for_passes(8)
        browser.open(daemon.url)
        browser.click("#live input")
        browser.run("document.addEventListener('copy', () => window.copied = getSelection().toString())")
        for what in ["#rows th code", "#rows td:nth-of-type(5) code", ".addresses th code"]:
            text = browser.run("return document.querySelector(arguments[0]).textContent", what)
            browser.run("document.querySelector(arguments[0]).scrollIntoView({block: 'center'})", what)
            browser.click(what)
            equal(browser.run("return window.copied"), text, f"the copy of {what}")
            equal(browser.run("return document.getElementById('said').textContent"), f"Copied {text}", "what is said")
        check_quiet(browser, daemon.url)


def an_event_leads_to_its_row(driver):
    with simulated(driver) as (daemon, browser):
        daemon.wait_for_passes(8)
        browser.open(daemon.url)
        browser.wait_until("an event with a link", "return document.querySelector('#events a')")
        browser.click("#live input")
        browser.run("const f = document.getElementById('filter'); f.value = 'no such row'; f.dispatchEvent(new Event('input'));"
                    "document.querySelector('#events a').scrollIntoView({block: 'center'})")
        row = browser.run("return document.querySelector('#events a').getAttribute('href').slice(1)")
        browser.click("#events a")
        seen = browser.wait_until(
            "the row", "const r = document.getElementById(arguments[0] ?? location.hash.slice(1));"
            "const b = r?.getBoundingClientRect(); return b && b.height > 0 && b.top >= 0 && b.bottom <= innerHeight && r.id")
        equal(seen, row, "the row that is seen")
        check_quiet(browser, daemon.url)


def the_pointer_reads_the_charts(driver):
    with simulated(driver) as (daemon, browser):
        daemon.wait_for_passes(6)
        browser.open(daemon.url)
        browser.click("#live input")
        for number, says in [(0, r"^\d\d:\d\d:\d\d: \d+ free, 6 wanted"), (1, r"^\d\d:\d\d:\d\d: \d+ (healthy|starting|creating)")]:
            text = browser.run(
                "const p = document.querySelectorAll('.plot')[arguments[0]]; p.scrollIntoView({block: 'center'});"
                "const b = p.querySelector('svg').getBoundingClientRect();"
                "p.dispatchEvent(new PointerEvent('pointermove', {bubbles: true, clientX: b.right - 3, clientY: b.top + 5}));"
                "const h = document.getElementById('hand'); return h.hidden ? '' : h.textContent", number)
            assert re.search(says, text), f"chart {number} reads {text!r}"
        away = browser.run("document.body.dispatchEvent(new PointerEvent('pointermove', {bubbles: true}));"
                           "return document.getElementById('hand').hidden")
        assert away, "it stays when the pointer has left"
        check_quiet(browser, daemon.url)


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
        for switch in ["live", "local"]:
            hidden = browser.run("return document.getElementById(arguments[0]).hidden", switch)
            equal(hidden, True, f"the switch {switch}, which needs a script")
        times = browser.run("return [...document.querySelectorAll('time')].map((t) => [t.dateTime, t.textContent])")
        assert times and all(shown[-5:] in machine for machine, shown in times), f"times that are not UTC: {times}"
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
        for word in ["creation paused", "quota exceeded", "203.0.113.40"]:
            assert word in browser.run("return document.body.innerText").lower(), f"{word} is not on the page"
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


def a_thousand_replicas_can_be_sorted(driver):
    with thousand(driver) as (daemon, browser):
        browser.look(1400)
        browser.open(daemon.url)
        column = "return [...document.getElementById('rows').rows].map((r) => r.cells[arguments[0]].textContent)"
        ids = "return [...document.getElementById('rows').rows].map((r) => r.id)"
        as_it_came = browser.run(ids)
        head = ".replicas thead th:nth-child({}) button"
        browser.run("document.getElementById('replicas').scrollIntoView()")
        browser.click(head.format(4))
        free = [int(text) for text in browser.run(column, 3)]
        equal(free, sorted(free), "free resources")
        equal(browser.run("return document.querySelectorAll('th')[3] && document.querySelector('[aria-sort]').textContent"),
              "Free", "the column that is sorted by")
        browser.click(head.format(4))
        free = [int(text) for text in browser.run(column, 3)]
        equal(free, sorted(free, reverse=True), "free resources, most first")
        browser.click(head.format(5))
        seconds = {"s": 1, "min": 60, "h": 3600, "d": 86400}

        def ages():
            return [sum(int(n) * seconds[unit] for n, unit in re.findall(r"(\d+) (\w+)", text))
                    for text in browser.run(column, 4)]

        assert len(set(ages())) > 100 and ages() == sorted(ages()), "ages"
        browser.run("window.text = document.getElementById('now').innerHTML")
        browser.wait_until("a refresh", "return document.getElementById('now').innerHTML !== window.text")
        assert ages() == sorted(ages()), "ages after a refresh"
        took = browser.run("const b = document.querySelector('.replicas thead button'); const t = performance.now();"
                           "b.click(); document.body.offsetHeight; return performance.now() - t")
        print(f"  sorted by name in {took:.0f} ms")
        browser.click(head.format(1))
        browser.click(head.format(1))
        now = browser.run(ids)
        equal(now, [one for one in as_it_came if one in now], "the server's order")
        check_quiet(browser, daemon.url)


def a_thousand_replicas_look_well_and_no_name_is_markup(driver):
    with thousand(driver) as (daemon, browser):
        browser.look(1280)
        browser.open(daemon.url)
        names = browser.run("return [...document.querySelectorAll('#rows bdi')].map((e) => e.textContent)")
        assert EVIL in names, "the evil name is not shown as it is"
        assert "owned" not in browser.run("return document.title")
        equal(browser.run("return document.querySelectorAll('#rows img, #rows script').length"), 0, "markup")
        browser.run("document.getElementById('settings').open = true")
        settings = browser.run("return document.getElementById('settings').innerText")
        for part in ["OS_PASSWORD (not shown)", "OPENSTACK_METADATA_VALUE recorders set", "REPLICA_MAX"]:
            assert part in settings, f"{part!r} is not among the settings in force: {settings}"
        assert "Debian 12" in browser.run("return document.querySelector('.where').innerText"), "where"
        browser.run("document.getElementById('settings').open = false")
        trouble = browser.run("return document.getElementById('trouble').innerText")
        assert "Replicas in trouble" in trouble and "in all:" in trouble, trouble
        folded = browser.run("return document.getElementById('all-addresses')?.open")
        equal(folded, False, "40 addresses that are well: unfolded")
        check_looks(browser, "thousand", axe=False, height=3000)
        browser.run("document.querySelector('#live input').click(); document.querySelector('.replicas').classList.add('v6');"
                    "document.getElementById('all-addresses').open = true;"
                    "for (const c of document.querySelectorAll('#rows td:nth-of-type(5) code, #trouble code'))"
                    "  c.textContent = '2001:db8:1234:5678:9abc:def0:1234:5678'")
        for width in (320, 390, 560, 761, 800, 961, 1400):
            browser.look(width)
            over = browser.run("return document.documentElement.scrollWidth - innerWidth")
            equal((over, browser.run(BROKEN)), (0, []), f"long addresses at {width} px: px that stick out, and what is broken")
        browser.click("#now a[data-filter=parked]")
        equal(browser.run("return document.getElementById('shown').textContent").split(" of ")[0], "10", "parked")
        check_quiet(browser, daemon.url)


TESTS = [
    a_browser_gets_the_page_and_everything_else_gets_json,
    a_reader_finds_what_they_look_for,
    the_picture_and_the_clock_follow_the_passes,
    a_refresh_forgets_nothing_the_reader_did,
    the_figures_stand_in_twos_on_a_small_screen,
    local_time_is_a_switch_that_is_remembered,
    a_click_copies_an_id_or_an_address,
    an_event_leads_to_its_row,
    the_pointer_reads_the_charts,
    a_program_that_is_gone_is_said_so,
    without_scripts_everything_is_there,
    a_summary_names_nothing,
    a_thousand_replicas_can_be_read_and_filtered,
    a_thousand_replicas_can_be_sorted,
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
