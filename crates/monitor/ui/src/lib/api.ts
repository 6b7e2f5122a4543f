// The one place that talks to the server: addresses, errors, time limits. Pages ask for domain things and get typed answers
// or an ApiError whose message can be shown to a person as it is.
import { reportLost, reportReached } from './connection.svelte.ts';
import type {
  AlertChange, AlertRule, ChannelTest, Contacts, Dashboard, Delivery, Heartbeat, Incident, IncidentDetail, LogBucket, LogEntry,
  MaintenanceWindow, MatrixSeries, Objective, OnCall, Overview, PlanText, Probe, RetentionClass, Severity, Silence, SilencePreview,
  VectorSample,
} from './contract.ts';

/** A request that takes longer is given up: a page that waits silently looks like a page that is right. */
const REQUEST_LIMIT_MS = 20_000;
/** A test waits for the receiver, and a mail server may be slow to say yes. */
const TEST_LIMIT_MS = 60_000;
const OWN = '/api/belfry/v1';
/** Answers of a proxy in front of a server that is gone. */
const GATEWAY_STATUSES = new Set([502, 504]);

export class ApiError extends Error {
  /** 0 when no answer came at all. */
  readonly status: number;
  constructor(message: string, status: number) {
    super(message);
    this.name = 'ApiError';
    this.status = status;
  }
}

type Params = Record<string, string | number | string[] | null | undefined>;

export interface LogQuery {
  from: number;
  to: number;
  levels: string[];
  category: string;
  text: string;
}

export interface ManualIncident {
  title: string;
  text: string;
  severity: Severity;
  escalation: string | null;
  procedure: string | null;
}

export interface NewSilence {
  matchers: string[];
  starts_at: string | null;
  ends_at: string;
  reason: string;
}

export interface NewOverride {
  rota: string;
  person: string;
  from: string;
  until: string;
  reason: string;
}

export const api = {
  overview: (signal: AbortSignal) => get<Overview>(`${OWN}/overview`, {}, signal),
  dashboards: (signal: AbortSignal) => get<Dashboard[]>(`${OWN}/dashboards`, {}, signal),
  alerts: (signal: AbortSignal) => get<AlertRule[]>(`${OWN}/alerts`, {}, signal),
  alertHistory: (rule: string, limit: number, signal: AbortSignal) =>
    get<AlertChange[]>(`${OWN}/alerts/history`, { rule, limit }, signal),
  incidents: (state: string, limit: number, signal: AbortSignal) =>
    get<Incident[]>(`${OWN}/incidents`, { state, limit }, signal),
  incident: (id: string, signal: AbortSignal) =>
    get<IncidentDetail>(`${OWN}/incidents/${encodeURIComponent(id)}`, {}, signal),
  review: (id: number, signal: AbortSignal) => getText(reviewAddress(id), signal),
  silences: (signal: AbortSignal) => get<Silence[]>(`${OWN}/silences`, { state: 'all' }, signal),
  maintenanceWindows: (signal: AbortSignal) => get<MaintenanceWindow[]>(`${OWN}/maintenance-windows`, {}, signal),
  onCall: (signal: AbortSignal) => get<OnCall>(`${OWN}/on-call`, {}, signal),
  contacts: (signal: AbortSignal) => get<Contacts>(`${OWN}/contacts`, {}, signal),
  deliveries: (limit: number, signal: AbortSignal) => get<Delivery[]>(`${OWN}/deliveries`, { limit }, signal),
  heartbeats: (signal: AbortSignal) => get<Heartbeat[]>(`${OWN}/heartbeats`, {}, signal),
  health: (signal: AbortSignal) => get<Probe[]>(`${OWN}/health`, {}, signal),
  objectives: (signal: AbortSignal) => get<Objective[]>(`${OWN}/objectives`, {}, signal),
  plan: (signal: AbortSignal) => get<PlanText>(`${OWN}/plan`, {}, signal),

  logs: (query: LogQuery, limit: number, signal: AbortSignal) =>
    get<{ entries: LogEntry[]; truncated: boolean }>(`${OWN}/logs`, { ...logParams(query), limit }, signal),
  logHistogram: (query: LogQuery, step: number, signal: AbortSignal) =>
    get<LogBucket[]>(`${OWN}/logs/histogram`, { ...logParams(query), step }, signal),
  retention: (signal: AbortSignal) => get<RetentionClass[]>(`${OWN}/logs/retention`, {}, signal),

  openIncident: (by: string, incident: ManualIncident) => post<IncidentDetail>(`${OWN}/incidents`, { by, ...incident }),
  acknowledge: (id: number, by: string, note: string) => post<IncidentDetail>(`${OWN}/incidents/${id}/acknowledge`, { by, note }),
  resolve: (id: number, by: string, note: string) => post<IncidentDetail>(`${OWN}/incidents/${id}/resolve`, { by, note }),
  addNote: (id: number, by: string, text: string) => post<IncidentDetail>(`${OWN}/incidents/${id}/notes`, { by, text }),
  merge: (id: number, by: string, into: number) => post<IncidentDetail>(`${OWN}/incidents/${id}/merge`, { by, into }),
  runStep: (id: number, step: number, by: string) => post<IncidentDetail>(`${OWN}/incidents/${id}/steps/${step}/run`, { by }),
  tickStep: (id: number, step: number, by: string) => post<IncidentDetail>(`${OWN}/incidents/${id}/steps/${step}/tick`, { by }),

  previewSilence: (matchers: string[]) => post<SilencePreview>(`${OWN}/silences/preview`, { matchers }),
  addSilence: (by: string, silence: NewSilence) => post<Silence>(`${OWN}/silences`, { by, ...silence }),
  endSilence: (id: string) => remove(`${OWN}/silences/${encodeURIComponent(id)}`),
  addOverride: (by: string, override: NewOverride) => post<unknown>(`${OWN}/on-call/overrides`, { by, ...override }),
  endOverride: (id: number) => remove(`${OWN}/on-call/overrides/${id}`),
  testContact: (person: string, channel: string | null, by: string) =>
    post<{ results: ChannelTest[] }>(`${OWN}/contacts/test`, { person, by, ...(channel ? { channel } : {}) }, TEST_LIMIT_MS),

  queryRange: (expr: string, from: number, to: number, step: number, signal: AbortSignal) =>
    prometheus<MatrixSeries>('/api/v1/query_range', { query: expr, start: from, end: to, step }, signal),
  queryInstant: (expr: string, at: number, signal: AbortSignal) =>
    prometheus<VectorSample>('/api/v1/query', { query: expr, time: at }, signal),
};

