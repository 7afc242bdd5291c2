/**
 * Plain counters of what a node has done, by protocol, since it started: for the `.stats` files, and for whoever shows them
 * elsewhere. Fed where it happens, a line each; costs an idle connection nothing. Numbers only, never a name or an address.
 */

/** What a session did for its client beyond commands. The names are what operators read. */
export type Deed =
  /** POP3: asked for by RETR or TOP and had; removed at QUIT; log-ins whose mail another node keeps. */
  | 'messages-retrieved'
  | 'messages-removed'
  | 'sessions-forwarded'
  /** LMTP: RCPTs that were refused for good. */
  | 'recipients-refused'
  /** LMTP: messages whose content came whole. */
  | 'messages-received'
  /** LMTP: recipients of these that have it, on another node among them, will never, may have it when it is tried again. */
  | 'deliveries-accepted'
  | 'deliveries-forwarded'
  | 'deliveries-refused'
  | 'deliveries-deferred'
  /** poppwd. */
  | 'passwords-changed'
  | 'passwords-refused';

export type LogInCounts = { readonly accepted: number; readonly refused: number };

/** Of one protocol at one moment. */
export type ProtocolCounts = {
  readonly connectionsOpen: number;
  /** Let in since the start, those open among them. */
  readonly connections: number;
  /** By reason, and not among `connections`. */
  readonly connectionsRefused: Readonly<Record<string, number>>;
  /** By SASL mechanism, or the protocol's own word where it has none. */
  readonly logIns: Readonly<Record<string, LogInCounts>>;
  readonly commands: number;
  /** As the protocol sees them: without TLS and what lies below. */
  readonly octetsIn: number;
  readonly octetsOut: number;
  readonly deeds: Readonly<Partial<Record<Deed, number>>>;
};

/** More mechanisms than any protocol has: should a caller let clients name them, memory stays bounded all the same. */
const MOST_NAMES = 32;

/** A protocol's counters. Methods are called on the way of every command: each is one addition. */
export class ProtocolStatistics {
  #open = 0;
  #connections = 0;
  #commands = 0;
  #octetsIn = 0;
  #octetsOut = 0;
  readonly #refused = new Map<string, number>();
  readonly #logIns = new Map<string, { accepted: number; refused: number }>();
  readonly #deeds = new Map<Deed, number>();

  connectionOpened(): void {
    this.#open += 1;
    this.#connections += 1;
  }

  connectionClosed(): void {
    this.#open -= 1;
  }

  /** @param reason  one of a few words, never what a client said */
  connectionRefused(reason: string): void {
    this.#refused.set(reason, (this.#refused.get(reason) ?? 0) + 1);
  }

  command(): void {
    this.#commands += 1;
  }

  received(octets: number): void {
    this.#octetsIn += octets;
  }

  sent(octets: number): void {
    this.#octetsOut += octets;
  }

  /** @param given  the mechanism: one that this node knows, never what a client said */
  loggedIn(given: string, isAccepted: boolean): void {
    const mechanism = this.#logIns.has(given) || this.#logIns.size < MOST_NAMES ? given : 'other';
    const counted = this.#logIns.get(mechanism) ?? { accepted: 0, refused: 0 };
    if (isAccepted) counted.accepted += 1;
    else counted.refused += 1;
    this.#logIns.set(mechanism, counted);
  }

  did(deed: Deed, times = 1): void {
    this.#deeds.set(deed, (this.#deeds.get(deed) ?? 0) + times);
  }

  read(): ProtocolCounts {
    return {
      connectionsOpen: this.#open,
      connections: this.#connections,
      connectionsRefused: Object.fromEntries(this.#refused),
      logIns: Object.fromEntries([...this.#logIns].map(([mechanism, counted]) => [mechanism, { ...counted }])),
      commands: this.#commands,
      octetsIn: this.#octetsIn,
      octetsOut: this.#octetsOut,
      deeds: Object.fromEntries(this.#deeds),
    };
  }
}

/** A node's counters: one set for each protocol, made when first asked for. */
export class Statistics {
  readonly #protocols = new Map<string, ProtocolStatistics>();

  of(protocol: string): ProtocolStatistics {
    const known = this.#protocols.get(protocol);
    if (known !== undefined) return known;
    const made = new ProtocolStatistics();
    this.#protocols.set(protocol, made);
    return made;
  }

  /** All protocols that were ever asked for. */
  read(): ReadonlyMap<string, ProtocolCounts> {
    return new Map([...this.#protocols].map(([protocol, counted]) => [protocol, counted.read()]));
  }
}

/** Who writes a block and when; times in milliseconds since the epoch, uptime by a clock that never goes back. */
export type BlockHead = {
  readonly daemon: string;
  readonly node: string;
  readonly pid: number;
  readonly version: string;
  readonly nowMs: number;
  readonly startedMs: number;
  readonly uptimeMs: number;
};

/** A dated block of lines `name value`, names in a fixed order and sub-names in their own, an empty line at its end. */
export function statisticsBlock(head: BlockHead, counts: ProtocolCounts): string {
  const lines: readonly (readonly [string, string | number])[] = [
    ['started', new Date(head.startedMs).toISOString()],
    ['uptime-seconds', Math.floor(head.uptimeMs / 1000)],
    ['connections-now', counts.connectionsOpen],
    ['connections-total', counts.connections],
    ['connections-refused', sum(Object.values(counts.connectionsRefused))],
    ...byName(counts.connectionsRefused).map(([why, times]) => [`connections-refused.${why}`, times] as const),
    ['logins-accepted', sum(Object.values(counts.logIns).map(({ accepted }) => accepted))],
    ['logins-refused', sum(Object.values(counts.logIns).map(({ refused }) => refused))],
    ...byName(counts.logIns).flatMap(([mechanism, { accepted, refused }]) => [
      [`logins-accepted.${mechanism}`, accepted] as const,
      [`logins-refused.${mechanism}`, refused] as const,
    ]),
    ['commands', counts.commands],
    ['octets-in', counts.octetsIn],
    ['octets-out', counts.octetsOut],
    ...byName(counts.deeds),
  ];
  const { daemon, node, pid, version, nowMs } = head;
  const title = `--- ${new Date(nowMs).toISOString()} ${daemon} of ${node}, homing ${version}, process ${pid}`;
  return [title, ...lines.map(([name, value]) => `${name} ${value}`), '', ''].join('\n');
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, each) => total + each, 0);
const byName = <T>(counted: Readonly<Record<string, T>>): [string, T][] =>
  Object.entries(counted).sort(([a], [b]) => (a < b ? -1 : 1));
