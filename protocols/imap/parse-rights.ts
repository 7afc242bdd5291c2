/** Rights and quota: SETACL, DELETEACL, LISTRIGHTS (RFC 4314 §3), GETQUOTA and SETQUOTA (RFC 9208 §4.1). */
import type { CommandOf, Verb } from './command.ts';
import type { Cursor } from './cursor.ts';
import { mailboxAt } from './parse-mailbox.ts';

/** `"SETACL" SP mailbox SP identifier SP mod-rights`; RFC 4314 §3.1: `+` adds, `-` removes, neither replaces. */
export function parseSetAcl(cursor: Cursor): Verb | undefined {
  const subject = subjectAt(cursor);
  if (subject === undefined || !cursor.space()) return undefined;
  const text = cursor.astring();
  if (text === undefined) return undefined;
  const mode = text.startsWith('+') ? 'add' : text.startsWith('-') ? 'remove' : 'replace';
  const rights = mode === 'replace' ? text : text.slice(1);
  if (!/^[a-z0-9]*$/.test(rights)) return cursor.fail('rights are lower-case letters and digits'); // RFC 4314 §7
  return { type: 'SETACL', ...subject, mode, rights };
}

/** `"DELETEACL" SP mailbox SP identifier`, `"LISTRIGHTS" ...`. */
export function parseIdentifier(cursor: Cursor, type: 'DELETEACL' | 'LISTRIGHTS'): Verb | undefined {
  const subject = subjectAt(cursor);
  return subject && { type, ...subject };
}

type Subject = Pick<CommandOf<'DELETEACL'>, 'mailbox' | 'identifier'>;

function subjectAt(cursor: Cursor): Subject | undefined {
  const mailbox = mailboxAt(cursor);
  if (mailbox === undefined || !cursor.space()) return undefined;
  const identifier = cursor.name();
  return identifier === undefined ? undefined : { mailbox, identifier };
}

/** `"GETQUOTA" SP quota-root-name`; a root's name may be empty (RFC 9208 §3.2). */
export function parseQuotaRoot(cursor: Cursor): Verb | undefined {
  const root = cursor.name();
  return root === undefined ? undefined : { type: 'GETQUOTA', root };
}

type Limit = CommandOf<'SETQUOTA'>['limits'][number];

/** `"SETQUOTA" SP quota-root-name SP "(" [setquota-resource *(SP setquota-resource)] ")"` (RFC 9208 §7). */
export function parseSetQuota(cursor: Cursor): Verb | undefined {
  const root = cursor.name();
  if (root === undefined || !cursor.space()) return undefined;
  const limit = (): Limit | undefined => {
    const resource = cursor.word();
    if (resource === undefined || !cursor.space()) return undefined;
    const number = cursor.number64();
    return number === undefined ? undefined : { resource, limit: number };
  };
  const limits = cursor.list(limit, { mayBeEmpty: true });
  return limits && { type: 'SETQUOTA', root, limits };
}
