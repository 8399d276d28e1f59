/**
 * Rows of a schedule that do not match their checksums. Each is told once, by the error of whoever
 * came for it, and passed over from then on: one bad row does not keep all that are due behind it.
 *
 * @module
 */
import { limits } from "../src/base/limits.ts";
import { StorageError } from "../src/model/errors.ts";

/** The bad rows of one table, as far as they were found since the store was opened. */
export class DamagedRows {
  readonly #ids = new Set<number>();

  /** How many more rows to ask for, so that enough good ones are among them. */
  get count(): number {
    return this.#ids.size;
  }

  has(id: number): boolean {
    return this.#ids.has(id);
  }

  /**
   * The rows that `read` finds good, without those known to be bad.
   *
   * @throws {StorageError} `damaged`: a bad row was found that was not known. The next call passes
   * over it, unless so many are bad that the file cannot be trusted.
   */
  good<Row extends { readonly id: number }, Good>(
    rows: readonly Row[],
    countMax: number,
    read: (row: Row) => Good,
  ): Good[] {
    const found: Good[] = [];
    let fault: StorageError | null = null;
    for (const row of rows) {
      if (this.#ids.has(row.id) || found.length === countMax) continue;
      try {
        found.push(read(row));
      } catch (thrown) {
        if (!(thrown instanceof StorageError)) throw thrown;
        fault ??= thrown;
        if (this.#ids.size < limits.damagedRowsMax) this.#ids.add(row.id);
      }
    }
    if (fault !== null) throw fault;
    return found;
  }
}
