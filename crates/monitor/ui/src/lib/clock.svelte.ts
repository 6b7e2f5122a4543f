// One ticking "now" for every countdown and every "since", set right by the server's clock: a laptop that runs three minutes
// slow must not show a page as due that went out long ago.

/** Below this the difference is the request's own delay. */
const SKEW_NOTICED_MS = 2_000;

let local = $state(Date.now());
let skew = $state(0);

setInterval(() => {
  if (!document.hidden) local = Date.now();
}, 1_000);
document.addEventListener('visibilitychange', () => {
  local = Date.now();
});

export const clock = {
  /** Milliseconds since the epoch, by the server's clock, moving once a second. */
  get now(): number {
    return local + skew;
  },
};

export function serverNow(): number {
  return Date.now() + skew;
}

export function learnServerTime(text: string): void {
  const difference = Date.parse(text) - Date.now();
  if (Number.isNaN(difference)) return;
  skew = Math.abs(difference) > SKEW_NOTICED_MS ? difference : 0;
}
