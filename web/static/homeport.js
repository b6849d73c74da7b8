// What makes the pages quicker to use; each of them reads without it.
(function () {
  "use strict";

  function dark() {
    var chosen = document.documentElement.dataset.theme;
    return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  }

  document.addEventListener("click", function (event) {
    var toggle = event.target.closest("[data-theme-toggle]");
    if (toggle) {
      var theme = dark() ? "light" : "dark";
      document.documentElement.dataset.theme = theme;
      try { localStorage.setItem("theme", theme); } catch (error) { /* only until the page is left */ }
      document.dispatchEvent(new CustomEvent("homeport:theme"));
      return;
    }
    var copy = event.target.closest("[data-copy]");
    if (copy) {
      var source = document.getElementById(copy.dataset.copy);
      if (navigator.clipboard) {
        navigator.clipboard.writeText(source.textContent.trim()).then(function () { copy.textContent = "Copied"; });
      } else { // a page that came over plain HTTP has no clipboard: mark the text, so that one key copies it
        getSelection().selectAllChildren(source);
      }
    }
  });

  document.addEventListener("keydown", function (event) {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.target.closest("input, textarea, select")) return;
    var search = document.querySelector("[data-key='/']");
    if (search) { event.preventDefault(); search.focus(); }
  });

  // What somebody is reading stays: a part that is fetched anew waits until the note on it is closed.
  document.addEventListener("htmx:beforeSwap", function (event) {
    var notes = Array.from(event.detail.target.querySelectorAll("[popover]"));
    if ("popover" in HTMLElement.prototype && notes.some(function (note) { return note.matches(":popover-open"); })) {
      event.detail.shouldSwap = false;
    }
  });

  // On a phone the pages' names are wider than the screen: the one that is shown is among those that can be seen.
  var current = document.querySelector(".top nav [aria-current]");
  if (current) current.parentElement.scrollLeft = current.offsetLeft - current.parentElement.offsetLeft - 48;

  // There the map is wider as well: what is shown of it first has the place with most, which is drawn first.
  var map = document.querySelector(".map-box"), most = map && map.querySelector(".dot");
  if (most) map.scrollLeft += most.getBoundingClientRect().left - map.getBoundingClientRect().left - map.clientWidth / 2;

  // A select or a checkbox that says so sends its form at once.
  document.addEventListener("change", function (event) {
    if (event.target.closest("[data-submit]")) event.target.form.requestSubmit();
  });
})();
