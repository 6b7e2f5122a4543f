// Values with their unit as people read them: the plan names the unit, this file chooses the scale and the digits. Pure, so
// that `npm test` can check it. A value that does not exist is a dash, never a zero.

export const NO_VALUE = '–';

const SI: [number, string][] = [[1e12, 'T'], [1e9, 'G'], [1e6, 'M'], [1e3, 'k']];
const BINARY: [number, string][] = [[2 ** 40, 'TiB'], [2 ** 30, 'GiB'], [2 ** 20, 'MiB'], [2 ** 10, 'KiB'], [1, 'B']];
const LENGTHS: [number, string][] = [[86400, 'd'], [3600, 'h'], [60, 'min'], [1, 's'], [1e-3, 'ms'], [1e-6, 'µs'], [1e-9, 'ns']];

/** Units whose text is a suffix behind a plain number. */
const SUFFIXES: Record<string, string> = {
  per_second: '/s', per_minute: '/min', per_hour: '/h', requests_per_second: '/s', operations_per_second: '/s', cores: ' cores',
  count: '', '': '', none: '', short: '', celsius: ' °C',
};

export function valueText(value: number | null | undefined, unit: string): string {
  if (value === null || value === undefined || Number.isNaN(value)) return NO_VALUE;
  if (!Number.isFinite(value)) return value > 0 ? '∞' : '−∞';
  switch (unit) {
    case 'seconds': return scaled(value, LENGTHS, 's');
    case 'milliseconds': return scaled(value / 1000, LENGTHS, 's');
    case 'bytes': return scaled(value, BINARY, 'B');
    case 'bytes_per_second': return `${scaled(value, BINARY, 'B')}/s`;
    case 'ratio': return percentText(value * 100);
    case 'percent': return percentText(value);
    default: return plain(value) + (SUFFIXES[unit] ?? ` ${unit.replaceAll('_', ' ')}`);
  }
}

/** What stands at an axis or in a heading: `seconds` is said by each label (ms, s), a rate is not. */
export function unitText(unit: string): string {
  return { ratio: '%', percent: '%', seconds: 'time', bytes: 'bytes', bytes_per_second: 'bytes/s' }[unit]
    ?? (SUFFIXES[unit]?.trim() || unit.replaceAll('_', ' '));
}

function scaled(value: number, scales: [number, string][], zeroUnit: string): string {
  if (value === 0) return `0 ${zeroUnit}`;
  const size = Math.abs(value);
  const [factor, name] = scales.find(([least]) => size >= least * 0.9995) ?? scales[scales.length - 1]!;
  return `${digits(value / factor)} ${name}`;
}

function plain(value: number): string {
  const size = Math.abs(value);
  const scale = SI.find(([least]) => size >= least * 0.9995 && least >= 1e3 && size >= 10_000);
  return scale ? `${digits(value / scale[0])} ${scale[1]}` : digits(value);
}

/** Near 100 % the nines are the message, near 0 % the first digit that is not zero. */
function percentText(percent: number): string {
  const size = Math.abs(percent);
  if (size > 99 && size < 100) return `${trimmed(Math.floor(percent * 1000) / 1000, 3)} %`;
  if (size > 0 && size < 0.001) return '<0.001 %';
  return `${size < 1 ? trimmed(percent, 3) : trimmed(percent, 1)} %`;
}

/** Three significant digits, without trailing zeros; whole numbers below 10,000 stay whole. */
function digits(value: number): string {
  const size = Math.abs(value);
  if (size >= 100 || Number.isInteger(value)) return String(Math.round(value));
  if (size >= 10) return trimmed(value, 1);
  if (size >= 1) return trimmed(value, 2);
  if (size < 1e-4) return value.toExponential(1);
  return trimmed(value, Math.min(6, 2 - Math.floor(Math.log10(size))));
}

function trimmed(value: number, decimals: number): string {
  return String(Number(value.toFixed(decimals)));
}

/** Distances between the lines of an axis that read well in this unit: bytes go by powers of two, time by what a clock shows,
 *  the rest by 1-2-5. */
export function axisIncrements(unit: string): number[] {
  if (unit === 'bytes' || unit === 'bytes_per_second') return Array.from({ length: 50 }, (_, power) => 2 ** power);
  const steps: number[] = [];
  if (unit === 'seconds') {
    for (let power = -9; power < 0; power += 1) for (const digit of [1, 2, 5]) steps.push(Number(`${digit}e${power}`));
    return [...steps, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21600, 43200, 86400, 172800, 604800, 2592000];
  }
  for (let power = -9; power <= 12; power += 1) for (const digit of [1, 2, 5]) steps.push(Number(`${digit}e${power}`));
  return steps;
}
