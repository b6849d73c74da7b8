// Long series that can be zoomed: takes the place of the SVG in every [data-series], with the same numbers.
(function () {
  "use strict";
  if (!window.uPlot) return;
  var DAY = 86400;
  var UNITS = ["B", "kB", "MB", "GB", "TB", "PB"];

  function size(value) {
    var unit = 0;
    while (Math.abs(value) >= 999.5 && unit < UNITS.length - 1) { value /= 1000; unit += 1; }
    return value.toFixed(unit === 0 || Math.abs(value) >= 100 ? 0 : 1) + "\u00a0" + UNITS[unit];
  }
  function count(value) {
    return value.toLocaleString("en", { maximumFractionDigits: Math.abs(value) < 10 ? 1 : 0 });
  }
  var SCALES = { size: size, count: count };

  function formats(zone) {
    function form(options) { options.timeZone = zone; return new Intl.DateTimeFormat("en-GB", options); }
    return {
      year: form({ month: "short", year: "numeric" }), day: form({ day: "numeric", month: "short" }),
      time: form({ hour: "2-digit", minute: "2-digit" }),
      long: form({ weekday: "short", day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit" })
    };
  }

  // Colours are asked of the style sheet, so that a chart changes with the theme.
  function colour(figure, style) {
    var probe = document.createElement("span");
    probe.className = "ink-" + style;
    figure.appendChild(probe);
    var found = getComputedStyle(probe).color;
    probe.remove();
    return found;
  }
  function faint(text) { return text.replace(/^rgb\((.*)\)$/, "rgba($1, 0.12)"); }

  // Not more steps than can be told apart; bundles follow the zoom.
  var BUNDLES = [1, 2, 4, 8, 12, 24, 48, 96, 192, 672, 2880, 8640];
  function bundled(from, until, width) {
    var most = Math.max(60, width / 3);
    return BUNDLES.find(function (each) { return until - from <= each * most; }) || Math.ceil((until - from) / most);
  }
  function bundle(data, from, until, many) {
    var times = [], lines = data.lines.map(function () { return []; });
    for (var at = from; at < until; at += many) {
      times.push(data.start + at * data.step);
      data.lines.forEach(function (line, number) {
        var sum = 0, end = Math.min(at + many, until);
        for (var each = at; each < end; each += 1) sum += line.values[each];
        lines[number].push(data.adds_up ? sum : sum / (end - at));
      });
    }
    times.push(data.start + until * data.step); // a step has an end as well
    lines.forEach(function (values) { values.push(values[values.length - 1]); });
    return [times].concat(lines);
  }

  function lasting(seconds) {
    var unit = seconds % DAY === 0 ? [DAY, "day"] : seconds % 3600 === 0 ? [3600, "hour"] : [60, "minute"];
    var number = seconds / unit[0];
    return number === 1 ? "one " + unit[1] : number + " " + unit[1] + "s";
  }

  function build(figure, data) {
    var plot = figure.querySelector(".series-plot"), legend = figure.querySelector(".legend");
    var write = SCALES[data.scale] || count, form = formats(data.zone), points = data.lines[0].values.length;
    var first = 0, last = points, many = 1, chart = null;
    var told = document.createElement("p");
    told.className = "note series-told";
    told.setAttribute("aria-live", "off");
    var hint = matchMedia("(hover: none)").matches ? "Tap the chart for its numbers, + to look closer." : "Drag across the chart to look closer.";

    function tick(chart, splits) {
      var wide = splits[splits.length - 1] - splits[0];
      return splits.map(function (each) {
        var date = new Date(each * 1000), midnight = form.time.format(date) === "00:00";
        return (wide > 300 * DAY ? form.year : wide > 9 * DAY || midnight ? form.day : form.time).format(date);
      });
    }
    function tell(chart) {
      var at = chart.cursor.idx;
      if (at === null || at === undefined || at >= chart.data[0].length - 1) {
        told.textContent = "Each step is " + lasting(data.step * many) + ". " + hint;
        return;
      }
      told.textContent = form.long.format(new Date(chart.data[0][at] * 1000)) + ": " + data.lines.map(
        function (line, number) { return line.name + " " + write(chart.data[number + 1][at]); }).join(", ");
    }
    function options() {
      var ink = colour(figure, "soft"), rule = colour(figure, "rule");
      var axis = { stroke: ink, font: "12px system-ui, sans-serif", grid: { stroke: rule, width: 1 }, ticks: { show: false } };
      return {
        width: plot.clientWidth, height: plot.clientWidth < 600 ? 200 : 260, legend: { show: false },
        tzDate: function (seconds) { return uPlot.tzDate(new Date(seconds * 1000), data.zone); },
        cursor: { drag: { x: true, y: false, setScale: false }, points: { size: 7 } },
        scales: { x: { time: true }, y: { range: function (chart, low, high) { return [0, (high || 1) * 1.06]; } } },
        axes: [
          Object.assign({ values: tick, space: 84, size: 34 }, axis),
          Object.assign({ values: function (chart, splits) { return splits.map(write); }, size: 68 }, axis)
        ],
        series: [{}].concat(data.lines.map(function (line, number) {
          var stroke = colour(figure, line.style);
          return {
            label: line.name, stroke: stroke, width: 1.5, dash: number ? [5, 3] : undefined, points: { show: false },
            fill: number ? undefined : faint(stroke), paths: uPlot.paths.stepped({ align: 1 })
          };
        })),
        hooks: {
          setCursor: [tell],
          setSelect: [function (chart) {
            if (chart.select.width < 4) return;
            var from = chart.posToVal(chart.select.left, "x"), until = chart.posToVal(chart.select.left + chart.select.width, "x");
            show(Math.floor((from - data.start) / data.step), Math.ceil((until - data.start) / data.step));
          }]
        }
      };
    }
    function draw() {
      if (!figure.isConnected) return; // its page was swapped for another
      if (chart) chart.destroy();
      plot.textContent = "";
      many = bundled(first, last, plot.clientWidth);
      chart = new uPlot(options(), bundle(data, first, last, many), plot);
      chart.root.querySelector("canvas").setAttribute("role", "img");
      chart.root.querySelector("canvas").setAttribute("aria-label", data.label);
      tell(chart);
      whole.disabled = first === 0 && last === points;
      earlier.disabled = first === 0;
      later.disabled = last === points;
      closer.disabled = last - first <= 4;
    }
    function show(from, until) {
      var wide = Math.max(4, Math.min(points, until - from));
      first = Math.max(0, Math.min(points - wide, from));
      last = first + wide;
      draw();
    }
    function button(text, name, act) {
      var made = document.createElement("button");
      made.type = "button";
      made.textContent = text;
      made.setAttribute("aria-label", name);
      made.addEventListener("click", act);
      return made;
    }
    function move(part) { var by = Math.round((last - first) * part); show(first + by, last + by); }
    var earlier = button("\u2039", "Earlier", function () { move(-0.5); });
    var later = button("\u203a", "Later", function () { move(0.5); });
    var closer = button("+", "Closer", function () {
      var by = Math.round((last - first) / 4); show(first + by, last - by);
    });
    var whole = button("All", "The whole time", function () { show(0, points); });
    var tools = document.createElement("div");
    tools.className = "series-tools";
    tools.append(told, earlier, later, closer, whole);
    legend.before(tools);
    plot.addEventListener("dblclick", function () { show(0, points); });

    var width = 0;
    new ResizeObserver(function () {
      if (plot.clientWidth && plot.clientWidth !== width) { width = plot.clientWidth; draw(); }
    }).observe(plot);
    document.addEventListener("homeport:theme", draw);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  }

  function begin(root) {
    root.querySelectorAll("[data-series]:not([data-drawn])").forEach(function (figure) {
      figure.dataset.drawn = "";
      build(figure, JSON.parse(figure.dataset.series));
    });
  }
  begin(document);
  document.addEventListener("htmx:load", function (event) { begin(event.detail.elt.parentElement || document); });
})();
