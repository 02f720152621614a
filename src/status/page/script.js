
"use strict";
// The page is whole without this. It fetches the same page again and puts in what changed, so that nothing flickers,
// moves or forgets what was typed, opened or chosen; it sorts, copies, reads the charts and knows the local time.
(() => {
  const { body } = document;
  const byId = (id) => document.getElementById(id);
  const live = byId("live");
  const box = live.querySelector("input");
  const zone = byId("local").querySelector("input");
  const filter = byId("filter");
  let answered = new Date();
  let timer = 0;
  document.documentElement.className = "js";

  // Times: the server writes UTC, the switch puts this machine's time in its place.
  const two = (number) => String(number).padStart(2, "0");
  const inZone = (date, utc) => {
    if (!zone.checked) return utc;
    const day = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join("-");
    const time = [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(":");
    return utc.replace(/\d{4}-\d\d-\d\d/, day).replace(/\d\d:\d\d(:\d\d)?/, (old) => time.slice(0, old.length));
  };
  const zoneName = () => {
    const parts = new Intl.DateTimeFormat("en", { timeZoneName: "short" }).formatToParts();
    return parts.find((part) => part.type === "timeZoneName").value;
  };
  const localise = (page) => {
    for (const time of page.querySelectorAll("time[datetime]")) {
      if (zone.checked) time.dataset.utc ??= time.textContent;
      const utc = time.dataset.utc;
      if (utc === undefined) continue;
      time.textContent = inZone(new Date(time.dateTime), utc);
      if (!zone.checked) delete time.dataset.utc;
    }
    for (const name of page.querySelectorAll(".zone")) name.textContent = zone.checked ? zoneName() : "UTC";
  };
  const storage = (use) => {
    try {
      return use(localStorage);
    } catch {
      return null;
    }
  };

  // Sorting: by one column, those that are alike in the server's order.
  const collator = new Intl.Collator("en", { numeric: true });
  const units = { d: 86400, h: 3600, min: 60, s: 1 };
  const heads = filter ? Array.from(byId("rows").parentNode.tHead.rows[0].cells) : [];
  let places = new Map();
  let sorted = { column: 0, sign: 0 };

  // What a cell tells, but for the small print: that changes from one second to the next.
  const printed = (cell) =>
    Array.from(cell.childNodes, (node) => (node.nodeName === "SMALL" ? "" : node.textContent)).join("").trim();
  const key = (text) => {
    if (!/^\d+( (d|h|min|s)\b ?(\d+)?)*$/.test(text)) return text;
    const spans = Array.from(text.matchAll(/(\d+) (d|h|min|s)\b/g));
    return spans.length ? spans.reduce((sum, [, number, unit]) => sum + number * units[unit], 0) : Number(text);
  };
  const compare = (a, b) => {
    if (typeof a === "number" && typeof b === "number") return a - b;
    return collator.compare(String(a), String(b));
  };
  const inOrder = (rows) => {
    const { column, sign } = sorted;
    const keyed = rows.map((row) => [sign && key(printed(row.cells[column])), places.get(row.id), row]);
    keyed.sort(([a, m], [b, n]) => {
      // What is empty comes last, either way.
      const order = sign ? (a === "") - (b === "") || sign * compare(a, b) : 0;
      return order || m - n;
    });
    return keyed.map(([, , row]) => row);
  };
  const place = (rows) => {
    const to = byId("rows");
    let at = to.firstElementChild;
    for (const row of inOrder(rows)) {
      if (row === at) at = at.nextElementSibling;
      else to.insertBefore(row, at);
    }
  };
  const remember = (rows) => (places = new Map(rows.map((row, index) => [row.id, index])));

  const sort = (column) => {
    const sign = sorted.column !== column || !sorted.sign ? 1 : sorted.sign > 0 ? -1 : 0;
    sorted = { column, sign };
    heads.forEach((head, index) => {
      if (sign && index === column) head.ariaSort = sign > 0 ? "ascending" : "descending";
      else head.removeAttribute("aria-sort");
    });
    place(Array.from(byId("rows").rows));
  };

  const apply = () => {
    if (!filter) return;
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    const rows = byId("rows").rows;
    for (const row of rows) {
      const text = words.length ? Array.from(row.cells, printed).join(" ").toLowerCase() : "";
      const hidden = !words.every((word) => text.includes(word));
      if (row.hidden !== hidden) row.hidden = hidden;
      if (!hidden) shown += 1;
    }
    const text = `${shown} of ${rows.length} replica${rows.length === 1 ? "" : "s"}`;
    if (byId("shown").textContent !== text) byId("shown").textContent = text;
  };

  const patchRows = (fresh) => {
    const [from, to] = [fresh.getElementById("rows"), byId("rows")];
    if (!from || !to) return;
    const old = new Map(Array.from(to.rows, (row) => [row.id, row]));
    const rows = Array.from(from.rows, (row) => {
      const known = old.get(row.id);
      old.delete(row.id);
      if (!known) return row;
      if (known.className !== row.className) known.className = row.className;
      if (known.innerHTML !== row.innerHTML) known.replaceChildren(...row.childNodes);
      return known;
    });
    for (const row of old.values()) row.remove();
    remember(rows);
    place(rows);
  };

  const patch = (fresh) => {
    localise(fresh);
    for (const part of fresh.querySelectorAll("[data-part]")) {
      const old = byId(part.id);
      for (const opened of old ? old.querySelectorAll("details[open]") : []) {
        const same = part.querySelector(`#${opened.id}`);
        if (same) same.open = true;
      }
      if (!old || old.innerHTML === part.innerHTML) continue;
      const focusable = Array.from(old.querySelectorAll("a, summary"));
      const at = focusable.indexOf(document.activeElement);
      old.replaceChildren(...part.childNodes);
      if (at >= 0) old.querySelectorAll("a, summary")[at]?.focus({ preventScroll: true });
    }
    document.title = fresh.title;
    const icon = (page) => page.querySelector("link[rel=icon]");
    if (icon(document).href !== icon(fresh).href) icon(document).href = icon(fresh).href;
    const search = byId("search");
    if (search && fresh.getElementById("search")) {
      search.hidden = fresh.getElementById("search").hidden && !filter.value;
    }
    patchRows(fresh);
    apply();
  };

  const refresh = async () => {
    try {
      const options = { headers: { Accept: "text/html" }, cache: "no-store", signal: AbortSignal.timeout(10000) };
      const answer = await fetch(location.pathname, options);
      if (!answer.ok) throw new Error(String(answer.status));
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      // After an upgrade this script may not fit the page any more.
      if (fresh.body.dataset.version !== body.dataset.version) return location.reload();
      patch(fresh);
      answered = new Date();
      byId("lost").hidden = true;
    } catch {
      const time = inZone(answered, answered.toISOString().slice(11, 19));
      byId("lost").querySelector("span").textContent = `${time} ${zone.checked ? zoneName() : "UTC"}`;
      byId("lost").hidden = false;
    }
  };

  const next = () => {
    clearTimeout(timer);
    timer = setTimeout(async () => {
      if (box.checked && !document.hidden) await refresh();
      next();
    }, Number(body.dataset.refresh) * 1000);
  };

  // Copying: by the selection, for the clipboard's own interface is kept from pages without https.
  const said = body.appendChild(document.createElement("p"));
  said.id = "said";
  said.setAttribute("role", "status");
  const copy = (code) => {
    const selection = getSelection();
    selection.selectAllChildren(code);
    const done = document.execCommand("copy");
    said.textContent = done ? `Copied ${code.textContent}` : "Selected: copy it with Ctrl-C";
    if (done) selection.removeAllRanges();
    setTimeout(() => (said.textContent = ""), 2500);
  };

  // The charts: what was at the time under the pointer.
  const hand = body.appendChild(document.createElement("div"));
  hand.id = "hand";
  hand.hidden = true;
  const read = (plot, x) => {
    const picture = plot.querySelector("svg").getBoundingClientRect();
    const [columns, names, runs] = plot.dataset.read.split("|");
    const share = Math.min(Math.max((x - picture.left) / picture.width, 0), 0.999999);
    const column = Math.floor(share * columns);
    const run = runs.split(";").map((text) => text.split(",")).findLast(([from]) => Number(from) <= column);
    const told = names.split(",").map((name, index) => {
      const value = run[index + 1];
      if (value === "" || (value === "0" && /^[+?]/.test(name))) return "";
      return name.startsWith("?") ? name.slice(1) : `${value} ${name.replace("+", "")}`;
    });
    const ends = Array.from(plot.querySelectorAll("time"), (time) => Date.parse(time.dateTime));
    const date = new Date(ends[0] + ((ends[1] - ends[0]) * column) / Math.max(columns - 1, 1));
    const time = inZone(date, date.toISOString().slice(11, 19));
    hand.textContent = `${time}: ${told.filter(Boolean).join(", ") || "not seen"}`;
    hand.hidden = false;
    hand.style.top = `${picture.top}px`;
    hand.style.height = `${picture.height}px`;
    // On the side where there is room.
    const right = share > 0.5;
    hand.className = right ? "right" : "";
    hand.style.left = right ? "auto" : `${x}px`;
    hand.style.right = right ? `${document.documentElement.clientWidth - x}px` : "auto";
  };
  const point = (event) => {
    const plot = event.target.closest?.(".plot");
    if (plot) read(plot, event.clientX);
    else hand.hidden = true;
  };
  for (const kind of ["pointermove", "pointerdown", "pointerover"]) document.addEventListener(kind, point);
  document.addEventListener("scroll", () => (hand.hidden = true), { passive: true });

  live.hidden = false;
  byId("local").hidden = false;
  zone.checked = storage((kept) => kept.getItem("local-time")) === "yes";
  zone.addEventListener("change", () => {
    storage((kept) => kept.setItem("local-time", zone.checked ? "yes" : "no"));
    localise(document);
  });
  if (zone.checked) localise(document);
  box.addEventListener("change", () => box.checked && refresh());
  document.addEventListener("visibilitychange", () => !document.hidden && box.checked && refresh());
  document.addEventListener("click", (event) => {
    const code = event.target.closest("td code, th code, li code");
    // A selection by hand is left alone.
    if (code && getSelection().isCollapsed) copy(code);
  });
  if (filter) {
    byId("search").querySelector("button").hidden = true;
    filter.addEventListener("input", apply);
    byId("search").addEventListener("submit", (event) => event.preventDefault());
    heads.forEach((head, column) => {
      const button = document.createElement("button");
      button.append(...head.childNodes);
      button.addEventListener("click", () => sort(column));
      head.append(button);
    });
    remember(Array.from(byId("rows").rows));
    document.addEventListener("click", (event) => {
      const link = event.target.closest("a");
      const row = link?.hash.startsWith("#r-") && byId(link.getAttribute("href").slice(1));
      if (row?.hidden) {
        // It can be jumped to as soon as it is seen.
        filter.value = "";
        apply();
      }
      if (!link?.dataset.filter) return;
      event.preventDefault();
      filter.value = link.dataset.filter;
      byId("search").hidden = false;
      apply();
      byId("replicas-heading").focus({ preventScroll: true });
      byId("replicas-heading").scrollIntoView();
    });
    apply();
  }
  next();
})();
