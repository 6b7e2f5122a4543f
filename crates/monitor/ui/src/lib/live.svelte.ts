// Data that stays fresh: loads at once, again after an interval, not while the tab is hidden, more and more rarely while it
// fails, and at once when the server is back. The last good answer stays, with its age, so that a page never goes blank.
import { untrack } from 'svelte';
import { ApiError } from './api.ts';
import { onReconnect } from './connection.svelte.ts';

/** The longest pause between two tries: short enough that a page recovers while a person looks at it. */
const PAUSE_MAX_MS = 10_000;
const FIRST_RETRY_MS = 1_000;

type Load<T> = (signal: AbortSignal) => Promise<T>;

export class Live<T> {
  data = $state.raw<T | null>(null);
  error = $state.raw<ApiError | null>(null);
  loadedAt = $state<number | null>(null);
  loading = $state(false);

  #load: Load<T> = () => Promise.reject(new Error('started without a load'));
  #interval: number | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #abort: AbortController | null = null;
  #failures = 0;
  #missed = false;

  /** Starts over with another question. The old answer stays until the new one is there. */
  start(load: Load<T>, intervalMs: number | null): () => void {
    this.#load = load;
    this.#interval = intervalMs;
    this.#failures = 0;
    const forget = onReconnect(() => void this.refresh());
    const onVisibility = () => {
      if (!document.hidden && this.#missed) void this.refresh();
    };
    document.addEventListener('visibilitychange', onVisibility);
    void this.refresh();
    return () => {
      forget();
      document.removeEventListener('visibilitychange', onVisibility);
      clearTimeout(this.#timer);
      this.#abort?.abort();
    };
  }

  /** Loads now; a load under way is given up. */
  async refresh(): Promise<void> {
    clearTimeout(this.#timer);
    this.#abort?.abort();
    const abort = new AbortController();
    this.#abort = abort;
    this.#missed = false;
    this.loading = true;
    try {
      const data = await this.#load(abort.signal);
      if (abort.signal.aborted) return;
      this.accept(data);
    } catch (cause) {
      if (abort.signal.aborted) return;
      this.error = cause instanceof ApiError ? cause : new ApiError(String(cause), 0);
      this.#failures += 1;
    }
    this.loading = false;
    this.#schedule();
  }

  /** Takes an answer that came another way, such as the one to an action. */
  accept(data: T): void {
    this.data = data;
    this.error = null;
    this.loadedAt = Date.now();
    this.#failures = 0;
  }

  #schedule(): void {
    clearTimeout(this.#timer);
    const pause = this.#pause();
    if (pause === null) return;
    this.#timer = setTimeout(() => {
      if (document.hidden) this.#missed = true;
      else void this.refresh();
    }, pause);
  }

  #pause(): number | null {
    if (this.#failures === 0) return this.#interval;
    return Math.min(PAUSE_MAX_MS, FIRST_RETRY_MS * 2 ** (this.#failures - 1));
  }
}

/**
 * For components: `prepare` reads what the question depends on and returns the load; when any of that changes, the question
 * is asked again. An interval of null loads once (and again when the server is back).
 */
export function live<T>(prepare: () => Load<T>, interval: number | null | (() => number | null)): Live<T> {
  const store = new Live<T>();
  $effect(() => {
    const load = prepare();
    const every = typeof interval === 'function' ? interval() : interval;
    return untrack(() => store.start(load, every));
  });
  return store;
}
