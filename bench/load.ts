/**
 * Runs one operation over and over from a fixed number of clients, and measures: rate, latency percentiles, errors.
 * The clients run closed-loop: each begins its next operation when its last one ended.
 */
export type Load = {
  readonly clients: number;
  readonly durationMs: number;
  /** One operation by one client; throws when it failed. `client` counts from 0. */
  readonly operation: (client: number) => Promise<void>;
};

export type Measured = {
  readonly operations: number;
  readonly errors: number;
  /** The first error's text. */
  readonly firstError?: string;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
};

export async function run(load: Load): Promise<Measured> {
  const latencies: number[] = [];
  let errors = 0;
  let firstError: string | undefined;
  const begun = performance.now();
  const end = begun + load.durationMs;
  const client = async (number: number) => {
    while (performance.now() < end) {
      const from = performance.now();
      try {
        await load.operation(number);
        latencies.push(performance.now() - from);
      } catch (error) {
        errors++;
        firstError ??= String(error);
        if (errors > 1000 && errors > latencies.length) return; // all is lost: do not spin
      }
    }
  };
  await Promise.all(Array.from({ length: load.clients }, (_, number) => client(number)));
  const seconds = (performance.now() - begun) / 1000;
  return summed(latencies, seconds, { errors, firstError });
}

/** What single latencies, in milliseconds, come to. */
export function summed(
  latencies: readonly number[],
  seconds: number,
  failed: { readonly errors: number; readonly firstError: string | undefined },
): Measured {
  const sorted = Float64Array.from(latencies).sort();
  const { errors, firstError } = failed;
  return {
    operations: sorted.length,
    errors,
    ...(firstError !== undefined && { firstError }),
    perSecond: sorted.length / seconds,
    p50Ms: percentile(sorted, 0.5),
    p99Ms: percentile(sorted, 0.99),
  };
}

/** By nearest rank; NaN when nothing was measured. */
export const percentile = (sorted: Float64Array, share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
