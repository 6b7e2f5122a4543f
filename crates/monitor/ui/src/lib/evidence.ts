// What a step of a procedure found, made ready to be read: a few facts, small tables, or text. The server's shape differs by
// the kind of step and may grow, so this looks at the shape and not at the kind: what it does not know is still shown.
// Pure, so that `npm test` can check it.

/** More than a person reads in the middle of the night; the whole is behind the query's own page. */
const ROWS_MAX = 20;
const COLUMNS_MAX = 7;
/** What the step asked stands above what it found already, and when it looked beside it. */
const ECHOED = new Set(['expr', 'search', 'probe', 'method', 'url', 'command', 'before_seconds', 'at', 'from', 'to', 'series', 'total']);
/** JSON from the server is sorted by name; these are read first, in this order. */
const COLUMNS_FIRST = ['at', 'level', 'name', 'labels', 'service', 'version', 'status', 'now', 'before', 'value'];
/** Measured values: that there was none is a finding too. */
export const COLUMNS_KEPT = new Set(['now', 'before', 'value']);

export type Row = Record<string, unknown>;

export interface EvidenceTable {
  title: string;
  columns: string[];
  rows: Row[];
  omitted: number;
}

export interface Evidence {
  facts: [string, unknown][];
  tables: EvidenceTable[];
  text: string;
}

export function evidenceOf(detail: unknown): Evidence {
  const evidence: Evidence = { facts: [], tables: [], text: '' };
  if (detail === null || detail === undefined || detail === '') return evidence;
  if (Array.isArray(detail)) addList(evidence, '', detail);
  else if (isObject(detail)) for (const [name, value] of Object.entries(detail)) addField(evidence, name, value);
  else evidence.text = String(detail);
  return evidence;
}

export function isEmpty(evidence: Evidence): boolean {
  return evidence.facts.length === 0 && evidence.tables.length === 0 && evidence.text === '';
}

/** Labels under whichever name: shown as labels are everywhere else. */
export function isLabels(name: string, value: unknown): value is Record<string, string> {
  return (name === 'labels' || name === 'metric') && isObject(value);
}

export function isMoment(name: string, value: unknown): value is string {
  return typeof value === 'string' && /(^|_)(at|time|ts|from|until|since)$/.test(name) && /^\d{4}-\d\d-\d\dT/.test(value);
}

function addField(evidence: Evidence, name: string, value: unknown): void {
  if (value === null || value === undefined || value === '') return;
  if (ECHOED.has(name) && !(Array.isArray(value) && value.every(isObject))) return;
  if (Array.isArray(value)) addList(evidence, name, value);
  else if (typeof value === 'string' && value.includes('\n')) addText(evidence, value);
  else if (isObject(value)) addText(evidence, JSON.stringify(value, null, 2));
  else evidence.facts.push([name, value]);
}

function addList(evidence: Evidence, name: string, list: unknown[]): void {
  if (list.length === 0) return;
  if (list.every(isObject)) evidence.tables.push(tableOf(name, list));
  else if (list.every((item) => typeof item === 'string')) addText(evidence, list.join('\n'));
  else evidence.facts.push([name, JSON.stringify(list)]);
}

function addText(evidence: Evidence, text: string): void {
  evidence.text = evidence.text ? `${evidence.text}\n${text}` : text;
}

/** A column in which nothing stands is left out. */
function tableOf(title: string, list: Row[]): EvidenceTable {
  const rows = list.slice(0, ROWS_MAX);
  const columns = new Set(rows.flatMap((row) => Object.entries(row).filter(([name, value]) => COLUMNS_KEPT.has(name) || (value !== null && value !== '')).map(([name]) => name)));
  return { title, columns: [...columns].toSorted((a, b) => rank(a) - rank(b)).slice(0, COLUMNS_MAX), rows, omitted: list.length - rows.length };
}

function rank(column: string): number {
  const place = COLUMNS_FIRST.indexOf(column);
  return place < 0 ? COLUMNS_FIRST.length : place;
}

function isObject(value: unknown): value is Row {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
