import type { World } from '../context.ts';
import { usage } from '../failure.ts';
import { unreadable } from '../settings.ts';

export interface SourceFile {
  readonly path: string;
  readonly folder: string;
  readonly text: string;
}

/** A file, or the *.yaml and *.yml of a folder, in the order of their names. */
export async function readFiles(world: World, path: string): Promise<SourceFile[]> {
  let names: readonly string[];
  try {
    const isFolder = await world.files.isDirectory(path);
    names = isFolder
      ? (await world.files.list(path))
          .filter((name) => /\.ya?ml$/.test(name))
          .map((name) => `${path.replace(/\/$/, '')}/${name}`)
      : [path];
  } catch (error) {
    throw unreadable(path, error, 'usage');
  }
  if (names.length === 0)
    throw usage(`There is no *.yaml in ${path}.`, 'Name a file, or a folder that has some.');
  return await Promise.all(names.map((name) => readOne(world, name)));
}

async function readOne(world: World, path: string): Promise<SourceFile> {
  try {
    const folder = path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : '.';
    return { path, folder: folder || '/', text: await world.files.read(path) };
  } catch (error) {
    throw unreadable(path, error, 'usage');
  }
}
