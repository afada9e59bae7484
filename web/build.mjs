// Builds dist/ from src/: one script, one style sheet, one page that names both. The same sources and the same
// lock file give the same bytes; `--check` only tells whether dist/ is what would come out.
import {build} from 'esbuild';
import {mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const dist = join(here, 'dist');

const result = await build({
  absWorkingDir: here,
  entryPoints: ['src/app.tsx', 'src/theme.ts'],
  bundle: true,
  minify: true,
  write: false,
  format: 'esm',
  target: ['es2022'],
  jsx: 'automatic',
  jsxImportSource: 'preact',
  entryNames: '[name]-[hash]',
  outdir: 'dist',
  legalComments: 'none',
  charset: 'utf8',
});

const files = new Map(result.outputFiles.map((file) => [file.path.split('/').at(-1), file.contents]));
const named = (start, end) => [...files.keys()].find((name) => name.startsWith(start) && name.endsWith(end));
const page = readFileSync(join(here, 'src/index.html'), 'utf8')
  .replace('THEME', named('theme-', '.js'))
  .replace('STYLE', named('app-', '.css'))
  .replace('SCRIPT', named('app-', '.js'));
files.set('index.html', Buffer.from(page));

if (process.argv.includes('--check')) {
  const wrong = [];
  const there = new Set(readdirSync(dist));
  for (const [name, bytes] of files) {
    if (!there.delete(name) || !readFileSync(join(dist, name)).equals(Buffer.from(bytes))) wrong.push(name);
  }
  wrong.push(...there);
  if (wrong.length > 0) {
    console.error(`web/dist is not what web/src gives: ${wrong.join(', ')}; run \`npm ci && npm run build\` in web/`);
    process.exit(1);
  }
} else {
  rmSync(dist, {recursive: true, force: true});
  mkdirSync(dist, {recursive: true});
  for (const [name, bytes] of files) writeFileSync(join(dist, name), bytes);
  console.log([...files].map(([name, bytes]) => `${name} ${bytes.length}`).join('\n'));
}
