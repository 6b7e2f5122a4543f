// Checks of the pure parts: how values and times read, how answers become a grid. One case a line.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from './load.mjs';

const { axisIncrements, valueText } = await load('../src/lib/units.ts');
const { countdownText, durationText } = await load('../src/lib/time.ts');
const { sampleValue, seriesName, stacked, toGrid } = await load('../src/lib/series.ts');

const cases = (name, run, table) => test(name, () => {
  for (const [...line] of table) {
    const wanted = line.pop();
    assert.equal(run(...line), wanted, JSON.stringify(line));
  }
});

cases('values with units', valueText, [
  [null, 'seconds', '–'], [NaN, 'count', '–'], [Infinity, 'count', '∞'],
  [0, 'seconds', '0 s'], [0.0123, 'seconds', '12.3 ms'], [2, 'seconds', '2 s'], [90, 'seconds', '1.5 min'], [2.6e-6, 'seconds', '2.6 µs'],
  [0, 'bytes', '0 B'], [1536, 'bytes', '1.5 KiB'], [64 * 2 ** 20, 'bytes', '64 MiB'], [2 ** 30, 'bytes_per_second', '1 GiB/s'],
  [0, 'ratio', '0 %'], [0.001, 'ratio', '0.1 %'], [0.72, 'ratio', '72 %'], [0.99953, 'ratio', '99.953 %'], [0.9999999, 'ratio', '99.999 %'], [1, 'ratio', '100 %'],
  [24.91, 'per_second', '24.9/s'], [0.05, 'per_second', '0.05/s'], [12_345, 'count', '12.3 k'], [904, 'count', '904'], [7, 'widgets', '7 widgets'],
]);
cases('lengths of time', durationText, [
  [0, '0 s'], [59.4, '59 s'], [125, '2 min 5 s'], [120, '2 min'], [3_900, '1 h 5 min'], [604_800, '7 d'], [31_536_000, '1 y'], [63_072_000, '2 y'], [NaN, '–'],
]);
cases('countdowns', countdownText, [[-3, '00:00'], [65, '01:05'], [3_729, '1:02:09']]);
cases('sample texts', sampleValue, [['1.5', 1.5], ['NaN', null], ['+Inf', null], ['', null], ['0', 0]]);
cases('names of series', seriesName, [
  ['{{route}} ({{ status }})', { route: '/a', status: '200' }, true, '/a (200)'], ['all', { job: 'x' }, false, 'all'],
  ['', { job: 'x', mode: 'user' }, true, 'mode=user'], ['', { __name__: 'up', job: 'x' }, false, 'up'], ['cpu', { mode: 'idle' }, true, 'cpu mode=idle'], ['{{mode}}', { job: 'x', disk: 'sda' }, true, 'disk=sda'],
]);

test('a gap stays a gap, zero stays zero', () => {
  const grid = toGrid([{ legend: 'x', expr: 'x', series: [{ metric: {}, values: [[0, '0'], [30, '2']] }] }], 0, 45, 15);
  assert.deepEqual(grid.times, [0, 15, 30, 45]);
  assert.deepEqual(grid.columns[0].values, [0, null, 2, null]);
});
test('stacked areas add up', () => assert.deepEqual(stacked([{ label: 'a', values: [1, null] }, { label: 'b', values: [2, 3] }]), [[1, null], [3, 3]]));
test('axis steps rise', () => {
  for (const unit of ['seconds', 'bytes', 'ratio']) axisIncrements(unit).reduce((least, step) => (assert.ok(step > least, `${unit} ${step}`), step), 0);
});

const { evidenceOf } = await load('../src/lib/evidence.ts');
const { matcherOf, sharedMatchers, splitMatchers } = await load('../src/lib/matchers.ts');
const { localInputText } = await load('../src/lib/time.ts');
const same = (name, run, table) => test(name, () => { for (const [given, wanted] of table) assert.deepEqual(run(given), wanted, JSON.stringify(given)); });

same('matchers are cut at commas between them', splitMatchers, [
  ['', []], ['a="b"', ['a="b"']], [' a="b" , c=~"d|e" ', ['a="b"', 'c=~"d|e"']], ['a="b,c"', ['a="b,c"']], ['a="b\\",c", d!="e"', ['a="b\\",c"', 'd!="e"']], ['a="b"\nc="d",', ['a="b"', 'c="d"']],
]);
same('matchers that alerts share', sharedMatchers, [
  [[], ''], [[{ job: 'x', alertname: 'A', severity: 'critical' }], 'alertname="A", job="x"'], [[{ alertname: 'A', route: '/a' }, { alertname: 'A', route: '/b' }], 'alertname="A"'],
]);
cases('values are quoted in matchers', matcherOf, [['a', 'b', 'a="b"'], ['a', 'say "x" \\', 'a="say \\"x\\" \\\\"']]);
cases('what a time field wants', localInputText, [[new Date(2026, 0, 5, 7, 4), '2026-01-05T07:04']]);
same('what a step found', evidenceOf, [
  [null, { facts: [], tables: [], text: '' }], ['boom', { facts: [], tables: [], text: 'boom' }],
  [{ http_status: 200, body: 'a\nb', none: null }, { facts: [['http_status', 200]], tables: [], text: 'a\nb' }],
  [{ series: [{ labels: { a: 'b' }, value: 1, left: null }] }, { facts: [], tables: [{ title: 'series', columns: ['labels', 'value'], rows: [{ labels: { a: 'b' }, value: 1, left: null }], omitted: 0 }], text: '' }],
  [{ expr: 'up', at: 'x', answer: { a: 1 } }, { facts: [], tables: [], text: '{\n  "a": 1\n}' }],
  [[], { facts: [], tables: [], text: '' }], [{ lines: [] }, { facts: [], tables: [], text: '' }],
  [{ rows: [{ before: null, labels: {}, now: 1, note: '' }] }, { facts: [], tables: [{ title: 'rows', columns: ['labels', 'now', 'before'], rows: [{ before: null, labels: {}, now: 1, note: '' }], omitted: 0 }], text: '' }], [['x', 'y'], { facts: [], tables: [], text: 'x\ny' }],
]);
