
"use strict";
// The page is whole without this. It fetches the same page again and puts in what changed, so that nothing flickers,
// moves or forgets what was typed, opened or chosen.
(() => {
  const { body } = document;
  const byId = (id) => document.getElementById(id);
  const live = byId("live");
  const box = live.querySelector("input");
  const filter = byId("filter");
  let answered = new Date();
  let timer = 0;

  const apply = () => {
    if (!filter) return;
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    const rows = byId("rows").rows;
    for (const row of rows) {
      const text = words.length ? row.textContent.toLowerCase() : "";
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
    let place = to.firstElementChild;
    for (const row of Array.from(from.rows)) {
      let known = old.get(row.id);
      old.delete(row.id);
      if (known) {
        row.hidden = known.hidden;
        if (known.className !== row.className) known.className = row.className;
        if (known.innerHTML !== row.innerHTML) known.replaceChildren(...row.childNodes);
      } else {
        known = row;
      }
      if (known === place) place = place.nextElementSibling;
      else to.insertBefore(known, place);
    }
    for (const row of old.values()) row.remove();
  };

  const patch = (fresh) => {
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
      byId("lost").querySelector("span").textContent = `${answered.toISOString().slice(11, 19)} UTC`;
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

  live.hidden = false;
  box.addEventListener("change", () => box.checked && refresh());
  document.addEventListener("visibilitychange", () => !document.hidden && box.checked && refresh());
  if (filter) {
    byId("search").querySelector("button").hidden = true;
    filter.addEventListener("input", apply);
    byId("search").addEventListener("submit", (event) => event.preventDefault());
    document.addEventListener("click", (event) => {
      const link = event.target.closest("a[data-filter]");
      if (!link) return;
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
