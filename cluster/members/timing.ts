/** The measures of membership. `directory-max-stale` is not here: it is one value for all nodes, kept in the bucket. */
export type Timing = {
  /** Between the starts of two heartbeats. */
  readonly heartbeatMs: number;
  /** How long one write to or read from the bucket may take. */
  readonly requestTimeoutMs: number;
  /** Added wherever one node waits for another's clock: it must outweigh their drift over a few seconds. */
  readonly marginMs: number;
  /** A registration that stood unchanged this long is removed; never less than max-stale plus margin. */
  readonly deregisterAfterMs: number;
  /** Between two attempts to reach the bucket. */
  readonly retryMs: number;
};

export const defaultTiming: Timing = {
  heartbeatMs: 1000,
  requestTimeoutMs: 1500,
  marginMs: 500,
  deregisterAfterMs: 5000,
  retryMs: 250,
};
