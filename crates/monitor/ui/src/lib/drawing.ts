// What Belfry draws on a chart's canvas beside the lines: thresholds, hatched gaps, and how the vertical scale is chosen.
import type uPlot from 'uplot';
import type { Threshold } from './contract.ts';

/** A threshold this many times above the data would press the lines flat: it is then named in the legend only. */
const THRESHOLD_REACH = 3;
const HEADROOM = 1.12;
const SERIES_COLOURS = 8;
const HATCH_DISTANCE = 7;
const LABEL_INSET = 2;
/** Keeps a label readable where lines run through it. */
const LABEL_HALO = 3;

export interface Palette {
  axis: string;
  grid: string;
  gap: string;
  threshold: string;
  surface: string;
  sans: string;
  series: string[];
}

/** Canvas cannot read custom properties by itself. */
export function readPalette(element: Element): Palette {
  const style = getComputedStyle(element);
  const read = (name: string) => style.getPropertyValue(name).trim();
  return {
    axis: read('--chart-axis'), grid: read('--chart-grid'), gap: read('--chart-gap'), threshold: read('--threshold'),
    surface: read('--surface'),
    sans: read('--sans'),
    series: Array.from({ length: SERIES_COLOURS }, (_, place) => read(`--series-${place + 1}`)),
  };
}

export function thresholdFits(threshold: number, most: number | null): boolean {
  return most === null || most === 0 || (threshold > 0 && threshold <= most * THRESHOLD_REACH);
}

/** From zero, so that heights compare; up to the data, and to the thresholds that are within reach. */
export function yRange(least: number | null, most: number | null, thresholds: Threshold[]): [number, number] {
  const near = thresholds.map((threshold) => threshold.value).filter((value) => thresholdFits(value, most));
  const top = Math.max(most ?? 0, ...near);
  const bottom = Math.min(0, least ?? 0);
  return [bottom, top > bottom ? bottom + (top - bottom) * HEADROOM : bottom + 1];
}

/** A sparkline shows how a number moves, not how large it is: the number stands beside it. */
export function sparkRange(least: number | null, most: number | null): [number, number] {
  const bottom = least ?? 0;
  const top = most ?? 1;
  const margin = (top - bottom) * 0.15 || Math.abs(top) * 0.1 || 1;
  return [bottom - margin, top + margin];
}

export function drawThresholds(plot: uPlot, thresholds: Threshold[], colours: Palette): void {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.fillStyle = colours.threshold;
  ctx.lineJoin = 'round';
  const right = bbox.left + bbox.width - LABEL_INSET * devicePixelRatio;
  ctx.font = `${10 * devicePixelRatio}px ${colours.sans}`;
  ctx.textAlign = 'right';
  ctx.textBaseline = 'bottom';
  for (const threshold of thresholds) {
    const y = Math.round(plot.valToPos(threshold.value, 'y', true));
    if (y < bbox.top || y > bbox.top + bbox.height) continue;
    ctx.strokeStyle = colours.threshold;
    ctx.lineWidth = 1.25 * devicePixelRatio;
    ctx.setLineDash([5 * devicePixelRatio, 4 * devicePixelRatio]);
    ctx.beginPath();
    ctx.moveTo(bbox.left, y);
    ctx.lineTo(bbox.left + bbox.width, y);
    ctx.stroke();
    ctx.setLineDash([]);
    ctx.lineWidth = LABEL_HALO * devicePixelRatio;
    ctx.strokeStyle = colours.surface;
    ctx.strokeText(threshold.label, right, y - LABEL_INSET * devicePixelRatio);
    ctx.fillText(threshold.label, right, y - LABEL_INSET * devicePixelRatio);
  }
  ctx.restore();
}

/** Hatches the times at which no series has a sample: absence is a fact of its own, not a zero and not blank paper. */
export function drawGaps(plot: uPlot, colours: Palette): void {
  const [times, ...columns] = plot.data;
  if (!times || times.length < 2 || columns.length === 0) return;
  const absent = (place: number) => columns.every((column) => column[place] === null || column[place] === undefined);
  for (let start = 0; start < times.length; start += 1) {
    if (!absent(start)) continue;
    let end = start;
    while (end + 1 < times.length && absent(end + 1)) end += 1;
    hatch(plot, times[Math.max(0, start - 1)]!, times[Math.min(times.length - 1, end + 1)]!, colours);
    start = end;
  }
}

function hatch(plot: uPlot, from: number, to: number, colours: Palette): void {
  const { ctx, bbox } = plot;
  const left = Math.max(bbox.left, plot.valToPos(from, 'x', true));
  const right = Math.min(bbox.left + bbox.width, plot.valToPos(to, 'x', true));
  if (right <= left) return;
  ctx.save();
  ctx.beginPath();
  ctx.rect(left, bbox.top, right - left, bbox.height);
  ctx.clip();
  ctx.strokeStyle = colours.gap;
  ctx.lineWidth = devicePixelRatio;
  ctx.beginPath();
  const distance = HATCH_DISTANCE * devicePixelRatio;
  for (let x = Math.floor((left - bbox.height) / distance) * distance; x < right; x += distance) {
    ctx.moveTo(x, bbox.top + bbox.height);
    ctx.lineTo(x + bbox.height, bbox.top);
  }
  ctx.stroke();
  ctx.restore();
}
