// Finding devices while one types: the form answers without script, too.
(function () {
  "use strict";
  var form = document.querySelector("[data-finder]");
  if (!form || !window.htmx) return;
  var field = form.querySelector("input[type=search]"), waiting = 0;
  field.addEventListener("input", function () {
    clearTimeout(waiting);
    waiting = setTimeout(function () {
      var asked = new URLSearchParams(new FormData(form));
      Array.from(asked).forEach(function (each) { if (!each[1]) asked.delete(each[0]); });
      var address = form.getAttribute("action") + "?" + asked;
      window.htmx.ajax("GET", address, { target: "#list", select: "#list", swap: "outerHTML" }).then(function () {
        history.replaceState(null, "", address);
      });
    }, 250);
  });
})();
