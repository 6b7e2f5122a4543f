// Turns answers of query_range into the columns that a chart draws: one shared grid of times, null where there is no sample,
// so that a gap stays a gap. Pure.
import type { Labels, MatrixSeries } from './contract.ts';

/** More lines than this cannot be told apart; the panel says that it left some out. */
export const SERIES_MAX = 24;

export interface Column {
  label: string;
  values: (number | null)[];
}

export interface Grid {
  times: number[];
  columns: Column[];
  omitted: number;
}

export function toGrid(answers: { legend: string; expr: string; series: MatrixSeries[] }[], from: number, to: number, step: number): Grid {
  const times: number[] = [];
  for (let at = from; at <= to + step / 2; at += step) times.push(at);
  const columns = answers.flatMap((answer) =>
    answer.series.map((series) => ({
      label: seriesName(answer.legend, series.metric, answer.series.length > 1),
      values: onGrid(series.values, times.length, from, step),
    })),
  );
  return { times, columns: columns.slice(0, SERIES_MAX), omitted: Math.max(0, columns.length - SERIES_MAX) };
}

function onGrid(samples: [number, string][], length: number, from: number, step: number): (number | null)[] {
  const values: (number | null)[] = new Array<number | null>(length).fill(null);
  for (const [at, text] of samples) {
    const place = Math.round((at - from) / step);
    if (place >= 0 && place < length) values[place] = sampleValue(text);
  }
  return values;
}

/** NaN and infinities cannot be drawn: they are no data here. */
export function sampleValue(text: string): number | null {
  const value = Number(text);
  return text !== '' && Number.isFinite(value) ? value : null;
}

/** The plan's legend with its `{{label}}` filled in; without a legend, the labels that tell series apart. */
export function seriesName(legend: string, labels: Labels, several: boolean): string {
  const filled = legend.replace(/\{\{\s*([\w.]+)\s*\}\}/g, (_, name: string) => labels[name] ?? '').trim();
  if (legend.includes('{{') && filled) return filled;
  if (legend && !several) return legend;
  const pairs = Object.entries(labels).filter(([name]) => !['job', 'instance', '__name__'].includes(name));
  const text = pairs.map(([name, value]) => `${name}=${value}`).join(' ');
  return [filled, text].filter(Boolean).join(' ') || labels['__name__'] || 'value';
}

/** Each column becomes the sum of itself and those below, for stacked areas. A gap in one counts as nothing in the sum. */
export function stacked(columns: Column[]): (number | null)[][] {
  const sums: number[] = [];
  return columns.map((column) =>
    column.values.map((value, place) => {
      if (value === null) return null;
      sums[place] = (sums[place] ?? 0) + value;
      return sums[place];
    }),
  );
}

export function lastValue(values: (number | null)[]): number | null {
  return values[values.length - 1] ?? values[values.length - 2] ?? null;
}
