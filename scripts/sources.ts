import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** The folders that hold the project's own code. */
export const CODE_FOLDERS = ['packages', 'e2e', 'bench', 'scripts'] as const;

const SKIPPED = new Set(['node_modules', 'dist', 'coverage']);
const CODE = /\.(ts|tsx|mts|mjs|js)$/;

/** Every code file under CODE_FOLDERS, as sorted paths from `root` with forward slashes. */
export function codeFiles(root: string): string[] {
  const found: string[] = [];
  const walk = (folder: string): void => {
    for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
      const path = `${folder}/${entry.name}`;
      if (entry.isDirectory()) {
        if (!SKIPPED.has(entry.name) && !entry.name.startsWith('.')) walk(path);
      } else if (entry.isFile() && CODE.test(entry.name)) {
        found.push(path);
      }
    }
  };
  for (const folder of CODE_FOLDERS) if (existsSync(join(root, folder))) walk(folder);
  return found.sort();
}

/** Whether the file is part of what ships: packages/NAME/src/. */
export const isPackageSource = (path: string): boolean => /^packages\/[^/]+\/src\//.test(path);
