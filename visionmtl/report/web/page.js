"use strict";
// Draws the charts of a report, with the colours of its style sheet, and sorts its tables; enlarges pictures.
(() => {
  const root = document.documentElement;
  const LINES = 8, STROKES = [[], [6, 4], [2, 3], [8, 3, 2, 3]], HEIGHT = 230, PRINTED = 330;
  const DASHES = ["solid", "dashed", "dotted", "dashed"];
  const COUNTS = [1, 10, 100, 1e3, 1e4, 1e5, 1e6, 1e7].flatMap(power => [power, 2 * power, 5 * power]);
  const colour = name => getComputedStyle(root).getPropertyValue(name).trim();
  const number = (value, digits = 4) => value == null ? "–"
    : value && Math.abs(value) < 1e-4 ? value.toExponential(1) : String(+value.toPrecision(digits));

  // From 0 on, as half as high is half as much; of a part that was enlarged, as much as it needs.
  function range(lines) {
    const known = lines.flat().filter(value => value != null);
    const least = Math.min(...known), most = Math.max(...known);
    return (plot, low, high) => {
      if (low == null || (low === 0 && high === 0)) return [0, 1];
      if (plot.scales.y.distr === 3) return [low / 1.1, high * 1.1];
      const whole = low <= least && high >= most;
      const pad = 0.06 * (high - (whole && low >= 0 ? 0 : low)) || Math.abs(high);
      return [whole && low >= 0 ? 0 : low - pad, high + pad];
    };
  }

  const many = new Intl.NumberFormat("en", {notation: "compact"});
  function draw(figure, width) {
    const about = JSON.parse(figure.querySelector("script").textContent);
    const place = figure.querySelector(".lines"), x = about.points[0];
    const ink = colour("--ink"), rule = colour("--rule"), counted = /^(epoch|step)/.test(about.over);
    const axis = {stroke: ink, font: "11px system-ui", labelFont: "11px system-ui", grid: {stroke: rule, width: 1},
      ticks: {show: false}};
    const stroke = place => Math.floor(place / LINES) % STROKES.length;
    const shown = (plot, value, at, point) => point == null ? "" : number(value);
    const series = about.names.map((name, at) => ({
      label: name, stroke: colour(`--line-${about.colours[at] % LINES}`), width: 1.8, spanGaps: true,
      dash: STROKES[stroke(about.colours[at])], points: {show: x.length <= 25 && !about.bars, size: 5},
      ...(about.bars ? {paths: uPlot.paths.bars({size: [0.9]}), fill: colour(`--line-${about.colours[at] % LINES}`)} : {}),
      value: shown,
    }));
    place.replaceChildren();
    figure.plot = new uPlot({
      width, height: HEIGHT,
      scales: {
        x: {time: false, range: (plot, low, high) => {
          const half = about.bars ? (x[1] - x[0]) / 2 : low === high ? 0.5 : 0;
          return [low - half, high + half];
        }},
        y: {distr: about.logarithmic ? 3 : 1, range: range(about.points.slice(1))},
      },
      axes: [
        {...axis, label: about.over, labelSize: 18, size: 28, incrs: counted ? COUNTS : undefined},
        {...axis, size: 54, values: (plot, ticks) => ticks.map(tick => tick == null ? "" : tick >= 1e5 ? many.format(tick) : number(tick, 6))},
      ],
      series: [{label: about.over, value: shown}, ...series],
      cursor: {drag: {x: true, y: false}},
      legend: {markers: {width: 2, dash: (plot, at) => DASHES[stroke(about.colours[at - 1] ?? 0)]}},
    }, about.points, place);
    if (x.length === 1) figure.plot.setScale("x", {min: x[0] - 0.5, max: x[0] + 0.5});
    return figure.plot;
  }

  const figures = [...document.querySelectorAll(".chart")];
  let charts = [];
  function drawAll(fixed) {
    charts.forEach(chart => chart.destroy());
    charts = figures.map(figure => draw(figure, fixed || figure.clientWidth));
  }
  drawAll();
  new ResizeObserver(() => charts.forEach((chart, at) => {
    const width = figures[at].clientWidth;
    if (width && width !== chart.width && !root.classList.contains("printed")) chart.setSize({width, height: HEIGHT});
  })).observe(document.body);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => drawAll());
  addEventListener("beforeprint", () => { root.classList.add("printed"); drawAll(PRINTED); });
  addEventListener("afterprint", () => { root.classList.remove("printed"); drawAll(); });

  function sort(head) {
    const table = head.closest("table"), body = table.tBodies[0], at = head.cellIndex;
    const down = head.getAttribute("aria-sort") === "descending" ? 1 : head.classList.contains("number") ? -1
      : head.getAttribute("aria-sort") === "ascending" ? -1 : 1;
    const key = row => {
      const cell = row.cells[at];
      return cell.dataset.value === undefined ? cell.textContent : Number(cell.dataset.value);
    };
    const order = (first, second) => {
      const [a, b] = [key(first), key(second)];
      if (typeof a === "string" || typeof b === "string") return down * String(a).localeCompare(String(b));
      if (Number.isNaN(a) || Number.isNaN(b)) return Number.isNaN(a) - Number.isNaN(b);
      return down * (a - b);
    };
    [...table.tHead.rows[0].cells].forEach(cell => cell.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", down > 0 ? "ascending" : "descending");
    body.append(...[...body.rows].sort(order));
  }
  document.querySelectorAll(".sortable th button").forEach(button =>
    button.addEventListener("click", () => sort(button.closest("th"))));
  document.querySelectorAll(".enlarged button").forEach(button =>
    button.addEventListener("click", () => button.parentElement.classList.toggle("large")));
})();
