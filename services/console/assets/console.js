// What the console does in the browser beside htmx: times in the reader's zone,
// the selection in the list, and a word where a page's forms are out of date.
"use strict";
(() => {
  // English as the British write it, whose days come before their months.
  const lang = document.documentElement.lang === "en" ? "en-GB" : document.documentElement.lang;
  const zone = {
    minute: new Intl.DateTimeFormat(lang, { dateStyle: "medium", timeStyle: "short" }),
    second: new Intl.DateTimeFormat(lang, { dateStyle: "medium", timeStyle: "medium" }),
    day: new Intl.DateTimeFormat(lang, { dateStyle: "medium" }),
  };

  function localise(root) {
    for (const el of root.querySelectorAll("time[datetime]:not([data-local])")) {
      const at = new Date(el.dateTime);
      if (isNaN(at)) continue;
      if (el.dataset.ago === undefined && el.dataset.hover === undefined) el.textContent = (zone[el.dataset.to] ?? zone.minute).format(at);
      else el.title = zone.second.format(at);
      el.dataset.local = "";
    }
  }

  // How long ago something was grows while a page is open.
  const relative = new Intl.RelativeTimeFormat(lang, { numeric: "always" });
  function grow() {
    for (const el of document.querySelectorAll("time[data-ago]")) {
      const minutes = Math.floor((Date.now() - new Date(el.dateTime)) / 60000);
      if (minutes < 1) continue;
      el.textContent = minutes < 60 ? relative.format(-minutes, "minute") : minutes < 2880 ? relative.format(-Math.floor(minutes / 60), "hour") : relative.format(-Math.floor(minutes / 1440), "day");
    }
  }
  setInterval(grow, 60000);

  // What somebody has opened or closed of the timeline stays so when it is sent anew.
  const chapters = () => [...document.querySelectorAll(".chapter details")];
  const key = (d) => d.querySelector("time")?.dateTime + d.querySelector("b")?.textContent;
  const turned = new Map();
  document.addEventListener("click", (e) => { const d = e.target.closest(".chapter summary")?.parentElement; if (d) turned.set(key(d), !d.open); });
  function reopen() { for (const d of chapters()) if (turned.has(key(d))) d.open = turned.get(key(d)); }

  // A saved phrase goes into the field, where it can be changed.
  document.addEventListener("change", (e) => {
    if (!e.target.matches?.("[data-phrase]") || !e.target.value) return;
    const field = e.target.form.elements.to_person;
    field.value = e.target.value;
    e.target.value = "";
    field.focus();
  });

  // A choice of what the timeline shows is taken at once.
  document.addEventListener("change", (e) => { if (e.target.id === "show") e.target.form.requestSubmit(); });

  // The forms were made when the page was: once somebody has acted, or the state
  // is another, they are of no use. New ones are fetched, unless somebody may be
  // writing into one: then they are told.
  let made = null, said = null;
  const writing = () => document.querySelector("#acts .action[open], #acts form[data-begun]");
  document.addEventListener("input", (e) => { const form = e.target.closest("#acts form"); if (form) form.dataset.begun = ""; });
  function stale() {
    const mark = document.querySelector("[data-acts]");
    if (!mark) return;
    if (said !== null && said !== mark.dataset.statusWord) document.querySelector("[data-said]").textContent = mark.dataset.statusWord;
    said = mark.dataset.statusWord;
    if (mark.dataset.title) document.title = mark.dataset.title;
    const now = [mark.dataset.acts, mark.dataset.status, mark.dataset.next].join(" ");
    made ??= now;
    if (now === made) return;
    if (writing()) { document.querySelector("[data-stale]").hidden = false; return; }
    made = now;
    htmx.ajax("GET", location.pathname.replace(/(\/requests\/[^/]+).*/, "$1"), { target: "#acts", select: "#acts", swap: "outerHTML" });
  }

  // Whether the page hears of what happens.
  function hears(on) {
    const live = document.querySelector("[data-live]");
    if (!live) return;
    live.hidden = false;
    live.classList.toggle("off", !on);
    live.querySelector("[data-on]").hidden = !on;
    live.querySelector("[data-off]").hidden = on;
  }

  // Without this script the form for many is there at all times.
  function selection() {
    const bulk = document.getElementById("bulk");
    if (!bulk) return;
    bulk.classList.add("follows");
    const boxes = [...document.querySelectorAll('input[name="id"]')];
    const all = document.getElementById("all");
    const show = () => {
      const n = boxes.filter((b) => b.checked).length;
      bulk.hidden = n === 0;
      bulk.querySelector("[data-picked]").textContent = n;
      bulk.querySelector("textarea").disabled = n === 0;
      if (all) { all.checked = n > 0 && n === boxes.length; all.indeterminate = n > 0 && n < boxes.length; }
    };
    for (const b of boxes) b.addEventListener("change", show);
    if (all) {
      all.hidden = boxes.length === 0;
      all.addEventListener("change", () => { for (const b of boxes) b.checked = all.checked; show(); });
    }
    show();
  }

  // The list is fetched anew while nobody is at it.
  const updateEvery = 20000;
  function update() {
    const list = document.querySelector("#list[data-updates]");
    if (!list || document.hidden || list.querySelector("input[name=id]:checked, details[open], select:focus, textarea:focus, input:focus, button:focus")) return;
    htmx.ajax("GET", location.pathname + location.search, { target: "#list", select: "#list", swap: "outerHTML" });
  }
  setInterval(update, updateEvery);
  document.body.addEventListener("htmx:afterSettle", (e) => { localise(e.target); if (e.target.id === "list" || e.detail.target?.id === "list") { localise(document); selection(); remember(); } });

  // The list's requests, so that the next one is a key away also from a request's page.
  const rows = () => [...document.querySelectorAll("a[data-row]")];
  function remember() {
    if (rows().length) sessionStorage.setItem("habeas-list", JSON.stringify({ from: location.pathname + location.search, hrefs: rows().map((a) => a.pathname) }));
  }
  const list = () => { try { return JSON.parse(sessionStorage.getItem("habeas-list")) ?? { hrefs: [] }; } catch { return { hrefs: [] }; } };

  function step(by) {
    const all = rows();
    if (all.length) {
      const at = all.findIndex((a) => a.closest("tr").contains(document.activeElement));
      all[Math.min(all.length - 1, Math.max(0, at + by))]?.focus();
      return;
    }
    const { hrefs } = list();
    const at = hrefs.indexOf(location.pathname);
    if (at >= 0 && hrefs[at + by]) location.href = hrefs[at + by];
  }

  // Opens an act of a request's page, and puts the cursor into it.
  function act(...verbs) {
    for (const verb of verbs) {
      const it = document.querySelector(`#acts [data-act="${verb}"]`);
      if (!it) continue;
      if (it.tagName === "DETAILS") it.open = true;
      it.scrollIntoView({ block: "nearest" });
      (it.querySelector("input[name=to], textarea[name=reason]") ?? it.querySelector("button")).focus();
      return true;
    }
  }
  // Selects the row that has the focus, where none is selected.
  function pick(toggle) {
    const box = document.activeElement.closest("tr")?.querySelector("input[name=id]");
    if (box && (toggle || !document.querySelector("input[name=id]:checked"))) { box.checked = !box.checked; box.dispatchEvent(new Event("change", { bubbles: true })); }
  }
  function many(selector) {
    pick(false);
    const field = document.querySelector(selector);
    if (field && document.querySelector("input[name=id]:checked")) field.focus();
  }

  const keys = document.getElementById("keys"), palette = document.getElementById("palette");
  const single = keys?.querySelector("[data-single]");
  if (single) {
    single.checked = localStorage.getItem("habeas-keys") !== "off";
    single.addEventListener("change", () => localStorage.setItem("habeas-keys", single.checked ? "on" : "off"));
    document.querySelector("[data-foot]").hidden = false;
    document.querySelector("[data-foot]").addEventListener("click", (e) => {
      const which = e.target.closest("[data-open]")?.dataset.open;
      if (which === "keys") keys.showModal();
      if (which === "palette") ask();
    });
  }
  const does = {
    "/": () => document.getElementById("for").focus(),
    j: () => step(1),
    k: () => step(-1),
    x: () => pick(true),
    r: () => act("retry", "try-now", "gather-again") || many("#bulk textarea"),
    a: () => act("assign") || many("#bulk input[name=to]"),
    n: () => document.querySelector('.bar nav a[href="/new"]')?.click(),
    u: () => { const back = document.querySelector("[data-back]"); if (back) location.href = list().from ?? back.href; },
    "?": () => keys.showModal(),
  };
  document.addEventListener("keydown", (e) => {
    if (!single || e.isComposing) return;
    if ((e.ctrlKey || e.metaKey) && e.key.toLowerCase() === "k") { e.preventDefault(); ask(); return; }
    if ((e.ctrlKey || e.metaKey) && e.key === "Enter") { const form = e.target.closest?.("form"); if (form && !e.target.closest("dialog")) { e.preventDefault(); form.requestSubmit(form.querySelector("button.main, button:not([formaction])")); } return; }
    if (e.ctrlKey || e.metaKey || e.altKey || !single.checked || document.querySelector("dialog[open]") || e.target.closest?.("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]")) return;
    const what = does[e.key];
    if (what) { e.preventDefault(); what(); }
  });

  // The palette: pages, the request's acts and the list's requests, by name; what is none
  // of these is searched for.
  let entries = [], at = 0;
  function ask() {
    const field = palette.querySelector("input");
    entries = [...document.querySelectorAll(".bar nav a, .tabs a, a[data-row], [data-back]")].map((a) => ({ text: a.textContent.replace(/\s+/g, " ").trim(), go: () => a.click() }));
    for (const it of document.querySelectorAll("#acts [data-act]")) {
      const text = (it.querySelector("summary") ?? it.querySelector("button.main")).textContent.replace(/\s+/g, " ").trim();
      entries.unshift({ text, go: () => act(it.dataset.act) });
    }
    field.value = "";
    offer();
    if (!palette.open) palette.showModal();
    field.focus();
  }
  function offer() {
    const sought = palette.querySelector("input").value.trim().toLowerCase();
    const shown = entries.filter((e) => sought.split(/\s+/).every((word) => e.text.toLowerCase().includes(word))).slice(0, 12);
    const ul = document.getElementById("palette-list");
    if (sought) shown.push({ text: `${ul.dataset.find}: ${sought}`, go: () => { const find = document.querySelector("form.find"); find.elements.for.value = palette.querySelector("input").value.trim(); find.requestSubmit(); } });
    at = Math.max(0, Math.min(at, shown.length - 1));
    ul.replaceChildren(...shown.map((e, i) => {
      const li = document.createElement("li");
      li.id = `palette-${i}`;
      li.role = "option";
      li.ariaSelected = i === at;
      li.textContent = e.text;
      li.addEventListener("click", () => take(e));
      return li;
    }));
    palette.querySelector("input").setAttribute("aria-activedescendant", shown.length ? `palette-${at}` : "");
    ul.children[at]?.scrollIntoView({ block: "nearest" });
    palette.shown = shown;
  }
  function take(entry) { palette.close(); entry?.go(); }
  palette?.addEventListener("input", () => { at = 0; offer(); });
  palette?.addEventListener("keydown", (e) => {
    if (e.key === "ArrowDown" || e.key === "ArrowUp") { e.preventDefault(); at = Math.max(0, at + (e.key === "ArrowDown" ? 1 : -1)); offer(); }
    if (e.key === "Enter") { e.preventDefault(); take(palette.shown[at]); }
  });

  // Back on the list, the row that one came from has the focus.
  const came = location.hash.startsWith("#r-") && document.querySelector(location.hash + " a[data-row]");
  if (came) came.focus();
  remember();
  localise(document);
  stale();
  selection();
  document.body.addEventListener("htmx:sseMessage", () => { localise(document); reopen(); stale(); });
  // Somebody may have begun to write while the new forms were on their way.
  document.body.addEventListener("htmx:beforeSwap", (e) => {
    if (e.detail.target.id !== "acts" || !writing()) return;
    e.detail.shouldSwap = false;
    document.querySelector("[data-stale]").hidden = false;
  });
  document.body.addEventListener("htmx:sseOpen", () => hears(true));
  document.body.addEventListener("htmx:sseError", () => hears(false));
})();
