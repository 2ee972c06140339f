"use strict";
// What all charts share, and a chart of lines or bars, in the colours of the style sheet.
const root = document.documentElement;
const LINES = 8, STROKES = [[], [6, 4], [2, 3], [8, 3, 2, 3]], HEIGHT = 230;
const DASHES = ["solid", "dashed", "dotted", "dashed"];
const COUNTS = [1, 10, 100, 1e3, 1e4, 1e5, 1e6, 1e7].flatMap(power => [power, 2 * power, 5 * power]);
const tall = () => root.classList.contains("printed") ? 180 : HEIGHT;  // three rows of charts are to stand on a sheet
const many = new Intl.NumberFormat("en", {notation: "compact"});
const colour = name => getComputedStyle(root).getPropertyValue(`--${name}`).trim();
const number = (value, digits = 4) => value == null ? "–"
  : value && Math.abs(value) < 1e-4 ? value.toExponential(1) : String(+value.toPrecision(digits));
const plainAxis = () => ({stroke: colour("ink"), font: "11px system-ui", labelFont: "11px system-ui",
  grid: {stroke: colour("rule"), width: 1}, ticks: {show: false}});

// Where the scale is logarithmic, the ends that uPlot adds to its ticks have no number, while any other has one.
function round(ticks) {
  const isRound = tick => [1, 2, 5].includes(+(tick / 10 ** Math.floor(Math.log10(tick) + 1e-9)).toPrecision(6));
  return ticks.some(tick => tick != null && isRound(tick)) ? ticks.map(tick => tick != null && isRound(tick) ? tick : null) : ticks;
}

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

function drawLines(figure, about, width) {
  const x = about.points[0], counted = /^(epoch|step)/.test(about.over);
  const stroke = place => Math.floor(place / LINES) % STROKES.length;
  const shown = (plot, value) => value == null ? "" : number(value);
  const series = about.names.map((name, at) => ({
    label: name, stroke: colour(`line-${about.colours[at] % LINES}`), width: 1.8, spanGaps: true,
    dash: STROKES[stroke(about.colours[at])], points: {show: x.length <= 25 && !about.bars, size: 5},
    ...(about.bars ? {paths: uPlot.paths.bars({size: [0.9]}), fill: colour(`line-${about.colours[at] % LINES}`)} : {}),
    value: shown,
  }));
  const axis = plainAxis();
  const plot = new uPlot({
    width, height: tall(),
    scales: {
      x: {time: false, range: (plot, low, high) => {
        const half = about.bars ? (x[1] - x[0]) / 2 : low === high ? 0.5 : 0;
        return [low - half, high + half];
      }},
      y: {distr: about.logarithmic ? 3 : 1, range: range(about.points.slice(1))},
    },
    axes: [
      {...axis, label: about.over, labelSize: 18, size: 28, incrs: counted ? COUNTS : undefined},
      {...axis, size: 54, values: (plot, ticks) => (about.logarithmic ? round(ticks) : ticks).map(tick => tick == null ? "" : tick >= 1e5 ? many.format(tick) : number(tick, tick < 1 ? 4 : 6))},
    ],
    series: [{label: about.over, value: shown}, ...series],
    cursor: {drag: {x: true, y: false}},
    legend: {markers: {width: 2, dash: (plot, at) => DASHES[stroke(about.colours[at - 1] ?? 0)]}},
  }, about.points, figure.querySelector(".lines"));
  const whole = () => x.length === 1 ? plot.setScale("x", {min: x[0] - 0.5, max: x[0] + 0.5})
    : plot.setScale("x", {min: x[0], max: x.at(-1)});
  if (x.length === 1) whole();
  return Object.assign(plot, {
    whole,
    stops: x.map((value, at) => ({
      at, x: value,
      told: [`${about.over} ${number(value)}`, ...about.names.flatMap((name, line) =>
        about.points[line + 1][at] == null || !plot.series[line + 1].show ? [] : `${name} ${number(about.points[line + 1][at])}`)].join(", "),
    })),
    look: stop => plot.setCursor({left: plot.valToPos(stop.x, "x"), top: plot.over.clientHeight / 2}),
    enlarge: (middle, part) => {
      const {min, max} = plot.scales.x, half = part * (max - min) / 2;
      plot.setScale("x", {min: Math.max(min, middle.x - half), max: Math.min(max, middle.x + half)});
    },
  });
}
