/**
 * Counters, gauges and histograms, and their text for Prometheus (exposition format 0.0.4).
 *
 * A metric is a row of a table: name, type, help and label names. What is counted are its series,
 * one for each combination of label values; a caller asks for a series once and keeps it, so that
 * counting is an addition. A metric holds at most `limits.metricSeriesMax` series: what comes above
 * is counted together in one whose labels all read "other", so that no client can fill the memory
 * with names it makes up.
 *
 * @module
 */
import { assert } from "./assert.ts";
import { limits } from "./limits.ts";

/** One metric. Histograms name the upper bounds of their buckets, rising; "+Inf" is implied. */
export type MetricRow =
  & {
    readonly name: string;
    readonly help: string;
    readonly labels: readonly string[];
  }
  & (
    | { readonly type: "counter" | "gauge" }
    | { readonly type: "histogram"; readonly buckets: readonly number[] }
  );

/** One number of a counter or a gauge. */
export class NumberSeries {
  #value = 0;

  /** The number now. */
  get value(): number {
    return this.#value;
  }

  add(count = 1): void {
    this.#value += count;
  }

  /** For gauges, and for counters that something else counts. */
  set(value: number): void {
    this.#value = value;
  }
}

/** The counts of one histogram. */
export class HistogramSeries {
  readonly #buckets: readonly number[];
  readonly #counts: number[];
  #sum = 0;
  #count = 0;

  constructor(buckets: readonly number[]) {
    this.#buckets = buckets;
    this.#counts = buckets.map(() => 0);
  }

  observe(value: number): void {
    this.#sum += value;
    this.#count++;
    for (let index = 0; index < this.#buckets.length; index++) {
      if (value > this.#buckets[index]!) continue;
      this.#counts[index]!++;
      return;
    }
  }

  /** Upper bound and how many values were at or below it, "+Inf" last; then sum and count. */
  read(): { readonly cumulative: readonly [string, number][]; sum: number; count: number } {
    let below = 0;
    const cumulative = this.#buckets.map((bound, index): [string, number] => {
      below += this.#counts[index]!;
      return [String(bound), below];
    });
    return {
      cumulative: [...cumulative, ["+Inf", this.#count]],
      sum: this.#sum,
      count: this.#count,
    };
  }
}

type Series<Row extends MetricRow> = Row extends { type: "histogram" } ? HistogramSeries
  : NumberSeries;
type Family = {
  readonly row: MetricRow;
  readonly series: Map<string, { readonly labels: string; readonly series: unknown }>;
};

/** All metrics of one thread. */
export class Metrics {
  readonly #families = new Map<string, Family>();

  /**
   * The series of `row` with these label values, in the order of its labels; made when it is new.
   * Equal rows of different tables are one metric.
   */
  series<Row extends MetricRow>(row: Row, values: readonly string[] = []): Series<Row> {
    assert(values.length === row.labels.length, "every label of a series has its value");
    const family = this.#family(row);
    const key = values.join("\0");
    const known = family.series.get(key);
    if (known) return known.series as Series<Row>;
    const isFull = family.series.size >= limits.metricSeriesMax;
    const taken = isFull ? row.labels.map(() => "other") : values;
    const takenKey = taken.join("\0");
    const other = family.series.get(takenKey);
    if (other) return other.series as Series<Row>;
    const series = row.type === "histogram" ? new HistogramSeries(row.buckets) : new NumberSeries();
    family.series.set(takenKey, { labels: labelText(row.labels, taken), series });
    return series as Series<Row>;
  }

  /** Everything, as Prometheus reads it. */
  text(): string {
    let text = "";
    for (const { row, series } of this.#families.values()) {
      text += `# HELP ${row.name} ${row.help.replaceAll("\\", "\\\\").replaceAll("\n", "\\n")}\n`;
      text += `# TYPE ${row.name} ${row.type}\n`;
      for (const one of series.values()) text += seriesText(row.name, one.labels, one.series);
    }
    return text;
  }

  #family(row: MetricRow): Family {
    const known = this.#families.get(row.name);
    if (known) {
      assert(known.row.type === row.type, "a metric's name has one type");
      return known;
    }
    assert(/^[a-z][a-z0-9_]*$/.test(row.name), "a metric's name is lower case with underscores");
    const family: Family = { row, series: new Map() };
    this.#families.set(row.name, family);
    return family;
  }
}

function seriesText(name: string, labels: string, series: unknown): string {
  if (series instanceof NumberSeries) return `${name}${braces(labels)} ${series.value}\n`;
  assert(series instanceof HistogramSeries, "a series is a number or a histogram");
  const { cumulative, sum, count } = series.read();
  const before = labels === "" ? "" : `${labels},`;
  const buckets = cumulative
    .map(([bound, below]) => `${name}_bucket{${before}le="${bound}"} ${below}\n`)
    .join("");
  return `${buckets}${name}_sum${braces(labels)} ${sum}\n${name}_count${braces(labels)} ${count}\n`;
}

function braces(labels: string): string {
  return labels === "" ? "" : `{${labels}}`;
}

function labelText(names: readonly string[], values: readonly string[]): string {
  return names.map((name, index) => `${name}="${escapeLabel(values[index] ?? "")}"`).join(",");
}

function escapeLabel(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}
