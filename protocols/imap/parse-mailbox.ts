/** SELECT, EXAMINE, CREATE, DELETE, RENAME, STATUS and what else names a mailbox: RFC 9051 §6.3, RFC 7162 §3.2.5, RFC 6154 §3. */
import type { Qresync, StatusItem, Verb } from './command.ts';
import type { Cursor } from './cursor.ts';
import { canonicalSpecialUse } from './flag.ts';
import type { SequenceSet } from './sequence-set.ts';

/** `mailbox = "INBOX" / astring`, as sent. */
export const mailboxAt = (cursor: Cursor): string | undefined => cursor.text();

/** `"SELECT" SP mailbox [SP "(" select-param *(SP select-param) ")"]` (RFC 7162 §7, RFC 4466 §2.1). */
export function parseSelect(cursor: Cursor, type: 'SELECT' | 'EXAMINE'): Verb | undefined {
  const mailbox = mailboxAt(cursor);
  if (mailbox === undefined) return undefined;
  let condstore = false;
  let qresync: Qresync | undefined;
  const parameter = (): true | undefined => {
    const name = cursor.word();
    if (name === 'CONDSTORE' && !condstore) {
      condstore = true;
      return true;
    }
    if (name === 'QRESYNC' && qresync === undefined) {
      qresync = cursor.space() && qresyncAt(cursor);
      return qresync && true;
    }
    const isAgain = name === 'CONDSTORE' || name === 'QRESYNC';
    return cursor.fail(isAgain ? 'an option stands twice' : 'an unknown option');
  };
  if (!cursor.isAtEnd && !(cursor.space() && cursor.list(parameter))) return undefined;
  return { type, mailbox, condstore, ...(qresync === undefined ? {} : { qresync }) };
}

/** `"(" uidvalidity SP mod-sequence-value [SP known-uids] [SP seq-match-data] ")"` (RFC 7162 §7). */
function qresyncAt(cursor: Cursor): Qresync | undefined {
  if (!cursor.opens()) return undefined;
  const uidValidity = cursor.nzNumber();
  if (uidValidity === undefined || !cursor.space()) return undefined;
  const modSeq = cursor.number64();
  if (modSeq === undefined) return undefined;
  let knownUids: SequenceSet | undefined;
  let match: Qresync['match'];
  while (cursor.takes(' ')) {
    if (cursor.isNextOf('(')) {
      if (match !== undefined) return cursor.fail('an option stands twice');
      match = matchAt(cursor);
      if (match === undefined) return undefined;
    } else {
      if (knownUids !== undefined || match !== undefined) return cursor.fail('a parenthesis was expected');
      knownUids = knownSetAt(cursor);
      if (knownUids === undefined) return undefined;
    }
  }
  if (!cursor.closes()) return undefined;
  return {
    uidValidity,
    modSeq,
    ...(knownUids === undefined ? {} : { knownUids }),
    ...(match === undefined ? {} : { match }),
  };
}

/** `seq-match-data = "(" known-sequence-set SP known-uid-set ")"` (RFC 7162 §7). */
function matchAt(cursor: Cursor): Qresync['match'] {
  if (!cursor.opens()) return undefined;
  const sequence = knownSetAt(cursor);
  if (sequence === undefined || !cursor.space()) return undefined;
  const uids = knownSetAt(cursor);
  return uids && cursor.closes() && { sequence, uids };
}

/** RFC 7162 §7: "* is not allowed"; what a SEARCH saved is no memory of another session's either. */
function knownSetAt(cursor: Cursor): SequenceSet | undefined {
  const set = cursor.sequenceSet();
  if (set === undefined) return undefined;
  const isKnown = set !== '$' && set.every(({ from, to }) => from !== '*' && to !== '*');
  return isKnown ? set : cursor.fail('a set of known numbers has no * and no $');
}

/** `"CREATE" SP mailbox [SP "(" "USE" SP "(" [use-attr *(SP use-attr)] ")" ")"]` (RFC 6154 §6, RFC 4466 §2.2). */
export function parseCreate(cursor: Cursor): Verb | undefined {
  const mailbox = mailboxAt(cursor);
  if (mailbox === undefined) return undefined;
  if (cursor.isAtEnd) return { type: 'CREATE', mailbox, specialUse: [] };
  if (!cursor.space() || !cursor.opens()) return undefined;
  if (cursor.word() !== 'USE') return cursor.fail('an unknown option');
  const attribute = (): string | undefined =>
    cursor.isNextOf('\\') ? cursor.flag() : cursor.fail('a flag was expected');
  const uses = cursor.space() && cursor.list(attribute, { mayBeEmpty: true });
  if (uses === undefined || !cursor.closes()) return undefined;
  return { type: 'CREATE', mailbox, specialUse: [...new Set(uses.map(canonicalSpecialUse))] };
}

/** Commands of which a mailbox is the only argument. */
type OfMailbox = 'DELETE' | 'SUBSCRIBE' | 'UNSUBSCRIBE' | 'GETACL' | 'MYRIGHTS' | 'GETQUOTAROOT';

export function parseMailbox(cursor: Cursor, type: OfMailbox): Verb | undefined {
  const mailbox = mailboxAt(cursor);
  return mailbox === undefined ? undefined : { type, mailbox };
}

/** `"RENAME" SP mailbox SP mailbox` (RFC 9051 §6.3.6). */
export function parseRename(cursor: Cursor): Verb | undefined {
  const from = mailboxAt(cursor);
  if (from === undefined || !cursor.space()) return undefined;
  const to = mailboxAt(cursor);
  return to === undefined ? undefined : { type: 'RENAME', from, to };
}

/** `"STATUS" SP mailbox SP "(" status-att *(SP status-att) ")"` (RFC 9051 §6.3.11). */
export function parseStatus(cursor: Cursor): Verb | undefined {
  const mailbox = mailboxAt(cursor);
  if (mailbox === undefined || !cursor.space()) return undefined;
  const items = statusItemsAt(cursor);
  return items && { type: 'STATUS', mailbox, items };
}

const STATUS_ITEMS: readonly StatusItem[] = [
  'MESSAGES',
  'RECENT',
  'UIDNEXT',
  'UIDVALIDITY',
  'UNSEEN',
  'DELETED',
  'SIZE',
  'HIGHESTMODSEQ',
  'MAILBOXID',
  'APPENDLIMIT',
  'DELETED-STORAGE',
];

/** `"(" status-att *(SP status-att) ")"`: each once. */
export function statusItemsAt(cursor: Cursor): StatusItem[] | undefined {
  const item = (): StatusItem | undefined => {
    const name = cursor.word();
    return STATUS_ITEMS.find((one) => one === name) ?? cursor.fail('an unknown data item');
  };
  const items = cursor.list(item);
  return items && [...new Set(items)];
}
