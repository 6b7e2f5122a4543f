// Addresses as state: which page, which range, which filter. Everything that a person can look at is a link that can be sent.
// Own and small, because the app needs paths, query parameters and History only.

export type PageName = 'now' | 'dashboards' | 'alerts' | 'incidents' | 'silences' | 'on-call' | 'logs' | 'health' | 'plan' | 'missing';

export interface Route {
  page: PageName;
  /** What follows the page's name: a dashboard's or an incident's id. */
  id: string;
}

const PAGES = new Set<PageName>(['dashboards', 'alerts', 'incidents', 'silences', 'on-call', 'logs', 'health', 'plan']);
const PAGES_WITH_ID = new Set<PageName>(['dashboards', 'incidents']);

let path = $state(location.pathname);
let search = $state(location.search);
let hash = $state(location.hash);

const route = $derived(parseRoute(path));
const query = $derived(new URLSearchParams(search));

export const router = {
  get route(): Route {
    return route;
  },
  get hash(): string {
    return hash;
  },
  /** One query parameter; empty when it is not there. */
  param(name: string): string {
    return query.get(name) ?? '';
  },
  params(name: string): string[] {
    return query.getAll(name);
  },
};

export function parseRoute(pathname: string): Route {
  const [name = '', id = '', ...rest] = pathname.split('/').filter(Boolean);
  if (name === '') return { page: 'now', id: '' };
  const page = name as PageName;
  const known = PAGES.has(page) && rest.length === 0 && (id === '' || PAGES_WITH_ID.has(page));
  return known ? { page, id: safeDecode(id) } : { page: 'missing', id: '' };
}

function safeDecode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

export function navigate(address: string, options: { replace?: boolean } = {}): void {
  const target = new URL(address, location.href);
  const pageChanges = target.pathname !== location.pathname;
  if (options.replace) history.replaceState(null, '', target);
  else history.pushState(null, '', target);
  read();
  if (pageChanges) window.scrollTo(0, 0);
}

type Changes = Record<string, string | string[] | null>;

/** The present address with some query parameters set or (null, empty) taken away. */
export function addressWith(changes: Changes): string {
  const next = new URLSearchParams(search);
  for (const [name, value] of Object.entries(changes)) {
    next.delete(name);
    for (const item of value === null ? [] : Array.isArray(value) ? value : [value]) if (item) next.append(name, item);
  }
  const text = next.toString();
  return path + (text ? `?${text}` : '');
}

export function setParams(changes: Changes, options: { replace?: boolean } = {}): void {
  const address = addressWith(changes);
  if (address !== path + search) navigate(address, options);
}

function read(): void {
  path = location.pathname;
  search = location.search;
  hash = location.hash;
}

window.addEventListener('popstate', read);

/** Own links become navigation without a load; anything with a modifier, a target or another host stays the browser's. */
document.addEventListener('click', (event) => {
  if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  const link = event.target instanceof Element ? event.target.closest('a') : null;
  if (!link || link.target || link.hasAttribute('download') || link.origin !== location.origin) return;
  if (link.getAttribute('href')?.startsWith('#')) return;
  event.preventDefault();
  navigate(link.href);
});
