// What the console does in the browser beside htmx: times in the reader's zone,
// the selection in the list, and a word where a page's forms are out of date.
"use strict";
(() => {
  const zone = new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" });

  function localise(root) {
    for (const el of root.querySelectorAll("time[datetime]:not([data-local])")) {
      const at = new Date(el.dateTime);
      if (isNaN(at)) continue;
      el.textContent = zone.format(at);
      el.dataset.local = "";
    }
  }

  // The forms were made when the page was: once somebody has acted, or the state
  // is another, they are of no use. They aren't replaced, since somebody may be
  // writing into one.
  let made = null;
  function stale() {
    const mark = document.querySelector("[data-acts]");
    if (!mark) return;
    const now = mark.dataset.acts + " " + mark.dataset.status;
    made ??= now;
    if (now === made) return;
    const writing = document.querySelector(".action[open]");
    if (!writing && !document.querySelector(".ids td")) { location.replace(location.pathname); return; }
    document.querySelector("[data-stale]").hidden = false;
  }

  function selection() {
    const bulk = document.getElementById("bulk");
    if (!bulk) return;
    const boxes = document.querySelectorAll('input[name="id"]');
    const show = () => {
      const n = document.querySelectorAll('input[name="id"]:checked').length;
      bulk.hidden = n === 0;
      bulk.querySelector("[data-picked]").textContent = n;
      bulk.querySelector("textarea").disabled = n === 0;
    };
    boxes.forEach((b) => b.addEventListener("change", show));
    show();
  }

  localise(document);
  stale();
  selection();
  document.body.addEventListener("htmx:sseMessage", () => { localise(document); stale(); });
})();
