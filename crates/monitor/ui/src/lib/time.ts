// Times and lengths of time as people read them. Pure, so that `npm test` can check them without a browser.

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const YEAR = 365 * DAY;

const clockFormat = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });
const dayFormat = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' });
const dayYearFormat = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year: 'numeric' });

/** `09:15:02`, and with the day in front when it is not today. */
export function timeText(at: Date, now: Date = new Date()): string {
  if (at.toDateString() === now.toDateString()) return clockFormat.format(at);
  return `${dayText(at, now)} ${clockFormat.format(at)}`;
}

export function dayText(at: Date, now: Date = new Date()): string {
  return (at.getFullYear() === now.getFullYear() ? dayFormat : dayYearFormat).format(at);
}

/** `09:15:02.123`, for log lines. */
export function preciseTimeText(at: Date): string {
  return `${clockFormat.format(at)}.${String(at.getMilliseconds()).padStart(3, '0')}`;
}

/** The two largest units of a length of time: `45 s`, `2 min 5 s`, `3 h 20 min`, `30 d`. */
export function durationText(seconds: number): string {
  if (!Number.isFinite(seconds)) return '–';
  const whole = Math.max(0, Math.round(seconds));
  if (whole > 0 && whole % YEAR === 0) return `${whole / YEAR} y`;
  if (whole < MINUTE) return `${whole} s`;
  if (whole < HOUR) return pair(whole, MINUTE, 'min', 1, 's');
  if (whole < DAY) return pair(whole, HOUR, 'h', MINUTE, 'min');
  return pair(whole, DAY, 'd', HOUR, 'h');
}

function pair(total: number, large: number, largeUnit: string, small: number, smallUnit: string): string {
  const rest = Math.floor((total % large) / small);
  const head = `${Math.floor(total / large)} ${largeUnit}`;
  return rest > 0 ? `${head} ${rest} ${smallUnit}` : head;
}

/** A countdown that does not jump in width: `14:05` or `1:02:09`. */
export function countdownText(seconds: number): string {
  const whole = Math.max(0, Math.ceil(seconds));
  const two = (part: number) => String(part).padStart(2, '0');
  const minutesAndSeconds = `${two(Math.floor((whole % HOUR) / MINUTE))}:${two(whole % MINUTE)}`;
  return whole >= HOUR ? `${Math.floor(whole / HOUR)}:${minutesAndSeconds}` : minutesAndSeconds;
}

/** Seconds between an RFC 3339 text and `nowMs`; NaN when there is no time. */
export function secondsSince(text: string | null | undefined, nowMs: number): number {
  return text ? (nowMs - Date.parse(text)) / 1000 : Number.NaN;
}

/** What `<input type="datetime-local">` wants and gives: local time to the minute. */
export function localInputText(at: Date): string {
  const two = (part: number) => String(part).padStart(2, '0');
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}T${two(at.getHours())}:${two(at.getMinutes())}`;
}
