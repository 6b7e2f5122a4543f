// The time range of every page that has one, kept in the address: `range=1h` follows the present, `from`/`to` (Unix seconds)
// stand still. Zooming keeps the `range` it came from, so that going back is dropping two parameters.
import { serverNow } from './clock.svelte.ts';
import { router, setParams } from './router.svelte.ts';

export const RANGES = [
  { name: '15m', title: '15 min', seconds: 900 },
  { name: '1h', title: '1 h', seconds: 3_600 },
  { name: '6h', title: '6 h', seconds: 21_600 },
  { name: '24h', title: '24 h', seconds: 86_400 },
  { name: '7d', title: '7 d', seconds: 604_800 },
] as const;

const DEFAULT_RANGE = '1h';
/** A chart needs no more points than it has pixels to tell them apart. */
const POINTS_MAX = 300;
const STEPS = [5, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 21_600, 86_400];
const STEP_MIN = 15;
/** A narrower selection is a slip of the hand. */
const ZOOM_MIN_SECONDS = 60;

export interface Span {
  from: number;
  to: number;
}

export const range = {
  get name(): string {
    const name = router.param('range');
    return RANGES.some((known) => known.name === name) ? name : DEFAULT_RANGE;
  },
  get seconds(): number {
    return RANGES.find((known) => known.name === this.name)?.seconds ?? 3_600;
  },
  /** The fixed span that was zoomed to, if any. */
  get fixed(): Span | null {
    const from = Number(router.param('from'));
    const to = Number(router.param('to'));
    return from > 0 && to > from ? { from, to } : null;
  },
  /** How often what is drawn over this range changes visibly; a fixed span does not. */
  get refreshMs(): number | null {
    if (this.fixed) return null;
    return this.seconds <= 900 ? 5_000 : this.seconds <= 3_600 ? 10_000 : 15_000;
  },
};

/** The span at this moment, aligned to the step, so that points keep their places from one refresh to the next. */
export function presentSpan(fixed: Span | null, seconds: number): Span & { step: number } {
  const now = serverNow() / 1000;
  const span = fixed ?? { from: now - seconds, to: now };
  const step = stepFor(span.to - span.from);
  return { from: Math.floor(span.from / step) * step, to: Math.floor(span.to / step) * step, step };
}

export function stepFor(seconds: number, pointsMax = POINTS_MAX, least = STEP_MIN): number {
  return STEPS.find((step) => step >= least && seconds / step <= pointsMax) ?? STEPS[STEPS.length - 1]!;
}

export function zoomTo(from: number, to: number): void {
  if (to - from < ZOOM_MIN_SECONDS) {
    const middle = (from + to) / 2;
    from = middle - ZOOM_MIN_SECONDS / 2;
    to = middle + ZOOM_MIN_SECONDS / 2;
  }
  setParams({ range: range.name, from: String(Math.round(from)), to: String(Math.round(to)) });
}

export function zoomBack(): void {
  setParams({ from: null, to: null });
}

export function chooseRange(name: string): void {
  setParams({ range: name, from: null, to: null });
}
