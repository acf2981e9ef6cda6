// Options of the charts, by the theme's tokens.
import { clock, rem, token } from "./index.js";

const FONT = '"Roboto","Noto Sans CJK SC","Source Han Sans SC","PingFang SC","Microsoft YaHei",sans-serif';

const at = (frame, index) => frame.start_ms + (index + 1) * frame.step_ms;
const pairs = (values, frame) => values.map((value, index) => [at(frame, index), value]);

function line(name, values, frame, color, more) {
  return { name, type: "line", data: pairs(values, frame), showSymbol: false, animation: false, color, ...more };
}

export function sparkline(points, frame) {
  return {
    grid: { left: 2, right: 2, top: 4, bottom: 4 },
    xAxis: { type: "time", show: false, min: frame.start_ms, max: at(frame, points.values.length - 1) },
    yAxis: { type: "value", show: false, scale: points.share },
    series: [
      line("往常", points.usual, frame, token("dim"), { lineStyle: { width: rem(0.08), type: "dashed" } }),
      line(points.chinese, points.values, frame, token("accent"), {
        lineStyle: { width: rem(0.14) },
        areaStyle: { opacity: 0.14 },
      }),
    ],
  };
}

export function trendChart(points, frame) {
  const text = { color: token("dim"), fontFamily: FONT, fontSize: rem(0.8) };
  const written = (value) => (value == null ? "—" : points.share ? `${(value * 100).toFixed(1)}%` : Math.round(value));
  return {
    textStyle: text,
    grid: { left: rem(3), right: rem(0.8), top: rem(0.9), bottom: rem(1.7) },
    tooltip: {
      trigger: "axis",
      ...tooltip(),
      formatter: (items) =>
        [clock(items[0].value[0], false), ...items.map((i) => `${i.marker}${i.seriesName} ${written(i.value[1])}`)].join("<br>"),
    },
    xAxis: {
      type: "time",
      min: frame.start_ms,
      max: at(frame, points.values.length - 1),
      axisLabel: { ...text, formatter: (ms) => clock(ms, false), hideOverlap: true },
      axisLine: { lineStyle: { color: token("edge") } },
      axisTick: { show: false },
      splitLine: { show: false },
    },
    yAxis: {
      type: "value",
      scale: points.share,
      splitNumber: 3,
      minInterval: points.share ? 0.01 : 0, // labels are whole per cent: no two alike
      axisLabel: { ...text, formatter: (value) => (points.share ? `${Math.round(value * 100)}%` : value) },
      splitLine: { lineStyle: { color: token("edge") } },
    },
    series: [
      line("往常", points.usual, frame, token("dim"), { lineStyle: { width: rem(0.1), type: "dashed" } }),
      line(points.chinese, points.values, frame, token("accent"), {
        lineStyle: { width: rem(0.16) },
        areaStyle: { opacity: 0.14 },
      }),
    ],
  };
}

// Bands of the map: where much is bad the highest two warn, else they only grow lighter.
const PALETTES = { pressure: ["b0", "b1", "b2", "b3", "b4", "b5"], amount: ["b0", "b1", "b2", "b3", "a4", "a5"] };
export const shade = (band, worse) => token(PALETTES[worse ? "pressure" : "amount"][band]);

export function tooltip() {
  return {
    confine: true,
    backgroundColor: token("raised"),
    borderColor: token("edge"),
    textStyle: { color: token("text"), fontFamily: FONT, fontSize: rem(0.9) },
  };
}

// Diagonal lines: what is not known looks like nothing that is.
export function hatched() {
  const canvas = document.createElement("canvas");
  const size = Math.max(6, Math.round(rem(0.5)));
  canvas.width = canvas.height = size;
  const pen = canvas.getContext("2d");
  pen.fillStyle = token("void");
  pen.fillRect(0, 0, size, size);
  pen.strokeStyle = token("hatch");
  pen.lineWidth = Math.max(1, size / 7);
  for (const shift of [-size, 0, size]) {
    pen.beginPath();
    pen.moveTo(shift, size);
    pen.lineTo(shift + size, 0);
    pen.stroke();
  }
  return { image: canvas, repeat: "repeat" };
}
