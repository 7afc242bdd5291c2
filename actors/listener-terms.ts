/** What a listener is told: where, what is spoken, whom it lets in, and whom it tells. Types only. */
import type { AddressList } from '../kernel/address-list.ts';
import type { Clock } from '../kernel/clock.ts';
import type { IpAddress } from '../kernel/ip-address.ts';
import type { ConnectionLog } from '../telemetry/connection-log.ts';
import type { Log } from '../telemetry/log.ts';
import type { ProtocolStatistics } from '../telemetry/statistics.ts';
import type { AddressTerms } from './address-limits.ts';
import type { Limits } from './connection-terms.ts';
import type { ConnectionTls } from './connection-tls.ts';
import type { AsRoot, Place } from './listener-socket.ts';
import type { Protocol } from './session.ts';
import type { Turns } from './turns.ts';

/** What may be changed while it serves; connections that are there go on by what held when they came. */
export type ListenerTerms = {
  /** Most connections at once; 0: the port is closed. */
  readonly channels: number;
  /** Permissions of a unix socket; absent: as the system makes it. */
  readonly mode?: number | undefined;
  readonly limits: Limits;
  readonly protocol: Protocol;
  /** Absent: no TLS. Not for a unix socket, which needs none. */
  readonly tls?: ConnectionTls | undefined;
  /** Absent: every address is let in. */
  readonly allowed?: AddressList | undefined;
  /** Balancers, which alone may connect, and begin with a PROXY header. Absent: there are none, and no header is read. */
  readonly balancers?: AddressList | undefined;
  /** What an address may; absent: no limits. */
  readonly perAddress?: ((address: IpAddress) => AddressTerms) | undefined;
};

export type ListenerOptions = ListenerTerms & {
  /** Port 0 takes any free port, and keeps it when the port is closed and opened again. */
  readonly place: Place;
  /** What the operator lets clients be told instead of a greeting; undefined while there is nothing of it. */
  readonly nologin?: (() => string | undefined) | undefined;
  readonly connectionLog?: ConnectionLog | undefined;
  /** A new one at each call, unique for ever (session-ids.ts). */
  readonly nextSessionId: () => string;
  readonly clock: Clock;
  readonly log: Log;
  readonly statistics?: ProtocolStatistics | undefined;
  readonly turns?: Turns | undefined;
  /** Opens what only root may, where the process has root set aside. */
  readonly asRoot?: AsRoot | undefined;
};
