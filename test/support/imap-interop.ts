/** What the interop tests of IMAP share: accounts that share and that administrate, a quota, messages in parts. */
import { JOE, type Place, type PlaceName, SECRET, withPlace } from './interop.ts';
import { deliver, message } from './system.ts';

/** To whom joe gives rights, and whose own mailboxes are on another node where there are several. */
export const ANN = 'ann@example.test';
/** An administrator. */
export const ROOT = 'root@example.test';
/** Holds 20 kB. */
export const SMALL = 'small@example.test';
export const SMALL_QUOTA_OCTETS = 20_480;

const TABLES = `[imap]\nadministrators = ["${ROOT}"]\nquota-visible-to-users = true\n`;

/** Joe's account and the small one are n1's; clients connect to the last node. */
export function withImapPlace(name: PlaceName, use: (place: Place) => Promise<void>): Promise<void> {
  return withPlace(
    name,
    async (place) => {
      const n1 = place.fleet.node('n1');
      const other = place.fleet.nodes[1]?.me ?? 'n1';
      await n1.ask('account.add', { name: ANN, secret: SECRET, mailHost: other });
      await n1.ask('account.add', { name: ROOT, secret: SECRET, mailHost: other });
      const settings = { 'quota-octets': String(SMALL_QUOTA_OCTETS) };
      await n1.ask('account.add', { name: SMALL, secret: SECRET, mailHost: 'n1', settings });
      await use(place);
    },
    { tables: TABLES },
  );
}

/** Two parts, of which the second is encoded; its lines and octets differ enough to tell parts and their headers apart. */
export const PARTS = [
  'From: Ann Example <ann@example.test>',
  'To: joe@example.test',
  'Subject: in parts',
  'Date: Mon, 2 Mar 2026 10:00:00 +0100',
  'Message-ID: <parts@example.test>',
  'MIME-Version: 1.0',
  'Content-Type: multipart/mixed; boundary="=cut="',
  '',
  'before',
  '--=cut=',
  'Content-Type: text/plain; charset=utf-8',
  '',
  'the first part',
  '--=cut=',
  'Content-Type: application/octet-stream; name="seven.bin"',
  'Content-Transfer-Encoding: base64',
  '',
  'AAECAwQFBg==',
  '--=cut=--',
  '',
].join('\r\n');

export const deliverTo = async ({ node }: Place, account: string, subject: string, octets?: number): Promise<void> => {
  const answer = await deliver(node.lmtp, account, message(subject, octets));
  if (!answer.startsWith('250')) throw new Error(answer);
};

export const fillInParts = async ({ node }: Place, account = JOE): Promise<void> => {
  const answer = await deliver(node.lmtp, account, Buffer.from(PARTS));
  if (!answer.startsWith('250')) throw new Error(answer);
};
