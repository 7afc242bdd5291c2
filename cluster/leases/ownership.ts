/** The ports of ownership: may this node serve a mailHost now, and under which epoch (docs/architecture.md, "Ownership"). */
import type { Service as Subscription } from '../bus/bus.ts';

/** One node's hold on one mailHost. Checked synchronously before anything is answered. */
export type Lease = {
  readonly mailHost: string;
  /** Larger than that of every owner before. */
  readonly epoch: number;
  /**
   * False once the lease has lapsed by this node's own clock, was lost, or was released; never true again. One on a mailHost
   * whose only store is here does not lapse (leases.ts says why that is safe).
   */
  isHeld(): boolean;
  /** Called once when `isHeld` has become false. */
  onLost(listener: () => void): Subscription;
  release(): Promise<void>;
};

/** Who owns a mailHost, as the directory has it; no holder: given back, and not taken since. */
export type LeaseHolder = { readonly mailHost: string; readonly epoch: number; readonly holder?: string };

export type Leases = {
  /**
   * Resolves when this node holds the mailHost; waits while another does.
   * @param storeEpoch  the largest epoch that this node's store of the mailHost has seen
   * @param storeId  identity of that store; refused (throws) when the directory knows the mailHost by another
   */
  acquire(mailHost: string, storeEpoch: number, storeId: string, signal: AbortSignal): Promise<Lease>;
  /** Every mailHost that was ever owned, with its newest epoch. */
  list(): readonly LeaseHolder[];
};
