// A report on paper: the browser's own print dialogue.
(function () {
  "use strict";
  document.addEventListener("click", function (event) {
    if (event.target.closest("[data-print]")) print();
  });
})();
