import type { Clock } from "../ports/clock.ts";
import type { Finding, HealthCheck } from "../ports/health-check.ts";
import type { Log } from "../ports/log.ts";

export interface ReadinessReport {
  readonly isReady: boolean;
  readonly checks: readonly (Finding & { readonly name: string })[];
}

/** However often it is asked: a look may write to the disk, and the port may be public. */
const KEPT_MS = 2_000;
/** A disk that hangs is not ready; probes wait for a second or more. */
const PATIENCE_MS = 900;

/** Whether this server should get new clients, and why not. */
export class Readiness {
  readonly #parts: { readonly clock: Clock; readonly log: Log };
  readonly #checks: readonly HealthCheck[];
  readonly #underWay = new Map<HealthCheck, Promise<Finding>>();
  #report: Promise<ReadinessReport> | undefined;
  readonly #failing = new Set<string>();

  constructor(parts: { readonly clock: Clock; readonly log: Log }, checks: readonly HealthCheck[]) {
    this.#parts = parts;
    this.#checks = checks;
  }

  report(): Promise<ReadinessReport> {
    if (this.#report === undefined) {
      this.#report = this.#look();
      this.#parts.clock.after(KEPT_MS, () => {
        this.#report = undefined;
      });
    }
    return this.#report;
  }

  /** Looks anew with the next question, such as when it is known that the answer has changed. */
  forget(): void {
    this.#report = undefined;
  }

  async #look(): Promise<ReadinessReport> {
    const checks = await Promise.all(
      this.#checks.map(async (check) => {
        const finding = await this.#withinPatience(this.#lookAt(check));
        this.#tell(check.name, finding);
        return { name: check.name, ...finding };
      }),
    );
    return { isReady: checks.every(({ isOk }) => isOk), checks };
  }

  /** One look at a time: whatever hangs is not asked again. */
  #lookAt(check: HealthCheck): Promise<Finding> {
    const underWay = this.#underWay.get(check);
    if (underWay !== undefined) return underWay;
    const look = found(check).finally(() => this.#underWay.delete(check));
    this.#underWay.set(check, look);
    return look;
  }

  #withinPatience(look: Promise<Finding>): Promise<Finding> {
    return new Promise((resolve) => {
      const cancel = this.#parts.clock.after(PATIENCE_MS, () =>
        resolve({ isOk: false, detail: "no answer" }),
      );
      const settle = (finding: Finding) => {
        cancel();
        resolve(finding);
      };
      look.then(settle, () => settle(FAILED));
    });
  }

  #tell(check: string, { isOk, detail }: Finding): void {
    if (isOk === !this.#failing.has(check)) return;
    if (isOk) this.#failing.delete(check);
    else this.#failing.add(check);
    if (!isOk) this.#parts.log.warn({ check, detail }, "not-ready");
    else this.#parts.log.info({ check }, "ready");
  }
}

const FAILED: Finding = { isOk: false, detail: "the check failed" };

async function found(check: HealthCheck): Promise<Finding> {
  try {
    return await check.look();
  } catch {
    return FAILED;
  }
}