/** The post-incident review as Markdown; also a link to save it. */
export function reviewAddress(id: number): string {
  return `${OWN}/incidents/${id}/review`;
}

function logParams(query: LogQuery): Params {
  return { from: query.from, to: query.to, level: query.levels, category: query.category || null, q: query.text || null };
}

/** Unwraps Prometheus' envelope. A scalar answer becomes one series without labels, so that callers know one shape. */
async function prometheus<T>(path: string, params: Params, signal: AbortSignal): Promise<T[]> {
  const answer = await get<{ data?: { resultType: string; result: unknown } }>(path, params, signal);
  const result = answer.data?.result;
  if (answer.data?.resultType === 'scalar') return [{ metric: {}, value: result } as T];
  return Array.isArray(result) ? (result as T[]) : [];
}

function get<T>(path: string, params: Params, signal: AbortSignal): Promise<T> {
  return request<T>(path + queryText(params), { signal: AbortSignal.any([signal, AbortSignal.timeout(REQUEST_LIMIT_MS)]) });
}

function post<T>(path: string, body: unknown, limitMs: number = REQUEST_LIMIT_MS): Promise<T> {
  return request<T>(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(limitMs),
  });
}

/** Answered without a body. */
async function remove(path: string): Promise<void> {
  await answer(path, { method: 'DELETE', signal: AbortSignal.timeout(REQUEST_LIMIT_MS) });
}

function queryText(params: Params): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) {
    if (value === null || value === undefined) continue;
    for (const item of Array.isArray(value) ? value : [value]) query.append(name, String(item));
  }
  const text = query.toString();
  return text ? `?${text}` : '';
}

async function getText(path: string, signal: AbortSignal): Promise<string> {
  const response = await answer(path, { signal: AbortSignal.any([signal, AbortSignal.timeout(REQUEST_LIMIT_MS)]), headers: { accept: '*/*' } });
  return response.text();
}

async function request<T>(path: string, options: RequestInit): Promise<T> {
  const response = await answer(path, options);
  try {
    return (await response.json()) as T;
  } catch (cause) {
    if (isGivenUp(cause, options)) throw cause;
    throw new ApiError(`The answer to ${path.split('?')[0]} is not JSON.`, response.status);
  }
}

/** An answer that says yes; everything else is an error with words. */
async function answer(path: string, options: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, { ...options, headers: { accept: 'application/json', ...options.headers } });
  } catch (cause) {
    if (isGivenUp(cause, options)) throw cause;
    reportLost();
    throw new ApiError('The server does not answer.', 0);
  }
  if (GATEWAY_STATUSES.has(response.status)) {
    reportLost();
    throw new ApiError('The server does not answer.', response.status);
  }
  reportReached();
  if (!response.ok) throw new ApiError(await problemText(response), response.status);
  return response;
}

/** The caller lost interest: no failure, and nothing about the server. A time limit that ran out is another matter. */
function isGivenUp(cause: unknown, options: RequestInit): boolean {
  return options.signal?.aborted === true && cause instanceof DOMException && cause.name === 'AbortError';
}

/** The words of a problem document (RFC 9457) or of Prometheus' error envelope; else the status. */
async function problemText(response: Response): Promise<string> {
  const fallback = `The server answered ${response.status} ${response.statusText}`.trim();
  try {
    const problem = (await response.json()) as Record<string, unknown>;
    const words = problem['detail'] ?? problem['error'] ?? problem['title'];
    return typeof words === 'string' && words ? words : fallback;
  } catch {
    return fallback;
  }
}
