/**
 * What an example of an RFC takes for granted, as changes of the store: mailboxes with their UIDVALIDITY, messages with their
 * UIDs and mod-sequences, and what vanished. Committed before the owner begins, which then finds it as it would after a restart.
 */

import { cut, sha256 } from '../../../store/blob.ts';
import { type Change, changeOctets } from '../../../store/change.ts';
import { FLAG, keptKeywords } from '../../../store/flags.ts';
import { seal } from '../../../store/record.ts';
import type { Store } from '../../../store/store.ts';
import type { PlantedMailbox, PlantedMessages } from '../../support/imap-examples.ts';
import { numbersOf } from '../../support/imap-meaning.ts';

export type IdOf = (user: string) => string;

export async function plant(store: Store, mailboxes: readonly PlantedMailbox[], idOf: IdOf): Promise<void> {
  let changes: Change[] = [];
  let octets = 0;
  const commit = async () => {
    if (changes.length > 0) await store.commit(seal(store.applied(), 0, changes));
    changes = [];
    octets = 0;
  };
  for (const change of changesOf(mailboxes, idOf)) {
    changes.push(change);
    octets += changeOctets(change);
    if (octets > 1_000_000) await commit();
  }
  await commit();
}

function* changesOf(mailboxes: readonly PlantedMailbox[], idOf: IdOf): Iterable<Change> {
  const bodies = new Set<string>();
  let numbered = 0;
  let sequence = 0;
  for (const { name, user, validity, next, modSeq, recent, messages, expunged } of mailboxes) {
    const of = { account: idOf(user), mailbox: ++numbered };
    yield { type: 'MailboxCreated', ...of, name, uidValidity: validity };
    const byUid = new Map(messages.flatMap((each) => uidsOf(each.uids).map((uid) => [uid, each]))); // the last one counts
    const all = [...byUid].map(([uid, each]) => ({ uid, each })).sort((a, b) => a.uid - b.uid);
    const last = all.at(-1)?.uid ?? 0;
    const filler: PlantedMessages = { uids: '', flags: [] };
    const stopgap = next !== undefined && next > last + 1 ? [{ uid: next - 1, each: filler }] : []; // only UIDNEXT is left of it
    for (const { uid, each } of [...all, ...stopgap]) {
      const bytes = Buffer.from(messageOf(`${of.mailbox}.${uid}`, each), 'utf8');
      const digest = sha256(bytes);
      if (!bodies.has(digest)) {
        bodies.add(digest);
        yield { type: 'BlobStored', sha256: digest, body: bodies.size, sizeOctets: bytes.length, chunks: cut(bytes) };
      }
      const keywords = keywordsOf(each);
      yield {
        ...{ type: 'Appended', ...of, uid, modSeq: 1, sequence: ++sequence },
        ...{
          internalDate: Date.parse(each.date ?? '7-Feb-2020 21:52:25 +0000'),
          trace: new Uint8Array(),
          sha256: digest,
        },
        ...{ flags: bitsOf(each.flags), ...(keywords && { keywords }) },
      };
    }
    yield* inOrder([
      ...stopgap.map(({ uid }): Change => ({ type: 'Expunged', ...of, uids: [uid], modSeq: 2 })),
      ...expunged.map((each): Change => ({ type: 'Expunged', ...of, uids: uidsOf(each.uids), modSeq: each.modSeq })),
      ...messages.flatMap((each): Change[] => {
        if (each.modSeq === undefined) return [];
        const keywords = keywordsOf(each);
        const uids = uidsOf(each.uids).map((uid) => [uid, uid] as const);
        const group = { uids, flags: bitsOf(each.flags), ...(keywords && { keywords }) };
        return [{ type: 'FlagsChanged', ...of, modSeq: each.modSeq, groups: [group] }];
      }),
    ]);
    const firstRecent = recent ? all.at(-recent)!.uid : last + 1;
    yield { type: 'RecentShown', ...of, from: firstRecent };
    const highest = modSeq ?? Math.max(1, ...messages.map((each) => each.modSeq ?? 1));
    yield { type: 'FlagsChanged', ...of, modSeq: highest, groups: [] };
  }
}

/** Mod-sequences only rise. */
const inOrder = (changes: readonly Change[]): readonly Change[] =>
  [...changes].sort((a, b) => modSeqOf(a) - modSeqOf(b));
const modSeqOf = (change: Change): number => ('modSeq' in change ? change.modSeq : 0);

const keywordsOf = ({ flags }: PlantedMessages) => keptKeywords(flags.filter((flag) => !flag.startsWith('\\')));

const uidsOf = (set: string): readonly number[] => numbersOf(set);

const bitsOf = (flags: readonly string[]): number => {
  let bits = 0;
  for (const flag of flags) bits |= FLAG[flag.slice(1).toLowerCase() as keyof typeof FLAG] ?? 0;
  return bits;
};

/** As it is given, or made from what is given. */
function messageOf(id: string, { raw, from, subject, text, octets, date }: PlantedMessages): string {
  if (raw !== undefined) return raw;
  const message =
    `From: ${from ?? 'Joe'} <${(from ?? 'joe').toLowerCase()}@example.test>\r\nSubject: ${subject ?? `message ${id}`}\r\n` +
    `Date: ${new Date(date ?? '7-Feb-2020 21:52:25 +0000').toUTCString().replace('GMT', '+0000')}\r\n` +
    `Message-ID: <${id}@example.test>\r\n` +
    `MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n${text ?? 'hello'}\r\n`;
  const missing = Math.max(0, (octets ?? 0) - Buffer.byteLength(message));
  return message + 'x'.repeat(Math.max(0, missing - 2)) + (missing > 1 ? '\r\n' : '');
}
