// Loads a TypeScript file that imports nothing at run time, so that pure functions can be checked with node alone (Node 20
// cannot read TypeScript by itself).
import { readFile } from 'node:fs/promises';
import ts from 'typescript';

export async function load(path) {
  const source = await readFile(new URL(path, import.meta.url), 'utf8');
  const { outputText } = ts.transpileModule(source, { compilerOptions: { target: 'ES2022', module: 'ESNext' } });
  return import(`data:text/javascript,${encodeURIComponent(outputText)}`);
}
