"use strict";
// Draws the charts of a page and has them enlarged by mouse, finger and keyboard, sorts its tables, enlarges pictures, prints.
(() => {
  const PRINTED = 330, PART = 0.5;  // pixels of width; of what is seen, what is left when it is enlarged
  const DRAGGED = 12;  // pixels from which on a finger drags over a chart; less is a tap
  const figures = [...document.querySelectorAll(".chart")];
  let charts = [];

  function draw(figure, width) {
    const about = JSON.parse(figure.querySelector("script").textContent);
    figure.querySelector(".lines").replaceChildren();
    figure.plot = (about.groups ? drawPoints : drawLines)(figure, about, width);
    figure.querySelectorAll(".u-legend .u-series").forEach((row, at) => named(figure.plot, row, about.groups ? at + 1 : at));
    fingered(figure, about.groups ? ["x", "y"] : ["x"]);
    return figure.plot;
  }
  // A finger that is drawn across a chart enlarges what it passed over; up and down it scrolls the page, as the style sheet
  // says. What was enlarged, by whatever means, has a button that shows all again.
  function fingered(figure, sides) {
    const {plot} = figure, button = figure.querySelector(".whole");
    const ends = () => sides.flatMap(side => [plot.scales[side].min, plot.scales[side].max]).join();
    let all = plot.status ? ends() : undefined, from, to;  // points are drawn at once, lines in a moment
    (plot.hooks.ready ??= []).push(() => { all = ends(); });
    (plot.hooks.draw ??= []).push(() => { button.hidden = all === undefined || ends() === all; });
    button.hidden = true;
    button.onclick = () => plot.whole();
    const place = event => Math.max(0, Math.min(plot.over.clientWidth, event.clientX - plot.over.getBoundingClientRect().left));
    const select = (left, width) => plot.setSelect({left, width, top: 0, height: plot.over.clientHeight}, false);
    plot.over.addEventListener("pointerdown", event => {
      if (event.pointerType !== "touch" || !event.isPrimary) return;
      from = to = place(event);
      plot.over.setPointerCapture(event.pointerId);
    });
    plot.over.addEventListener("pointermove", event => {
      if (from === undefined || !event.isPrimary) return;
      to = place(event);
      select(Math.min(from, to), Math.abs(to - from));
    });
    const left = enlarges => event => {
      if (from === undefined || !event.isPrimary) return;
      const [low, high] = [from, to].map(at => plot.posToVal(at, "x")).sort((one, other) => one - other);
      if (enlarges && Math.abs(to - from) >= DRAGGED) plot.setScale("x", {min: low, max: high});
      select(0, 0);
      from = undefined;
    };
    plot.over.addEventListener("pointerup", left(true));
    plot.over.addEventListener("pointercancel", left(false));
  }
  // A name in the legend is a button by which its line is hidden and shown; that of the axis is none.
  function named(plot, row, series) {
    const button = row.querySelector("th");
    if (series === 0) return;
    const said = () => button.setAttribute("aria-pressed", String(plot.series[series].show));
    button.tabIndex = 0;
    button.setAttribute("role", "button");
    said();
    button.addEventListener("click", () => setTimeout(said));
    button.addEventListener("keydown", event => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      button.click();
    });
  }
  function keyed(event, figure) {
    const {plot} = figure, place = event.currentTarget;
    if (event.target !== place || event.ctrlKey || event.metaKey || event.altKey) return;
    const seen = plot.stops.filter(({x, y}) => x >= plot.scales.x.min && x <= plot.scales.x.max
      && (y === undefined || (y >= plot.scales.y.min && y <= plot.scales.y.max)));
    const step = {ArrowRight: 1, ArrowLeft: -1}[event.key], at = seen.indexOf(figure.stop);
    if (step && seen.length) {
      figure.stop = seen[at < 0 ? (step > 0 ? 0 : seen.length - 1) : Math.min(seen.length - 1, Math.max(0, at + step))];
      plot.look(figure.stop);
      figure.querySelector(".told").textContent = figure.stop.told;
    } else if (event.key === "Enter") {
      const middle = side => (plot.scales[side].min + plot.scales[side].max) / 2;
      plot.enlarge(at < 0 ? {x: middle("x"), y: middle("y")} : figure.stop, PART);
    } else if (event.key === "Escape") plot.whole();
    else return;
    event.preventDefault();
  }
  figures.forEach(figure => figure.querySelector(".lines").addEventListener("keydown", event => keyed(event, figure)));

  function drawAll(fixed) {
    charts.forEach(chart => chart.destroy());
    charts = figures.map(figure => draw(figure, fixed || figure.clientWidth));
  }
  drawAll();
  new ResizeObserver(() => charts.forEach((chart, at) => {
    const width = figures[at].clientWidth;
    if (width && width !== chart.width && !root.classList.contains("printed")) chart.setSize({width, height: chart.height});
  })).observe(document.body);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => drawAll());

  // On paper nothing can be opened: all is. What is not to be printed says so in the style sheet.
  let opened = [];
  addEventListener("beforeprint", () => {
    root.classList.add("printed");
    opened.push(...document.querySelectorAll("details:not([open])"));
    opened.forEach(each => { each.open = true; });
    drawAll(PRINTED);
  });
  addEventListener("afterprint", () => {
    root.classList.remove("printed");
    opened.forEach(each => { each.open = false; });
    opened = [];
    drawAll();
  });

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
