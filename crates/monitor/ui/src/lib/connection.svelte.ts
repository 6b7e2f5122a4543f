// Whether the server answers. Every request reports here, so the whole app agrees on one "since when", and everything that
// polls can try again the moment that any one request got through.

const listeners = new Set<() => void>();

export const connection = $state<{ lostAt: number | null; lastReachedAt: number | null }>({ lostAt: null, lastReachedAt: null });

export function reportReached(): void {
  const wasLost = connection.lostAt !== null;
  connection.lastReachedAt = Date.now();
  connection.lostAt = null;
  if (wasLost) for (const listener of listeners) listener();
}

export function reportLost(): void {
  connection.lostAt ??= Date.now();
}

/** Calls `listener` whenever the server answers again after it did not. */
export function onReconnect(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Asks everything that polls to try now. */
export function retryNow(): void {
  for (const listener of listeners) listener();
}
