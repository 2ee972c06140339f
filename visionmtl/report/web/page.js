"use strict";
// Draws the charts of a report, with the colours of its style sheet, and sorts its tables; enlarges pictures.
(() => {
  const root = document.documentElement;
  const LINES = 8, STROKES = [[], [6, 4], [2, 3], [8, 3, 2, 3]], HEIGHT = 230, PRINTED = 330;
  const colour = name => getComputedStyle(root).getPropertyValue(name).trim();
  const number = (value, digits = 4) => value == null ? "–"
    : value && Math.abs(value) < 1e-4 ? value.toExponential(1) : String(+value.toPrecision(digits));

  function range(x) {
    return (plot, low, high) => {
      if (low == null) return [0, 1];
      if (plot.scales.y.distr === 3) return [low / 1.1, high * 1.1];
      const zoomed = plot.scales.x.min > x[0] || plot.scales.x.max < x[x.length - 1];
      const pad = 0.06 * (high - low) || Math.abs(high) || 1;
      return [low >= 0 && !zoomed ? 0 : low - pad, high + pad];
    };
  }

  function draw(figure, width) {
    const about = JSON.parse(figure.querySelector("script").textContent);
    const place = figure.querySelector(".lines"), x = about.points[0];
    const ink = colour("--ink"), rule = colour("--rule"), epochs = about.over.startsWith("epoch");
    const axis = {stroke: ink, font: "11px system-ui", labelFont: "11px system-ui", grid: {stroke: rule, width: 1},
      ticks: {show: false}};
    const series = about.names.map((name, at) => ({
      label: name, stroke: colour(`--line-${at % LINES}`), width: 1.8, spanGaps: true,
      dash: STROKES[Math.floor(at / LINES) % STROKES.length], points: {show: x.length <= 25 && !about.bars, size: 5},
      ...(about.bars ? {paths: uPlot.paths.bars({size: [0.9]}), fill: colour(`--line-${at % LINES}`)} : {}),
      value: (plot, value) => number(value),
    }));
    place.replaceChildren();
    return new uPlot({
      width, height: HEIGHT,
      scales: {
        x: {time: false, range: (plot, low, high) => {
          const half = about.bars ? (x[1] - x[0]) / 2 : low === high ? 0.5 : 0;
          return [low - half, high + half];
        }},
        y: {distr: about.logarithmic ? 3 : 1, range: range(x)},
      },
      axes: [
        {...axis, label: about.over, labelSize: 18, size: 28, incrs: epochs ? [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000] : undefined},
        {...axis, size: 54, values: (plot, ticks) => ticks.map(tick => tick == null ? "" : number(tick, 6))},
      ],
      series: [{label: about.over, value: (plot, value) => number(value)}, ...series],
      cursor: {drag: {x: true, y: false}},
    }, about.points, place);
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
