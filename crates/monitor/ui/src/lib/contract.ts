// The shapes of docs/http-api.md, written by hand until the server publishes an OpenAPI document to generate them from.

export type State = 'ok' | 'warning' | 'critical' | 'unknown';
export type Severity = 'critical' | 'warning';
export type Labels = Record<string, string>;

export interface Target {
  job: string;
  instance: string;
  url: string;
  health: 'up' | 'down' | 'unknown';
  last_scrape: string | null;
  last_error: string | null;
  duration_seconds: number | null;
  samples: number | null;
  interval_seconds: number;
}

export interface Objective {
  id: string;
  title: string;
  expr: string;
  below: boolean;
  target: number;
  unit: string;
  window_seconds: number;
  value: number | null;
  met: boolean | null;
  unprobed_ratio?: number | null;
}

export interface Dependency {
  name: string;
  status: 'pass' | 'warn' | 'fail' | 'unknown';
  detail: string | null;
}

export interface Probe {
  name: string;
  kind: string;
  url: string;
  interval_seconds: number;
  state: 'pass' | 'warn' | 'fail' | 'unknown';
  last_at: string | null;
  latency_seconds: number | null;
  http_status: number | null;
  output: string | null;
  dependencies: Dependency[];
  uptime: { day: number | null; week: number | null; month: number | null };
  recent: { at: string; ok: boolean }[];
}

export interface Overview {
  service: string;
  title: string;
  now: string;
  started_at: string;
  state: State;
  contacts: { pageable: boolean; notice: string | null };
  targets: Target[];
  alerts: { firing: number; pending: number; no_data: number };
  incidents_open: number;
  objectives: Objective[];
  probes: Probe[];
}

export interface Threshold {
  value: number;
  label: string;
}

export interface PlanPanel {
  title: string;
  description: string;
  kind: 'line' | 'stacked' | 'stat' | 'bars';
  unit: string;
  queries: { expr: string; legend: string }[];
  thresholds: Threshold[];
}

export interface Dashboard {
  id: string;
  title: string;
  panels: PlanPanel[];
}

export interface AlertInstance {
  labels: Labels;
  state: 'pending' | 'firing';
  since: string;
  fired_at: string | null;
  value: number | null;
  no_data: boolean;
  summary: string | null;
}

export interface AlertRule {
  name: string;
  group: string;
  expr: string;
  for_seconds: number;
  severity: Severity;
  added: boolean;
  summary: string | null;
  procedure: string | null;
  escalation: string | null;
  state: 'inactive' | 'pending' | 'firing';
  last_evaluation: string | null;
  evaluation_error: string | null;
  why: string | null;
  instances: AlertInstance[];
}

export interface Incident {
  id: number;
  title: string;
  alert: string;
  severity: Severity;
  labels: Labels;
  state: 'open' | 'acknowledged' | 'resolved';
  opened_at: string;
  acknowledged_at: string | null;
  acknowledged_by: string | null;
  resolved_at: string | null;
  resolve_reason: string | null;
  no_data: boolean;
  level: number;
  next_level: number | null;
  next_level_at: string | null;
  summary: string | null;
}

export interface TimelineEntry {
  at: string;
  kind: string;
  text: string;
}

export interface LadderStep {
  level: number;
  after_seconds: number;
  roles: string[];
  due_at: string | null;
  notified_at: string | null;
}

export interface Page {
  id: number;
  level: number;
  person: string;
  channel: string;
  kind: string;
  state: string;
  attempts: number;
  last_error: string | null;
  due_at: string | null;
  delivered_at: string | null;
}

export interface ProcedureStep {
  title: string;
  kind: string;
  query?: string | null;
}

export interface IncidentDetail extends Incident {
  timeline: TimelineEntry[];
  ladder: LadderStep[];
  pages: Page[];
  procedure: { id: string; title: string; steps: ProcedureStep[] } | null;
  alerts: { labels: Labels; state: string; value: number | null; started_at: string; resolved_at: string | null }[];
}

export interface LogEntry {
  at: string;
  level: string;
  category: string | null;
  class: string;
  service: string;
  message: string;
  fields: Record<string, unknown>;
}

export interface LogBucket {
  at: string;
  counts: Record<string, number>;
}

export interface RetentionClass {
  class: string;
  keep_seconds: number;
  files: number;
  lines: number;
  bytes: number;
  oldest: string | null;
  newest: string | null;
  next_deletion: string | null;
}

export interface PlanText {
  path: string;
  text: string;
  loaded_at: string;
  reload_error: string | null;
}

/** One series of a Prometheus matrix answer: values are `[unix seconds, text]`. */
export interface MatrixSeries {
  metric: Labels;
  values: [number, string][];
}

export interface VectorSample {
  metric: Labels;
  value: [number, string];
}
