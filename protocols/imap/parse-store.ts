/** STORE (RFC 9051 §6.4.6, RFC 7162 §3.1.3), COPY, MOVE and EXPUNGE with their UID forms (RFC 9051 §6.4.3, §6.4.7 to §6.4.9). */
import type { Verb } from './command.ts';
import type { Cursor } from './cursor.ts';
import { mailboxAt } from './parse-mailbox.ts';

/** `"EXPUNGE"`, `"UID" SP "EXPUNGE" SP sequence-set`. The cursor stands right behind the keyword. */
export function parseExpunge(cursor: Cursor, uid: boolean): Verb | undefined {
  if (!uid) return { type: 'EXPUNGE', uid };
  const set = cursor.space() && cursor.sequenceSet();
  return set && { type: 'EXPUNGE', uid, set };
}

/** `"COPY" SP sequence-set SP mailbox`, `"MOVE" ...`. */
export function parseCopy(cursor: Cursor, type: 'COPY' | 'MOVE', uid: boolean): Verb | undefined {
  const set = cursor.sequenceSet();
  if (set === undefined || !cursor.space()) return undefined;
  const mailbox = mailboxAt(cursor);
  return mailbox === undefined ? undefined : { type, uid, set, mailbox };
}

const MODES = { '': 'replace', '+': 'add', '-': 'remove' } as const;

/** `"STORE" SP sequence-set [SP store-modifiers] SP store-att-flags` (RFC 9051 §9, RFC 4466 §2.5). */
export function parseStore(cursor: Cursor, uid: boolean): Verb | undefined {
  const set = cursor.sequenceSet();
  if (set === undefined || !cursor.space()) return undefined;
  let unchangedSince: number | undefined;
  if (cursor.isNextOf('(')) {
    unchangedSince = unchangedSinceAt(cursor);
    if (unchangedSince === undefined || !cursor.space()) return undefined;
  }
  const [, sign, silent] = /^([+-]?)FLAGS(\.SILENT)?$/.exec(cursor.word() ?? '') ?? [];
  if (sign === undefined) return cursor.fail('an unknown data item');
  const flags = cursor.space() && flagsAt(cursor);
  if (flags === undefined) return undefined;
  return {
    type: 'STORE',
    uid,
    set,
    mode: MODES[sign as keyof typeof MODES], // the expression above lets no other in
    flags: [...new Set(flags)],
    silent: silent !== undefined,
    ...(unchangedSince === undefined ? {} : { unchangedSince }),
  };
}

/** `"(" "UNCHANGEDSINCE" SP mod-sequence-valzer ")"`: one only (RFC 7162 §7). */
function unchangedSinceAt(cursor: Cursor): number | undefined {
  if (!cursor.opens()) return undefined;
  if (cursor.word() !== 'UNCHANGEDSINCE') return cursor.fail('an unknown option');
  const modSeq = cursor.space() && cursor.number64();
  return modSeq !== undefined && cursor.closes() ? modSeq : undefined;
}

/** `flag-list / (flag *(SP flag))`. */
function flagsAt(cursor: Cursor): string[] | undefined {
  if (cursor.isNextOf('(')) return cursor.list(() => cursor.flag(), { mayBeEmpty: true });
  const flags: string[] = [];
  do {
    const flag = cursor.flag();
    if (flag === undefined) return undefined;
    flags.push(flag);
  } while (!cursor.isAtEnd && cursor.takes(' '));
  return flags;
}
