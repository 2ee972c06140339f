"use strict";
// A chart of points: marks, their intervals, what joins them, and the words of the one that is looked at.
const NEAR = 40, LETTER = 6.3, MARK = 4.2;  // pixels
const GLYPHS = {circle: "\u25cb", dot: "\u25cf", square: "\u25a0", up: "\u25b2", down: "\u25bc", cross: "\u2715"};
const cut = (text, letters) => text.length <= letters ? text : `${text.slice(0, Math.max(1, letters - 1))}\u2026`;

function drawPoints(figure, about, width) {
  const told = figure.querySelector(".told");
  const all = about.groups.flatMap((group, at) => group.points.map(point => ({...point, group: at + 1, mark: group.mark})))
    .sort((one, other) => one.x - other.x);
  const data = [all.map(point => point.x), ...about.groups.map((group, at) => all.map(point => point.group === at + 1 ? point.y : null))];
  const visible = plot => all.filter(point => plot.series[point.group].show && ["x", "y"].every(side =>
    point[side] >= plot.scales[side].min && point[side] <= plot.scales[side].max));
  const away = (plot, point) => Math.hypot(plot.valToPos(point.x, "x") - plot.cursor.left, plot.valToPos(point.y, "y") - plot.cursor.top);
  const nearest = plot => plot.cursor.left < 0 ? undefined : visible(plot)
    .filter(point => away(plot, point) < NEAR).sort((one, other) => away(plot, one) - away(plot, other))[0];
  const scale = of => ({
    time: false, auto: false, distr: of.logarithmic ? 3 : 1, dir: of.falling ? -1 : 1,
    range: (plot, low, high) => low == null ? [of.low, of.high] : [low, high],
  });
  const axis = (of, more) => ({
    ...plainAxis(), ...more, ...(of.title ? {label: of.title, labelSize: 18} : {}),
    ...(of.ticks.length ? {splits: (plot, at, low, high) => of.ticks.map(tick => tick[0]).filter(tick => tick >= low && tick <= high)} : {}),
  });
  const longest = of => Math.max(0, ...of.ticks.map(tick => tick[1].length));
  const texts = (of, letters) => (plot, ticks) => ticks.map(tick => {
    const named = of.ticks.find(each => each[0] === tick);
    return tick == null ? "" : named ? cut(named[1], letters(plot)) : of.percent ? `${number(100 * tick)}%`.replace("-", "\u2212") : number(tick, 6);
  });
  const beside = plot => Math.max(50, Math.min(0.4 * plot.width, 14 + LETTER * longest(about.y)));
  const slanted = about.x.ticks.length * (longest(about.x) + 2) * LETTER > 0.8 * width;
  const plot = new uPlot({
    width, height: Math.max(tall() + 20, 110 + 15 * about.y.ticks.length),
    scales: {x: scale(about.x), y: scale(about.y)},
    axes: [
      axis(about.x, {values: texts(about.x, () => 16), ...(slanted ? {rotate: -40, size: 24 + 4.2 * Math.min(16, longest(about.x))} : {size: 28})}),
      axis(about.y, {values: texts(about.y, plot => Math.floor((beside(plot) - 14) / LETTER)), size: beside}),
    ],
    series: [{}, ...about.groups.map(group => ({label: `${GLYPHS[group.mark]} ${group.name}`, stroke: colour(group.colour), paths: () => null, points: {show: false}}))],
    cursor: {
      drag: {x: true, y: true, dist: 5}, y: true,
      dataIdx: (plot, at) => { const point = nearest(plot); return point && (at === 0 || point.group === at) ? all.indexOf(point) : null; },
      bind: {dblclick: plot => () => plot.whole()},
    },
    legend: {live: false, markers: {show: false}},
    hooks: {
      draw: [plot => paint(plot, about, visible(plot), all)],
      setCursor: [plot => { told.textContent = nearest(plot)?.told ?? ""; }],
    },
  }, data, figure.querySelector(".lines"));
  figure.querySelectorAll(".u-series").forEach((row, at) => { row.style.color = colour(about.groups[at].colour); });
  Object.assign(plot, {
    stops: all,
    whole: () => plot.batch(() => ["x", "y"].forEach(side => plot.setScale(side, {min: about[side].low, max: about[side].high}))),
    look: stop => plot.setCursor({left: plot.valToPos(stop.x, "x"), top: plot.valToPos(stop.y, "y")}),
    enlarge: (middle, part) => plot.batch(() => ["x", "y"].forEach(side => {
      const {min, max} = plot.scales[side], log = about[side].logarithmic, [to, from] = log ? [Math.log, Math.exp] : [Number, Number];
      const half = part * (to(max) - to(min)) / 2;
      plot.setScale(side, {min: from(to(middle[side]) - half), max: from(to(middle[side]) + half)});
    })),
  });
  plot.whole();
  return plot;
}

