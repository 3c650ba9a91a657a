import { Histogram as PromHistogram, type Registry } from "prom-client";
import type { LabelledHistogram } from "./catalogue.ts";

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
  readonly #counted: readonly LabelledHistogram[];

  constructor(options: HistogramOptions, counted: readonly LabelledHistogram[]) {
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
    return this.#counted.flatMap((each) => this.#valuesOf(each));
  }

  #valuesOf({ labels, counted }: LabelledHistogram) {
    const { name, scale } = this.#options;
    let total = 0;
    const buckets = Array.from(counted.counts, (count, place) => {
      total += count;
      const bound = counted.bounds[place];
      // Ten digits: what the multiplication adds behind them is no bound of ours.
      const le = bound === undefined ? "+Inf" : String(Number((bound * scale).toPrecision(10)));
      return { metricName: `${name}_bucket`, labels: { ...labels, le }, value: total };
    });
    return [
      ...buckets,
      { metricName: `${name}_sum`, labels, value: counted.sum * scale },
      { metricName: `${name}_count`, labels, value: total },
    ];
  }
}
