// Writes all boards into a folder: build FOLDER.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { compose } from './board';
import { costs } from './costs';
import { inference } from './inference';
import { overview } from './overview';
import { pools } from './pools';

const folder = process.argv[2];
if (folder === undefined) throw new Error('where to? build FOLDER');
for (const board of [overview, costs, inference, pools]) {
  writeFileSync(join(folder, `${board.uid}.json`), `${JSON.stringify(compose(board), null, 2)}\n`);
}
