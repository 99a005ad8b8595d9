// Charts by uPlot: bars (stacked) or lines, in the page's own colours; drawn anew when the theme or the width changes.

import { isLocal } from "./times.js";

const HEIGHT = 200;
const WHOLE = [1, 2, 5].flatMap((one) => [0, 1, 2, 3, 4, 5, 6].map((power) => one * 10 ** power)).sort((a, b) => a - b);
const drawn = new Set();
let loading = null;

export async function draw(place) {
  await library();
  if (!place.isConnected) return;
  const data = JSON.parse(place.dataset.chart);
  const remake = () => {
    place.replaceChildren();
    return make(place, data);
  };
  drawn.add({ place, remake, plot: remake() });
}

for (const change of ["themechange", "zonechange"]) {
  document.addEventListener(change, () => each((one) => (one.plot = one.remake())));
}
for (const query of ["(prefers-color-scheme: dark)", "print"]) {
  matchMedia(query).addEventListener("change", () => each((one) => (one.plot = one.remake())));
}
addEventListener("resize", () => each((one) => one.plot.setSize({ width: one.place.clientWidth, height: HEIGHT })));

function each(work) {
  for (const one of drawn) {
    if (one.place.isConnected) work(one);
    else drawn.delete(one);
  }
}

// uPlot and its style sheet stand beside this module, in vendor/.
function library() {
  loading ??= Promise.all([
    new Promise((done, failed) => {
      const style = Object.assign(document.createElement("link"), { rel: "stylesheet", onload: done, onerror: failed });
      style.href = new URL("./vendor/uPlot.min.css", import.meta.url);
      document.head.append(style);
    }),
    new Promise((done, failed) => {
      const script = Object.assign(document.createElement("script"), { onload: done, onerror: failed });
      script.src = new URL("./vendor/uPlot.iife.min.js", import.meta.url);
      document.head.append(script);
    }),
  ]);
  return loading;
}

// What a token is in the present theme: only an element that has it says so.
function colour(name) {
  const probe = document.body.appendChild(document.createElement("i"));
  probe.style.color = `var(${name})`;
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}

function make(place, data) {
  const stacked = data.kind === "bars" ? stack(data.series.map((one) => one.values)) : null;
  const quiet = { stroke: colour("--quiet"), grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false } };
  const series = data.series.map((one, at) => ({
    label: one.label,
    stroke: colour(`--chart-${one.tone ?? at}`),
    fill: data.kind === "bars" ? colour(`--chart-${one.tone ?? at}`) : undefined,
    width: data.kind === "bars" ? 0 : 1.5,
    paths: data.kind === "bars" ? window.uPlot.paths.bars({ size: [0.8, 48], align: 1 })
      : data.kind === "steps" ? window.uPlot.paths.stepped({ align: 1 }) : undefined,
    points: { show: data.kind === "lines" && data.times.length < 60, size: 5 },
    spanGaps: false,
    value: (_, __, ___, index) => (index === null ? "–" : said(data.series[at].values[index], data.unit)),
  }));
  // The largest pile is drawn first, what stands in front of it after it.
  const order = series.map((_, at) => at);
  if (stacked) order.reverse();
  const options = {
    width: place.clientWidth || 600,
    height: HEIGHT,
    series: [{ value: (_, at) => (at === null ? "–" : moment(at)) }, ...order.map((at) => series[at])],
    axes: [
      { ...quiet, space: 84, values: (_, ticks) => ticks.map((at, index) => hour(at, ticks[index - 1])) },
      { ...quiet, size: 56, incrs: data.unit ? undefined : WHOLE, values: (_, ticks) => ticks.map((one) => said(one, data.unit)) },
    ],
    scales: { x: spanned(data), y: { range: (_, least, most) => [0, most > 0 ? most * 1.1 : 1] } },
    cursor: { drag: { x: true, y: false }, points: { size: 6 } },
    tzDate: (at) => (isLocal() ? new Date(at * 1000) : window.uPlot.tzDate(new Date(at * 1000), "Etc/UTC")),
  };
  const values = stacked ?? data.series.map((one) => one.values);
  return new window.uPlot(options, [data.times, ...order.map((at) => values[at])], place);
}

// A bar stands for what begins at its time: the last one needs room behind that, or what was found just now is cut off.
// Around one alone uPlot would show years.
function spanned(data) {
  if (data.kind !== "bars") return {};
  const alone = data.times.length === 1 ? data.times[0] : null;
  return { range: (_, first, last) => (alone === null ? [first, last + data.step] : [alone, alone + data.step]) };
}

function stack(all) {
  const sums = new Array(all[0]?.length ?? 0).fill(0);
  return all.map((values) => values.map((value, at) => (sums[at] += value ?? 0)));
}

// Hours by 24, and below them the day where one begins.
function hour(at, before) {
  const [day, time] = dayAndTime(at);
  return before !== undefined && dayAndTime(before)[0] === day ? time : `${time}\n${day}`;
}

function dayAndTime(at) {
  const date = new Date(at * 1000);
  const shown = isLocal() ? new Date(date - date.getTimezoneOffset() * 60_000) : date;
  return [shown.toISOString().slice(0, 10), shown.toISOString().slice(11, 16)];
}

function moment(at) {
  const date = new Date(at * 1000);
  return isLocal() ? date.toLocaleString() : `${date.toISOString().slice(0, 16).replace("T", " ")} UTC`;
}

function said(value, unit) {
  if (value === null || value === undefined) return "–";
  if (unit !== "octets") return String(Math.round(value * 100) / 100);
  for (const [name, size] of [["GB", 1e9], ["MB", 1e6], ["kB", 1e3]]) {
    if (value >= size) return `${Math.round((10 * value) / size) / 10} ${name}`;
  }
  return `${value} B`;
}
