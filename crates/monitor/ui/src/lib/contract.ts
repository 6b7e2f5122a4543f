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
  held?: Hold | null;
  flapping?: boolean;
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

/** What keeps pages back: a silence, a maintenance window, an inhibition. */
export interface Hold {
  kind: 'silence' | 'maintenance_window' | 'inhibition';
  id: string;
  why: string;
}

/** What happened to one alert of a rule, and what the rule saw then. */
export interface AlertChange {
  at: string;
  rule: string;
  labels: Labels;
  kind: string;
  value: number | null;
  why: string;
}

export interface Incident {
  id: number;
  title: string;
  alert: string;
  severity: Severity;
  /** Those of its first alert; null for an incident that was opened by hand. */
  labels: Labels | null;
  state: 'open' | 'acknowledged' | 'resolved';
  opened_at: string;
  acknowledged_at: string | null;
  acknowledged_by: string | null;
  acknowledged_until: string | null;
  resolved_at: string | null;
  resolve_reason: string | null;
  held: Hold | null;
  no_data: boolean;
  level: number;
  next_level: number | null;
  next_level_at: string | null;
  alerts_firing: number;
  alerts_left_out: number;
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
  /** Null while nobody will be told at this level: somebody has the incident, or its pages are held back. */
  due_at: string | null;
  notified_at: string | null;
}

export interface Page {
  id: number;
  level: number;
  person: string;
  channel: string;
  kind: 'firing' | 'resolved';
  reason: string;
  state: string;
  attempts: number;
  last_error: string | null;
  promised_at: string;
  queued_at: string;
  /** When it is tried next. */
  due_at: string | null;
  delivered_at: string | null;
  receipt: string | null;
}

/** One attempt to tell somebody. */
export interface Delivery {
  at: string;
  took_seconds: number;
  accepted: boolean;
  error: string | null;
  receipt: string | null;
  incident: number;
  page: Page;
}

export interface StepRun {
  id: number;
  state: 'queued' | 'running' | 'done' | 'failed' | 'ticked' | 'interrupted';
  /** Empty for Belfry itself. */
  by: string;
  queued_at: string;
  started_at: string | null;
  finished_at: string | null;
  summary: string;
  detail: unknown;
}

export interface ProcedureStep {
  number: number;
  title: string;
  kind: string;
  /** What it asks or calls, in words; empty for a step that a person does. */
  query: string;
  changes: boolean;
  automatic: boolean;
  timeout_seconds: number;
  runs: StepRun[];
}

export interface IncidentAlert {
  labels: Labels;
  annotations: Record<string, string>;
  state: 'firing' | 'resolved';
  value: number | null;
  summary: string;
  no_data: boolean;
  started_at: string;
  resolved_at: string | null;
}

export interface IncidentDetail extends Incident {
  timeline: TimelineEntry[];
  ladder: LadderStep[];
  pages: Page[];
  procedure: { id: string; title: string; steps: ProcedureStep[] } | null;
  alerts: IncidentAlert[];
}

export interface Silence {
  id: string;
  state: 'active' | 'pending' | 'ended';
  matchers: { name: string; op: string; value: string; text: string }[];
  starts_at: string;
  ends_at: string;
  by: string;
  reason: string;
  updated_at: string;
}

/** What a silence with these matchers would hide now. */
export interface SilencePreview {
  alerts: { labels: Labels; incident: number; summary: string; held_already: Hold | null }[];
  alerts_count: number;
  /** Those that it touches; `held_back` where nothing of one would be told any more. */
  incidents: { id: number; title: string; severity: Severity; alerts_hidden: number; alerts_told: number; held_back: boolean }[];
  rules: string[];
  /** Rules of which it depends on the series. */
  rules_possible: string[];
  hides_everything: boolean;
}

export interface MaintenanceWindow {
  name: string;
  reason: string;
  alerts: string[];
  /** Empty for every day. */
  days: string[];
  from: string;
  zone: string | null;
  length_seconds: number;
  open_until: string | null;
  next: { from: string | null; until: string | null };
}

/** Null where the calendar ends. */
export interface Turn {
  person: string;
  from: string | null;
  until: string | null;
  /** Empty for an override. */
  shift: string;
  is_override: boolean;
}

export interface RoleFiller {
  person: string;
  why: 'rota' | 'listed';
  rota: string | null;
  channels: string[];
}

/** A role that an escalation policy names, and who fills it now. */
export interface Role {
  role: string;
  policies: string[];
  people: RoleFiller[];
  notice: string | null;
}

export interface RotaOverride {
  /** Null for one that stands in the contacts file and is ended there. */
  id: number | null;
  source: 'contacts' | 'added';
  person: string;
  from: string;
  until: string;
  by: string | null;
  reason: string;
}

export interface Rota {
  name: string;
  role: string;
  turn: Turn | null;
  next: Turn[];
  overrides: RotaOverride[];
}

export interface OnCall {
  now: string;
  roles: Role[];
  rotas: Rota[];
}

export interface Contact {
  name: string;
  roles: string[];
  rotas: string[];
  channels: { name: string; kind: string }[];
}

export interface Contacts {
  people: Contact[];
  notice: string | null;
}

export interface ChannelTest {
  channel: string;
  ok: boolean;
  receipt?: string | null;
  error?: string | null;
  took_ms: number;
}

export interface Heartbeat {
  name: string;
  state: 'ok' | 'late' | 'waiting';
  every_seconds: number;
  grace_seconds: number;
  expected_since: string;
  last_at: string | null;
  due_at: string;
  late_at: string;
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
  /** The main file's; `files` has it too, as the first. */
  text: string;
  files: { path: string; text: string }[];
  services: { name: string; title: string }[];
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
