// The name under which this browser acknowledges and writes notes. Until sign-in exists it is what the person typed last.

const KEY = 'belfry.person';

export function rememberedPerson(): string {
  try {
    return localStorage.getItem(KEY) ?? '';
  } catch {
    return '';
  }
}

export function rememberPerson(name: string): void {
  try {
    localStorage.setItem(KEY, name);
  } catch {
    // Nothing is lost but the comfort of not typing it again.
  }
}
