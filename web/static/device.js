// A change on the page of a device that is refused is answered with a sentence; it is shown like any other answer.
(function () {
  "use strict";
  document.addEventListener("htmx:beforeSwap", function (event) {
    if (event.detail.xhr.status >= 400 && event.detail.requestConfig.verb === "post") {
      event.detail.shouldSwap = true;
      event.detail.isError = false;
    }
  });
})();
