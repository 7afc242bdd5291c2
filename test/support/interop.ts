/**
 * What the interop tests share: the places that clients of others are tried against, and the table of docs/interop.md, which
 * each client's file compares with what that client was seen to use.
 */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import * as assert from 'uvu/assert';
import type { Fleet } from '../../bench/fleet/fleet.ts';
import type { NodeProcess } from '../../bench/fleet/node-process.ts';
import { deliver, type FleetWanted, hasNats, scaled, withFleet } from './system.ts';

const DOCUMENT = resolve(import.meta.dirname, '../../docs/interop.md');

export const JOE = 'joe@example.test';
export const SECRET = 'pass word';

/** The node that a client is pointed at, and what it needs to know of it. */
export type Place = {
  readonly node: NodeProcess;
  readonly fleet: Fleet;
  readonly directory: string;
  /** PEM of the authority that issued the servers' certificate, which is for `localhost` and 127.0.0.1. */
  readonly authorityFile: string;
};

const PLACES = {
  'one embedded node': { nodes: ['n1'], nats: 0 },
  'three nodes, the owner elsewhere': { nodes: ['n1', 'n2', 'n3'], nats: 1 },
} as const;

export type PlaceName = keyof typeof PLACES;

/** In the gate the embedded node alone; at full length the cluster too. */
export const placeNames = (): readonly PlaceName[] =>
  (Object.keys(PLACES) as PlaceName[]).slice(0, hasNats() ? scaled(1, 2) : 1);

/** Joe's account is n1's; clients connect to the last node. */
export async function withPlace(
  name: PlaceName,
  use: (place: Place) => Promise<void>,
  more: Partial<FleetWanted> = {},
): Promise<void> {
  await withFleet({ ...PLACES[name], ...more, tls: 'offered' }, async (fleet, directory) => {
    await fleet.node('n1').ask('account.add', { name: JOE, secret: SECRET, mailHost: 'n1' });
    await use({ fleet, directory, node: fleet.nodes.at(-1)!, authorityFile: fleet.tls!.authorityFile });
  });
}

/** Bodies that tell whether dots, octets above ASCII and lines were kept: each message ends in its own. */
export const BODIES = ['one', '.two\r\n..\r\n.', 'três'] as const;

export async function fill({ node }: Place, account = JOE): Promise<void> {
  for (const [at, body] of BODIES.entries())
    assert.match(
      await deliver(
        node.lmtp,
        account,
        Buffer.from(`From: <ann@example.test>\r\nSubject: number ${at}\r\n\r\n${body}\r\n`),
      ),
      /^250/,
    );
}

/** What one client was seen to use. */
export class Evidence {
  readonly #client: string;
  readonly #protocol: 'POP3' | 'IMAP';
  readonly #shown = new Set<string>();

  constructor(client: string, protocol: 'POP3' | 'IMAP' = 'POP3') {
    this.#client = client;
    this.#protocol = protocol;
  }

  /** Each capability with what must stand in the client's own account of the conversation. */
  see(account: string, capabilities: Readonly<Record<string, RegExp>>): void {
    for (const [capability, said] of Object.entries(capabilities)) {
      assert.match(account, said, `${this.#client}: ${capability}: ${said} is not in\n${account.slice(-4000)}`);
      this.#shown.add(capability);
    }
  }

  /** The client's column in docs/interop.md says neither more nor less. */
  mustBeDocumented(): void {
    assert.equal([...this.#shown].sort(), documented(this.#protocol, this.#client));
  }
}

function documented(protocol: string, client: string): string[] {
  const cellsOf = (line: string) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim());
  const whole = readFileSync(DOCUMENT, 'utf8').split('\n');
  const lines = whole.slice(whole.indexOf(`## ${protocol}`));
  const head = lines.findIndex((line) => line.startsWith('|') && cellsOf(line).includes(client));
  if (head < 0) throw new Error(`docs/interop.md: no table below ${protocol} has a column ${client}`);
  const column = cellsOf(lines[head]!).indexOf(client);
  const rows = lines.slice(head + 2);
  return rows
    .slice(
      0,
      rows.findIndex((line) => !line.startsWith('|')),
    )
    .map(cellsOf)
    .filter((cells) => cells[column] !== '')
    .map((cells) => cells[0]!.replaceAll('`', ''))
    .sort();
}
