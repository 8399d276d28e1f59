/** Files over `node:fs`. @module */
import { mkdir, open, readdir, rename, rm, stat, statfs } from "node:fs/promises";
import { dirname } from "node:path";
import { limits } from "../../base/limits.ts";
import type { DiskSpace, Files } from "../../ports/files.ts";
import { lockDirectory } from "./directory_lock.ts";

/** The host's files. */
export const systemFiles: Files = {
  makeDirectory: async (path) => void await mkdir(path, { recursive: true, mode: 0o700 }),
  list: async (path) => (await readdir(path)).sort(),
  readSmall,
  writeSmall,
  rename: (from, to) => rename(from, to),
  remove: (path) => rm(path, { force: true }),
  sizeBytes,
  diskSpace,
  lockDirectory: (path, startedMs) => lockDirectory(systemFiles, path, startedMs),
  setBallast,
};

async function readSmall(path: string): Promise<string | null> {
  const size = await sizeBytes(path);
  if (size === null) return null;
  if (size > limits.smallFileBytesMax) {
    throw new Error(`Cannot read ${path}: ${size} bytes, more than ${limits.smallFileBytesMax}`);
  }
  const file = await open(path, "r");
  try {
    return await file.readFile("utf8");
  } finally {
    await file.close();
  }
}

async function writeSmall(path: string, text: string): Promise<void> {
  const next = `${path}.new`;
  const file = await open(next, "w", 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(next, path);
  await syncDirectory(dirname(path));
}

/** A rename is on the disk when its directory is. */
async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, "r");
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

async function sizeBytes(path: string): Promise<number | null> {
  try {
    return (await stat(path)).size;
  } catch (thrown) {
    if (thrown instanceof Error && "code" in thrown && thrown.code === "ENOENT") return null;
    throw thrown;
  }
}

async function diskSpace(path: string): Promise<DiskSpace> {
  const { bavail, blocks, bsize } = await statfs(path);
  return { freeBytes: bavail * bsize, totalBytes: blocks * bsize };
}

async function setBallast(path: string, bytes: number): Promise<void> {
  if (bytes === 0) return await rm(path, { force: true });
  const have = await sizeBytes(path);
  if (have === bytes) return;
  if (have !== null) await rm(path);
  const file = await open(path, "w", 0o600);
  try {
    // Random, since a file system may store zeros as a hole or compress them away.
    const block = crypto.getRandomValues(new Uint8Array(64 * 1024));
    for (let written = 0; written < bytes; written += block.length) {
      await file.write(block, 0, Math.min(block.length, bytes - written));
    }
    await file.sync();
  } finally {
    await file.close();
  }
}