function paint(plot, about, visible, all) {
  const pen = plot.ctx, ratio = uPlot.pxRatio, {left, top, width, height} = plot.bbox;
  const across = value => plot.valToPos(value, "x", true), upright = value => plot.valToPos(value, "y", true);
  const line = (places, ink, thick, dash = []) => {
    pen.strokeStyle = ink;
    pen.lineWidth = thick * ratio;
    pen.setLineDash(dash.map(each => each * ratio));
    pen.beginPath();
    places.forEach(([x, y]) => pen.lineTo(x, y));
    pen.stroke();
  };
  pen.save();
  pen.beginPath();
  pen.rect(left - 6 * ratio, top, width + 12 * ratio, height);
  pen.clip();
  if (about.x.zero) line([[across(0), top], [across(0), top + height]], colour("pale"), 1);
  if (about.y.zero) line([[left, upright(0)], [left + width, upright(0)]], colour("pale"), 1);
  about.joined.forEach(each => line(each.places.map(([x, y]) => [across(x), upright(y)]), colour(each.colour), 1.2, each.dashed ? [5, 3] : []));
  const shown = all.filter(point => plot.series[point.group].show);
  shown.forEach(({x, y, group, ...point}) => {
    const ink = colour(about.groups[group - 1].colour);
    if (point.across) line(point.across.map(end => [across(end), upright(y)]), ink, 1.2);
    if (point.upright) line(point.upright.map(end => [across(x), upright(end)]), ink, 1.2);
  });
  shown.forEach(point => mark(pen, across(point.x), upright(point.y), point.mark, colour(about.groups[point.group - 1].colour), ratio));
  beside(pen, visible.map(point => [across(point.x), upright(point.y), point.label]), plot.bbox, ratio);
  pen.restore();
}

function mark(pen, x, y, kind, ink, ratio) {
  const size = MARK * ratio, turn = kind === "down" ? -1 : 1;
  pen.setLineDash([]);
  pen.lineWidth = 1.5 * ratio;
  pen.strokeStyle = ink;
  pen.fillStyle = kind === "circle" ? colour("paper") : ink;
  pen.beginPath();
  if (kind === "square") pen.rect(x - size, y - size, 2 * size, 2 * size);
  else if (kind === "up" || kind === "down") [[-1, 0.8], [1, 0.8], [0, -1.1]].forEach(([dx, dy]) => pen.lineTo(x + 1.1 * size * dx, y + size * dy * turn));
  else if (kind === "cross") [[-1, -1], [1, 1], [-1, 1], [1, -1]].forEach(([dx, dy], at) => pen[at % 2 ? "lineTo" : "moveTo"](x + size * dx * 0.8, y + size * dy * 0.8));
  else pen.arc(x, y, size, 0, 2 * Math.PI);
  if (kind === "up" || kind === "down") pen.closePath();
  if (kind !== "cross") pen.fill();
  pen.stroke();
}

// Labels stand where they hide neither a mark nor each other; one for which there is no such place is told only.
function beside(pen, places, box, ratio) {
  pen.font = `${10.5 * ratio}px system-ui`;
  pen.fillStyle = colour("ink");
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  const tall = 10 * ratio, taken = places.map(([x, y]) => [x - MARK * ratio, y - MARK * ratio, x + MARK * ratio, y + MARK * ratio]);
  places.forEach(([x, y, label], own) => {
    const wide = pen.measureText(label).width;
    for (const reach of label ? [1, 1.6, 2.3] : []) for (const [dx, dy] of [[1, -1], [-1, -1], [1, 1], [-1, 1], [0, -1.3], [0, 1.3], [1.3, 0], [-1.3, 0]]) {
      const at = [x + dx * reach * (wide / 2 + 5 * ratio), y + dy * reach * 9 * ratio];
      const area = [at[0] - wide / 2, at[1] - tall / 2, at[0] + wide / 2, at[1] + tall / 2];
      const inside = area[0] >= box.left && area[2] <= box.left + box.width && area[1] >= box.top && area[3] <= box.top + box.height;
      if (!inside || taken.some((each, other) => other !== own && area[0] < each[2] && area[2] > each[0] && area[1] < each[3] && area[3] > each[1])) continue;
      pen.fillText(label, ...at);
      taken.push(area);
      return;
    }
  });
}
