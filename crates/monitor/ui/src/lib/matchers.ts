// Matchers as people write them (`alertname="X", route=~"/api/.*"`): cut into single ones, and made from labels. Whether one
// is right is the server's to say; here only commas inside quotes are told from those between. Pure.
import type { Labels } from './contract.ts';

export function splitMatchers(text: string): string[] {
  const parts: string[] = [];
  let part = '';
  let quoted = false;
  for (let place = 0; place < text.length; place += 1) {
    const letter = text[place]!;
    if (quoted && letter === '\\') part += letter + (text[++place] ?? '');
    else if (!quoted && (letter === ',' || letter === '\n')) {
      parts.push(part);
      part = '';
    } else {
      if (letter === '"') quoted = !quoted;
      part += letter;
    }
  }
  return [...parts, part].map((one) => one.trim()).filter(Boolean);
}

export function matcherOf(name: string, value: string): string {
  return `${name}="${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`;
}

/** The matchers that select all these alerts and as little else as may be: the labels that they share, the name first. */
export function sharedMatchers(alerts: Labels[]): string {
  const [first, ...rest] = alerts;
  if (!first) return '';
  const shared = Object.entries(first).filter(([name, value]) => name !== 'severity' && rest.every((labels) => labels[name] === value));
  const sorted = shared.toSorted(([a], [b]) => Number(b === 'alertname') - Number(a === 'alertname'));
  return sorted.map(([name, value]) => matcherOf(name, value)).join(', ');
}
