/**
 * The port by which operators' messages reach nodes, and answers come back: octets, not sealed, since an operator has no
 * cluster key. NatsAdminChannel and LocalAdminChannel pass one contract test. Believes nothing and knows no key.
 */
import type { Service } from '../bus/bus.ts';

/** Sends to whoever sent the message; lost when he has gone. */
export type Answer = (octets: Uint8Array) => void;

export type AdminChannel = {
  /** Hears what is sent to this node and to all. Resolves once others can reach it. */
  serve(me: string, hear: (message: Uint8Array, answer: Answer) => void): Promise<Service>;
  /**
   * Sends to one node, or to all, and hears every answer until it is stopped. Resolves when the message is sent; whether
   * anybody hears it is not known.
   */
  send(to: string | undefined, message: Uint8Array, hear: (answer: Uint8Array) => void): Promise<Service>;
};
