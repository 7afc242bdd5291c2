/** What a workload is: where clients connect, for whom, what was put there before, and the operation that is measured. */
import { ImapClient } from '../clients/imap.ts';
import type { Endpoint } from '../clients/wire.ts';

export type BenchAccount = { readonly name: string; readonly secret: string };

export type Place = {
  /** The node that the clients connect to. */
  readonly pop3: Endpoint;
  readonly imap: Endpoint;
  readonly lmtp: Endpoint;
  readonly accounts: readonly BenchAccount[];
  /** Whether a client's next connection resumes the TLS session of its last one. */
  readonly resumes?: boolean;
};

export type Running = {
  readonly operation: (client: number) => Promise<void>;
  /** Of the TLS handshakes, those that resumed a session. */
  resumedShare?(): number;
  end(): Promise<void>;
};

export type Workload = {
  readonly clients: number;
  /** What is counted, for the table. */
  readonly unit: string;
  /** How many of the unit one operation counts for. */
  readonly unitsPerOperation: number;
  prepare(place: Place): Promise<Running>;
};

/** A message of about `octets` octets, with CRLF line ends, different in each `number`. */
export function sampleMessage(octets: number, number: number): Buffer {
  const header = `From: <bench@example.test>\r\nSubject: message ${number}\r\nMessage-ID: <${number}@bench>\r\n\r\n`;
  const line = 'The quick brown fox jumps over the lazy dog, and goes home by the shortest way.\r\n';
  const lines = Math.max(1, Math.floor((octets - header.length) / line.length));
  return Buffer.from(header + line.repeat(lines), 'latin1');
}

/** A connection of each account, with INBOX selected. */
export const openInboxes = ({ imap, accounts }: Place): Promise<readonly ImapClient[]> =>
  Promise.all(
    accounts.map(async ({ name, secret }) => {
      const session = await ImapClient.connect(imap);
      await session.logIn(name, secret);
      await session.ok('SELECT INBOX');
      return session;
    }),
  );

/** Appends `count` messages to the INBOX of each account, by IMAP, so that it goes with any server. */
export async function fillInboxes(place: Place, count: number, message: (number: number) => Buffer): Promise<void> {
  const fill = async (session: ImapClient) => {
    for (let number = 1; number <= count; number++) {
      const { status, text } = await session.append('INBOX', message(number));
      if (status !== 'OK') throw new Error(text);
    }
    await session.logOut();
  };
  await Promise.all((await openInboxes(place)).map(fill));
}
