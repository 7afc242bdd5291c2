/**
 * Commands out of what the cutter cut: the tag, the keyword, and whose grammar reads the rest (RFC 9051 §9 `command`). Knows no state:
 * what may come when is the session's to say. Pure; never throws on input.
 */
import type { BareKeyword, Command, Malformation, Verb } from './command.ts';
import { Cursor, isAstringChar } from './cursor.ts';
import type { CutText } from './literals.ts';
import { parseAuthenticate, parseCompress, parseEnable, parseId, parseLogin } from './parse-access.ts';
import { parseFetch } from './parse-fetch.ts';
import { parseList, parseLsub } from './parse-list.ts';
import { parseCreate, parseMailbox, parseRename, parseSelect, parseStatus } from './parse-mailbox.ts';
import { parseGetMetadata, parseSetMetadata } from './parse-metadata.ts';
import { parseIdentifier, parseQuotaRoot, parseSetAcl, parseSetQuota } from './parse-rights.ts';
import { parseSearch, parseSort, parseThread } from './parse-search.ts';
import { parseCopy, parseExpunge, parseStore } from './parse-store.ts';

/** Longer tags are no tags: they go back with each answer. */
const MAX_TAG_OCTETS = 256;

export const malformed = (tag: string | undefined, reason: Malformation): Command => ({
  type: 'malformed',
  ...(tag === undefined ? {} : { tag }),
  reason,
});

/** `tag = 1*<any ASTRING-CHAR except "+">` (RFC 9051 §9) at the beginning of a line, with a space or the end behind it. */
export function tagOf(text: string): string | undefined {
  const most = Math.min(text.length, MAX_TAG_OCTETS + 1);
  let end = 0;
  while (end < most && isAstringChar(text.charCodeAt(end)) && text[end] !== '+') end += 1;
  const isTag = end > 0 && end <= MAX_TAG_OCTETS && (end === text.length || text[end] === ' ');
  return isTag ? text.slice(0, end) : undefined;
}

/** Never APPEND, whose message literal nobody holds. */
export function parseCommand(cut: CutText): Command {
  const tag = tagOf(cut.text);
  if (hasBareControl(cut.text)) return malformed(tag, 'NUL, CR or LF in a command');
  if (tag === undefined) return malformed(undefined, 'no tag');
  const cursor = new Cursor(cut, tag.length);
  const { keyword, uid } = keywordAt(cursor);
  if (keyword === undefined) return malformed(tag, cursor.isAtEnd ? 'no command' : 'unknown command');
  if (uid && !TAKES_UID.includes(keyword)) return malformed(tag, UID_MISPLACED);
  if (!isKnown(keyword)) return malformed(tag, 'unknown command');
  const verb = verbOf(keyword, uid, cursor);
  if (verb === undefined) return malformed(tag, `${keyword}: ${cursor.flaw ?? 'an unknown option'}`);
  if (!cursor.isAtEnd) return malformed(tag, `${keyword}: too many arguments`);
  return { ...verb, tag };
}

/** NUL anywhere, or CR or LF elsewhere than behind a literal's head: the cutter lets no other LF in, but it does CR. */
export const hasBareControl = (text: string): boolean => /\0|\r(?!\n)/.test(text);

function keywordAt(cursor: Cursor): { readonly keyword: string | undefined; readonly uid: boolean } {
  if (!cursor.takes(' ')) return { keyword: undefined, uid: false };
  const keyword = cursor.word();
  if (keyword !== 'UID') return { keyword, uid: false };
  return { keyword: cursor.takes(' ') ? (cursor.word() ?? '') : '', uid: true };
}

const UID_MISPLACED = 'UID goes before COPY, EXPUNGE, FETCH, MOVE, SEARCH, SORT, STORE or THREAD';
const TAKES_UID: readonly string[] = ['COPY', 'EXPUNGE', 'FETCH', 'MOVE', 'SEARCH', 'SORT', 'STORE', 'THREAD'];

const BARE: readonly string[] = [
  'CAPABILITY',
  'NOOP',
  'LOGOUT',
  'STARTTLS',
  'NAMESPACE',
  'IDLE',
  'CHECK',
  'CLOSE',
  'UNSELECT',
] satisfies BareKeyword[];
const isBare = (keyword: string): keyword is BareKeyword => BARE.includes(keyword);

const WITH_ARGUMENTS: readonly string[] = [
  ...TAKES_UID,
  'AUTHENTICATE',
  'LOGIN',
  'ENABLE',
  'ID',
  'COMPRESS',
  'SELECT',
  'EXAMINE',
  'CREATE',
  'DELETE',
  'SUBSCRIBE',
  'UNSUBSCRIBE',
  'RENAME',
  'LIST',
  'LSUB',
  'STATUS',
  'SETACL',
  'DELETEACL',
  'LISTRIGHTS',
  'GETACL',
  'MYRIGHTS',
  'GETQUOTA',
  'GETQUOTAROOT',
  'SETQUOTA',
  'GETMETADATA',
  'SETMETADATA',
  'APPEND',
] satisfies (Verb['type'] | string)[];
const isKnown = (keyword: string): boolean => isBare(keyword) || WITH_ARGUMENTS.includes(keyword);

/** Reads what stands behind a keyword that is known; undefined where it does not fit, and then the cursor knows why. */
function verbOf(keyword: string, uid: boolean, cursor: Cursor): Verb | undefined {
  if (isBare(keyword)) return { type: keyword };
  if (keyword === 'EXPUNGE') return parseExpunge(cursor, uid);
  if (!cursor.space()) return undefined;
  switch (keyword) {
    case 'FETCH':
      return parseFetch(cursor, uid);
    case 'STORE':
      return parseStore(cursor, uid);
    case 'COPY':
    case 'MOVE':
      return parseCopy(cursor, keyword, uid);
    case 'SEARCH':
      return parseSearch(cursor, uid);
    case 'SORT':
      return parseSort(cursor, uid);
    case 'THREAD':
      return parseThread(cursor, uid);
    case 'AUTHENTICATE':
      return parseAuthenticate(cursor);
    case 'LOGIN':
      return parseLogin(cursor);
    case 'ENABLE':
      return parseEnable(cursor);
    case 'ID':
      return parseId(cursor);
    case 'COMPRESS':
      return parseCompress(cursor);
    case 'SELECT':
    case 'EXAMINE':
      return parseSelect(cursor, keyword);
    case 'CREATE':
      return parseCreate(cursor);
    case 'DELETE':
    case 'SUBSCRIBE':
    case 'UNSUBSCRIBE':
    case 'GETACL':
    case 'MYRIGHTS':
    case 'GETQUOTAROOT':
      return parseMailbox(cursor, keyword);
    case 'RENAME':
      return parseRename(cursor);
    case 'LIST':
      return parseList(cursor);
    case 'LSUB':
      return parseLsub(cursor);
    case 'STATUS':
      return parseStatus(cursor);
    case 'SETACL':
      return parseSetAcl(cursor);
    case 'DELETEACL':
    case 'LISTRIGHTS':
      return parseIdentifier(cursor, keyword);
    case 'GETQUOTA':
      return parseQuotaRoot(cursor);
    case 'SETQUOTA':
      return parseSetQuota(cursor);
    case 'GETMETADATA':
      return parseGetMetadata(cursor);
    case 'SETMETADATA':
      return parseSetMetadata(cursor);
    default:
      return cursor.fail('a message literal was expected'); // an APPEND that came to its end without one
  }
}
