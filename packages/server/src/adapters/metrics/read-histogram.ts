import { Histogram as PromHistogram, type Registry } from "prom-client";
import type { Histogram } from "./histogram.ts";

export interface HistogramOptions {
  readonly name: string;
  readonly help: string;
  /** Brings our unit to the one that the name has. */
  readonly scale: number;
  readonly registry: Registry;
}

/** A histogram whose counts stand elsewhere. */
export class ReadHistogram extends PromHistogram {
  readonly #options: HistogramOptions;
  readonly #counted: Histogram;

  constructor(options: HistogramOptions, counted: Histogram) {
    const { name, help, registry } = options;
    super({ name, help, registers: [registry] });
    this.#options = options;
    this.#counted = counted;
  }

  override async get() {
    return { ...(await super.get()), values: this.#values() };
  }

  /** The registry's own way to the same. */
  async getForPromString() {
    const { name, help } = this.#options;
    return { name, help, type: "histogram", values: this.#values() };
  }

  #values() {
    const { name, scale } = this.#options;
    const values: { metricName: string; labels: { le?: string }; value: number }[] = [];
    let total = 0;
    for (const [place, count] of this.#counted.counts.entries()) {
      total += count;
      const bound = this.#counted.bounds[place];
      // Ten digits: what the multiplication adds behind them is no bound of ours.
      const le = bound === undefined ? "+Inf" : String(Number((bound * scale).toPrecision(10)));
      values.push({ metricName: `${name}_bucket`, labels: { le }, value: total });
    }
    values.push({ metricName: `${name}_sum`, labels: {}, value: this.#counted.sum * scale });
    values.push({ metricName: `${name}_count`, labels: {}, value: total });
    return values;
  }
}
