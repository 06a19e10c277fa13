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
