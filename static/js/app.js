/* Comfort only; every page works without it: "/" goes to the search, times appear in the reader's zone. */
(() => {
  "use strict";

  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest("input, textarea, select, [contenteditable]");
    if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
    const search = document.querySelector("[data-search]");
    if (!search) return;
    event.preventDefault();
    search.focus();
  });

  const exact = new Intl.DateTimeFormat("en-GB", {
    day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", timeZoneName: "short",
  });

  function localise(root) {
    for (const element of root.querySelectorAll("time[data-time]")) {
      const text = exact.format(new Date(element.dateTime));
      element.title = text;
      if (element.dataset.time === "exact") element.textContent = text;
    }
  }

  localise(document);
  document.addEventListener("htmx:afterSwap", (event) => localise(event.target.parentElement || document));
})();
