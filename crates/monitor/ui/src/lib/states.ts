// The one table from the contract's states to meaning, icon and word. Every badge, stripe and chart mark reads it, so that a
// state looks and reads the same wherever it stands.
import type { IconName } from './components/Icon.svelte';

export type Tone = 'good' | 'warning' | 'critical' | 'unknown' | 'info';

export interface Look {
  tone: Tone;
  icon: IconName;
  word: string;
}

const GOOD: Look = { tone: 'good', icon: 'good', word: 'OK' };
const UNKNOWN: Look = { tone: 'unknown', icon: 'unknown', word: 'Unknown' };

const LOOKS: Record<string, Look> = {
  ok: GOOD,
  pass: { ...GOOD, word: 'Pass' },
  up: { ...GOOD, word: 'Up' },
  met: { ...GOOD, word: 'Met' },
  inactive: { ...GOOD, word: 'Inactive' },
  resolved: { ...GOOD, word: 'Resolved' },
  delivered: { ...GOOD, word: 'Delivered' },
  notified: { ...GOOD, word: 'Notified' },
  warning: { tone: 'warning', icon: 'warning', word: 'Warning' },
  warn: { tone: 'warning', icon: 'warning', word: 'Warn' },
  pending: { tone: 'warning', icon: 'pending', word: 'Pending' },
  queued: { tone: 'info', icon: 'pending', word: 'Queued' },
  acknowledged: { tone: 'info', icon: 'person', word: 'Acknowledged' },
  critical: { tone: 'critical', icon: 'critical', word: 'Critical' },
  firing: { tone: 'critical', icon: 'critical', word: 'Firing' },
  open: { tone: 'critical', icon: 'critical', word: 'Open' },
  fail: { tone: 'critical', icon: 'critical', word: 'Fail' },
  down: { tone: 'critical', icon: 'critical', word: 'Down' },
  missed: { tone: 'critical', icon: 'critical', word: 'Missed' },
  given_up: { tone: 'critical', icon: 'critical', word: 'Given up' },
  failed: { tone: 'critical', icon: 'critical', word: 'Failed' },
  late: { tone: 'critical', icon: 'critical', word: 'Late' },
  waiting: { tone: 'unknown', icon: 'pending', word: 'Waiting' },
  accepted: { ...GOOD, word: 'Accepted' },
  calmed: { ...GOOD, word: 'Calmed' },
  data_back: { ...GOOD, word: 'Data is back' },
  running: { tone: 'info', icon: 'pending', word: 'Running' },
  done: { ...GOOD, word: 'Done' },
  ticked: { ...GOOD, word: 'Ticked' },
  interrupted: { tone: 'warning', icon: 'warning', word: 'Interrupted' },
  in_summary: { tone: 'info', icon: 'pending', word: 'In a summary' },
  replaced: { tone: 'unknown', icon: 'page', word: 'By another channel' },
  held: { tone: 'info', icon: 'silences', word: 'Held back' },
  flapping: { tone: 'warning', icon: 'flapping', word: 'Flapping' },
  active: { tone: 'info', icon: 'silences', word: 'Active' },
  ended: { tone: 'unknown', icon: 'close', word: 'Ended' },
  cancelled: { tone: 'unknown', icon: 'close', word: 'Cancelled' },
  no_data: { tone: 'unknown', icon: 'noData', word: 'No data' },
  unknown: UNKNOWN,
};

/** A state that this app does not know shows its own word, as unknown: never as good. */
export function lookOf(state: string): Look {
  return LOOKS[state] ?? { ...UNKNOWN, word: state.replaceAll('_', ' ') || UNKNOWN.word };
}

/** A rule that cannot be evaluated watches nothing: that must not look like quiet. */
export const CANNOT_EVALUATE: Look = { tone: 'unknown', icon: 'warning', word: 'Broken' };

export function objectiveState(met: boolean | null): string {
  return met === null ? 'no_data' : met ? 'met' : 'missed';
}

/** A firing warning is no emergency: it takes the warning's tone, not the critical one's. */
export function alertLook(state: string, severity: string): Look {
  const look = lookOf(state);
  return state === 'firing' && severity === 'warning' ? { ...look, tone: 'warning', icon: 'warning' } : look;
}
