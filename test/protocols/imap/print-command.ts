/**
 * Any command, and the same on the wire in one of its many forms: strings as atoms, quoted, or as literals of either kind, and
 * keywords in any case. For the property that what is printed is parsed back.
 */
import fc from 'fast-check';
import type { Command, CommandOf, SearchReturn, TaggedCommand } from '../../../protocols/imap/command.ts';
import { type CalendarDate, printDate } from '../../../protocols/imap/date-time.ts';
import type { FetchItem, Partial, Section } from '../../../protocols/imap/fetch-item.ts';
import type { SearchKey } from '../../../protocols/imap/search-key.ts';
import { printSequenceSet, type SequenceSet } from '../../../protocols/imap/sequence-set.ts';

/** Next of a stream of choices, 0 to 255. */
export type Pick = () => number;

const ATOM = /^[!#$&'+,\-./0-9:;<=>?@A-Z^_`a-z|}~]+$/;

/** In any of the forms that it can have; `text` is one character an octet. */
function string(text: string, pick: Pick, forms: 'astring' | 'string' = 'astring'): string {
  const form = pick() % 4;
  if (forms === 'astring' && form === 0 && ATOM.test(text)) return text;
  if (form <= 1 && !/[\r\n]/.test(text)) return `"${text.replace(/["\\]/g, '\\$&')}"`;
  return `{${text.length}${form === 2 ? '' : '+'}}\r\n${text}`;
}

const octets = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');
const utf8 = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');

/** A keyword in some case. */
const word = (text: string, pick: Pick): string =>
  [...text].map((c) => (pick() % 2 === 0 ? c.toUpperCase() : c.toLowerCase())).join('');

export function printCommand(command: TaggedCommand, pick: Pick): string {
  const uid = 'uid' in command && command.uid ? `${word('UID', pick)} ` : '';
  const parts = [command.tag, uid + word(command.type, pick), ...argumentsOf(command, pick)];
  return `${parts.join(' ')}\r\n`;
}

/** Of APPEND all but what comes behind the head of its literal. */
function argumentsOf(command: TaggedCommand, pick: Pick): string[] {
  const text = (value: string) => string(utf8(value), pick);
  const list = (items: readonly string[]) => `(${items.join(' ')})`;
  switch (command.type) {
    case 'AUTHENTICATE': {
      const { mechanism, initial } = command;
      if (initial === undefined) return [word(mechanism, pick)];
      return [word(mechanism, pick), initial.length === 0 ? '=' : Buffer.from(initial).toString('base64')];
    }
    case 'LOGIN':
      return [text(command.name), text(command.secret)];
    case 'ENABLE':
      return command.capabilities.map((one) => word(one, pick));
    case 'ID': {
      if (command.fields === null) return [word('NIL', pick)];
      const nstring = (value: string | null) =>
        value === null ? word('NIL', pick) : string(utf8(value), pick, 'string');
      return [list(command.fields.map(([f, v]) => `${string(utf8(f), pick, 'string')} ${nstring(v)}`))];
    }
    case 'COMPRESS':
      return [word(command.mechanism, pick)];
    case 'SELECT':
    case 'EXAMINE': {
      const { condstore, qresync } = command;
      const parameters = [
        ...(condstore ? [word('CONDSTORE', pick)] : []),
        ...(qresync === undefined ? [] : [`${word('QRESYNC', pick)} ${printQresync(qresync)}`]),
      ];
      return [text(command.mailbox), ...(parameters.length === 0 ? [] : [list(parameters)])];
    }
    case 'CREATE': {
      const use = command.specialUse.map((one) => word(one, pick));
      return [text(command.mailbox), ...(use.length === 0 ? [] : [`(${word('USE', pick)} ${list(use)})`])];
    }
    case 'DELETE':
    case 'SUBSCRIBE':
    case 'UNSUBSCRIBE':
    case 'GETACL':
    case 'MYRIGHTS':
    case 'GETQUOTAROOT':
      return [text(command.mailbox)];
    case 'RENAME':
      return [text(command.from), text(command.to)];
    case 'LIST':
      return printList(command, pick);
    case 'LSUB':
      return [text(command.reference), text(command.pattern)];
    case 'STATUS':
      return [text(command.mailbox), list(command.items.map((one) => word(one, pick)))];
    case 'APPEND':
      throw new Error('an APPEND is printed by the tests of the decoder');
    case 'EXPUNGE':
      return command.uid ? [printSequenceSet(command.set)] : [];
    case 'FETCH': {
      const { changedSince, vanished } = command;
      const items = command.items.map((one) => printFetchItem(one, pick));
      const modifiers = [
        ...(changedSince === undefined ? [] : [`${word('CHANGEDSINCE', pick)} ${changedSince}`]),
        ...(vanished ? [word('VANISHED', pick)] : []),
      ];
      const bare = items.length === 1 && pick() % 2 === 0;
      return [
        printSequenceSet(command.set),
        bare ? items[0]! : list(items),
        ...(modifiers.length === 0 ? [] : [list(modifiers)]),
      ];
    }
    case 'STORE': {
      const sign = { replace: '', add: '+', remove: '-' }[command.mode];
      const name = `${sign}${word('FLAGS', pick)}${command.silent ? word('.SILENT', pick) : ''}`;
      const flags = command.flags.map((flag) => (flag.startsWith('\\') ? word(flag, pick) : flag));
      return [
        printSequenceSet(command.set),
        ...(command.unchangedSince === undefined
          ? []
          : [`(${word('UNCHANGEDSINCE', pick)} ${command.unchangedSince})`]),
        name,
        flags.length > 0 && pick() % 2 === 0 ? flags.join(' ') : list(flags),
      ];
    }
    case 'COPY':
    case 'MOVE':
      return [printSequenceSet(command.set), text(command.mailbox)];
    case 'SEARCH':
      return [
        ...printReturns(command.returns, pick),
        ...(command.charset === undefined ? [] : [word('CHARSET', pick), word(command.charset, pick)]),
        ...printProgram(command.key, pick),
      ];
    case 'SORT': {
      const criteria = command.criteria.map(({ by, reverse }) => word(reverse ? `REVERSE ${by}` : by, pick));
      return [
        ...printReturns(command.returns, pick),
        list(criteria),
        word(command.charset, pick),
        ...printProgram(command.key, pick),
      ];
    }
    case 'THREAD':
      return [word(command.algorithm, pick), word(command.charset, pick), ...printProgram(command.key, pick)];
    case 'SETACL': {
      const sign = { replace: '', add: '+', remove: '-' }[command.mode];
      return [text(command.mailbox), text(command.identifier), string(sign + command.rights, pick)];
    }
    case 'DELETEACL':
    case 'LISTRIGHTS':
      return [text(command.mailbox), text(command.identifier)];
    case 'GETQUOTA':
      return [text(command.root)];
    case 'SETQUOTA':
      return [text(command.root), list(command.limits.map((one) => `${word(one.resource, pick)} ${one.limit}`))];
    case 'GETMETADATA': {
      const options = [
        ...(command.maxSizeOctets === undefined ? [] : [`${word('MAXSIZE', pick)} ${command.maxSizeOctets}`]),
        ...(command.depth === 0 ? [] : [`${word('DEPTH', pick)} ${word(`${command.depth}`, pick)}`]),
      ];
      const printed = options.length === 0 ? [] : [list(options)];
      const before = pick() % 2 === 0 ? printed : [];
      const behind = before.length === 0 ? printed : [];
      const entries = list(command.entries.map((entry) => string(entry, pick)));
      return [...before, text(command.mailbox), ...behind, entries];
    }
    case 'SETMETADATA': {
      const value = (one: Uint8Array | null) => {
        if (one === null) return word('NIL', pick);
        const isText = !one.includes(0) && pick() % 2 === 0;
        return isText ? string(octets(one), pick, 'string') : `~{${one.length}+}\r\n${octets(one)}`;
      };
      return [text(command.mailbox), list(command.entries.map((e) => `${string(e.name, pick)} ${value(e.value)}`))];
    }
    default:
      return [];
  }
}

function printQresync({ uidValidity, modSeq, knownUids, match }: NonNullable<CommandOf<'SELECT'>['qresync']>): string {
  const known = knownUids === undefined ? '' : ` ${printSequenceSet(knownUids)}`;
  const matched = match === undefined ? '' : ` (${printSequenceSet(match.sequence)} ${printSequenceSet(match.uids)})`;
  return `(${uidValidity} ${modSeq}${known}${matched})`;
}

function printList(command: CommandOf<'LIST'>, pick: Pick): string[] {
  const text = (value: string) => string(utf8(value), pick);
  const { selection, returns, status, patterns, isExtended } = command;
  const options = [
    ...returns.map((one) => word(one, pick)),
    ...(status === undefined ? [] : [`${word('STATUS', pick)} (${status.map((one) => word(one, pick)).join(' ')})`]),
  ];
  const select = `(${selection.map((one) => word(one, pick)).join(' ')})`;
  const listed = `(${patterns.map(text).join(' ')})`;
  return [
    ...(isExtended ? [select] : []),
    text(command.reference),
    isExtended ? listed : text(patterns[0]!),
    ...(options.length === 0 ? [] : [word('RETURN', pick), `(${options.join(' ')})`]),
  ];
}

const printReturns = (returns: readonly SearchReturn[] | undefined, pick: Pick): string[] =>
  returns === undefined
    ? []
    : [
        word('RETURN', pick),
        `(${returns.length === 1 && returns[0] === 'ALL' && pick() % 2 === 0 ? '' : returns.join(' ')})`,
      ];

const printSection = (section: Section, pick: Pick): string => {
  const { part, text, fields } = section;
  const name = text === undefined ? '' : word(text, pick);
  const names = fields === undefined ? '' : ` (${fields.map((field) => string(field, pick)).join(' ')})`;
  return `[${part.join('.')}${part.length > 0 && name !== '' ? '.' : ''}${name}${names}]`;
};

const printPartial = (partial: Partial | undefined): string =>
  partial === undefined ? '' : `<${partial.offsetOctets}.${partial.lengthOctets}>`;

function printFetchItem(item: FetchItem, pick: Pick): string {
  switch (item.item) {
    case 'BODY[]':
      return `${word(item.peek ? 'BODY.PEEK' : 'BODY', pick)}${printSection(item.section, pick)}${printPartial(item.partial)}`;
    case 'BINARY':
      return `${word(item.peek ? 'BINARY.PEEK' : 'BINARY', pick)}[${item.part.join('.')}]${printPartial(item.partial)}`;
    case 'BINARY.SIZE':
      return `${word(item.item, pick)}[${item.part.join('.')}]`;
    case 'PREVIEW':
      return word(item.lazy ? 'PREVIEW (LAZY)' : 'PREVIEW', pick);
    default:
      return word(item.item, pick);
  }
}

/** The keys of a whole program stand without parentheses. */
const printProgram = (key: SearchKey, pick: Pick): string[] =>
  key.key === 'AND' ? key.keys.map((one) => printKey(one, pick)) : [printKey(key, pick)];

function printKey(key: SearchKey, pick: Pick): string {
  switch (key.key) {
    case 'AND':
      return `(${key.keys.map((one) => printKey(one, pick)).join(' ')})`;
    case 'OR':
      return `${word('OR', pick)} ${printKey(key.either, pick)} ${printKey(key.or, pick)}`;
    case 'NOT':
      return `${word('NOT', pick)} ${printKey(key.not, pick)}`;
    case 'FLAG':
      return word(`${key.isSet ? '' : 'UN'}${key.flag.slice(1)}`, pick);
    case 'KEYWORD':
      return `${word(key.isSet ? 'KEYWORD' : 'UNKEYWORD', pick)} ${key.flag}`;
    case 'SEQUENCE':
      return printSequenceSet(key.set);
    case 'UID':
      return `${word('UID', pick)} ${printSequenceSet(key.set)}`;
    case 'LARGER':
    case 'SMALLER':
      return `${word(key.key, pick)} ${key.sizeOctets}`;
    case 'OLDER':
    case 'YOUNGER':
      return `${word(key.key, pick)} ${key.intervalSeconds}`;
    case 'HEADER':
      return `${word(key.key, pick)} ${string(key.field, pick)} ${string(octets(key.octets), pick)}`;
    case 'MODSEQ':
      return `${word(key.key, pick)} ${pick() % 2 === 0 ? '"/flags/\\\\draft" all ' : ''}${key.modSeq}`;
    case 'EMAILID':
    case 'THREADID':
      return `${word(key.key, pick)} ${string(key.id, pick)}`;
    default:
      break;
  }
  if ('date' in key)
    return `${word(key.key, pick)} ${pick() % 2 === 0 ? printDate(key.date) : `"${printDate(key.date)}"`}`;
  if ('octets' in key) return `${word(key.key, pick)} ${string(octets(key.octets), pick)}`;
  return word(key.key, pick);
}

// What to print.

const number = fc.integer({ min: 1, max: 4_294_967_295 });
const known = fc.oneof(fc.integer({ min: 1, max: 9 }), number);
const end = fc.oneof({ weight: 5, arbitrary: known }, { weight: 1, arbitrary: fc.constant('*' as const) });
const set: fc.Arbitrary<SequenceSet> = fc.oneof(
  { weight: 9, arbitrary: fc.array(fc.record({ from: end, to: end }), { minLength: 1, maxLength: 5 }) },
  { weight: 1, arbitrary: fc.constant('$' as const) },
);
const knownSet = fc.array(fc.record({ from: known, to: known }), { minLength: 1, maxLength: 5 });
const modSeq = fc.oneof(fc.nat(9), fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }));
const text = fc.oneof(
  fc.string({ maxLength: 12 }),
  fc.string({ unit: 'binary', maxLength: 8 }).map((s) => s.replaceAll('\0', '')),
  fc.constantFrom('', 'INBOX', 'a/b', 'NIL', '"', '\\', 'x\r\ny', '{5+}', '{5+}\r\n', '&AOk-', 'a]b', '日本語'),
);
const name = text.map((s) => s.replace(/\p{Cc}/gu, ''));
const someOctets = fc.uint8Array({ maxLength: 12 }).map((bytes) => bytes.filter((octet) => octet !== 0));
const tag = fc.oneof(fc.stringMatching(/^[A-Za-z0-9.]{1,8}$/), fc.constantFrom('a]', 'NIL', '1', '$', '/', 'UID'));
const atom = fc.stringMatching(/^[A-Za-z0-9$._-]{1,12}$/);
const upper = fc.stringMatching(/^[A-Z][A-Z0-9=-]{0,9}$/);
const flag = fc.oneof(
  fc.constantFrom('\\Seen', '\\Answered', '\\Flagged', '\\Deleted', '\\Draft', '$Forwarded', 'NIL', 'work'),
  atom,
);
const flags = fc.uniqueArray(flag, { maxLength: 6 });
const uid = fc.boolean();
const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
const status = fc.uniqueArray(
  fc.constantFrom(
    ...(['MESSAGES', 'RECENT', 'UIDNEXT', 'UIDVALIDITY', 'UNSEEN', 'DELETED', 'SIZE', 'HIGHESTMODSEQ'] as const),
    ...(['MAILBOXID', 'APPENDLIMIT', 'DELETED-STORAGE'] as const),
  ),
  { minLength: 1 },
);
const date: fc.Arbitrary<CalendarDate> = fc.record({
  year: fc.integer({ min: 0, max: 9999 }),
  month: fc.integer({ min: 1, max: 12 }),
  day: fc.integer({ min: 1, max: 28 }),
});

const part = fc.array(known, { maxLength: 4 });
const size = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
const partial = optional(fc.record({ offsetOctets: size, lengthOctets: size.map((n) => n || 1) }));
const field = fc.stringMatching(/^[\x20-\x7e]{1,12}$/);
const section: fc.Arbitrary<Section> = fc.oneof(
  fc.record({ part }),
  fc.record({ part, text: fc.constantFrom('HEADER' as const, 'TEXT' as const) }),
  fc.record({ part: part.map((p) => [1, ...p]), text: fc.constant('MIME' as const) }),
  fc.record({
    part,
    text: fc.constantFrom('HEADER.FIELDS' as const, 'HEADER.FIELDS.NOT' as const),
    fields: fc.array(field, { minLength: 1, maxLength: 4 }),
  }),
);
const fetchItem: fc.Arbitrary<FetchItem> = fc.oneof(
  fc.record({
    item: fc.constantFrom(
      ...(['ENVELOPE', 'FLAGS', 'INTERNALDATE', 'RFC822.SIZE', 'UID', 'BODY', 'BODYSTRUCTURE', 'MODSEQ'] as const),
      ...(['EMAILID', 'THREADID', 'SAVEDATE', 'RFC822', 'RFC822.HEADER', 'RFC822.TEXT'] as const),
    ),
  }),
  fc.record({ item: fc.constant('PREVIEW' as const), lazy: fc.boolean() }),
  fc.record({ item: fc.constant('BODY[]' as const), section, partial, peek: fc.boolean() }),
  fc.record({ item: fc.constant('BINARY' as const), part, partial, peek: fc.boolean() }),
  fc.record({ item: fc.constant('BINARY.SIZE' as const), part }),
);

/** No AND of one key: that is the key itself. */
const searchKey = fc.letrec<{ key: SearchKey }>((tie) => ({
  key: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.record({ key: fc.constantFrom('ALL' as const, 'NEW' as const, 'OLD' as const, 'SAVEDATESUPPORTED' as const) }),
    fc.record({
      key: fc.constant('FLAG' as const),
      flag: fc.constantFrom('\\Seen' as const, '\\Draft' as const, '\\Answered' as const),
      isSet: fc.boolean(),
    }),
    fc.record({ key: fc.constant('KEYWORD' as const), flag: atom, isSet: fc.boolean() }),
    fc.record({ key: fc.constantFrom('SEQUENCE' as const, 'UID' as const), set }),
    fc.record({ key: fc.constantFrom('LARGER' as const, 'SMALLER' as const), sizeOctets: size }),
    fc.record({ key: fc.constantFrom('OLDER' as const, 'YOUNGER' as const), intervalSeconds: number }),
    fc.record({ key: fc.constantFrom('BEFORE' as const, 'SENTON' as const, 'SAVEDSINCE' as const), date }),
    fc.record({ key: fc.constantFrom('FROM' as const, 'TEXT' as const, 'SUBJECT' as const), octets: someOctets }),
    fc.record({ key: fc.constant('HEADER' as const), field, octets: someOctets }),
    fc.record({ key: fc.constant('MODSEQ' as const), modSeq }),
    fc.record({
      key: fc.constantFrom('EMAILID' as const, 'THREADID' as const),
      id: fc.stringMatching(/^[A-Za-z0-9_-]{1,20}$/),
    }),
    fc.record({ key: fc.constant('NOT' as const), not: tie('key') }),
    fc.record({ key: fc.constant('OR' as const), either: tie('key'), or: tie('key') }),
    fc.record({ key: fc.constant('AND' as const), keys: fc.array(tie('key'), { minLength: 2, maxLength: 3 }) }),
  ) as fc.Arbitrary<SearchKey>,
})).key;

const returns = optional(
  fc.uniqueArray(fc.constantFrom<SearchReturn>('MIN', 'MAX', 'ALL', 'COUNT', 'SAVE'), { minLength: 1 }),
);
const mode = fc.constantFrom('replace' as const, 'add' as const, 'remove' as const);
const entry = fc.stringMatching(/^\/(private|shared)\/[a-z]{1,8}( x)?$/);
const type = <T extends string>(...types: T[]) => fc.constantFrom(...types);

const verbs = [
  fc.record({
    type: type('CAPABILITY', 'NOOP', 'LOGOUT', 'STARTTLS', 'NAMESPACE', 'IDLE', 'CHECK', 'CLOSE', 'UNSELECT'),
  }),
  fc.record({
    type: type('AUTHENTICATE'),
    mechanism: fc.stringMatching(/^[A-Z][A-Z0-9_-]{0,9}$/),
    initial: optional(fc.uint8Array({ maxLength: 20 })),
  }),
  fc.record({ type: type('LOGIN'), name: text, secret: text }),
  fc.record({ type: type('ENABLE'), capabilities: fc.array(upper, { minLength: 1, maxLength: 4 }) }),
  fc.record({
    type: type('ID'),
    fields: fc.option(fc.array(fc.tuple(atom, fc.option(text, { nil: null })), { maxLength: 4 }), { nil: null }),
  }),
  fc.record({ type: type('COMPRESS'), mechanism: upper }),
  fc.record({
    type: type('SELECT', 'EXAMINE'),
    mailbox: text,
    condstore: fc.boolean(),
    qresync: optional(
      fc.record({
        uidValidity: number,
        modSeq,
        knownUids: optional(knownSet),
        match: optional(fc.record({ sequence: knownSet, uids: knownSet })),
      }),
    ),
  }),
  fc.record({
    type: type('CREATE'),
    mailbox: text,
    specialUse: fc.uniqueArray(fc.constantFrom('\\Sent', '\\Drafts', '\\Junk', '\\Archive'), { maxLength: 2 }),
  }),
  fc.record({
    type: type('DELETE', 'SUBSCRIBE', 'UNSUBSCRIBE', 'GETACL', 'MYRIGHTS', 'GETQUOTAROOT'),
    mailbox: text,
  }),
  fc.record({ type: type('RENAME'), from: text, to: text }),
  fc.record({ type: type('LSUB'), reference: text, pattern: text }),
  fc.record({
    type: type('LIST'),
    reference: text,
    patterns: fc.tuple(text),
    selection: fc.constant([]),
    returns: fc.constant([]),
    isExtended: fc.constant(false),
  }),
  fc.record({
    type: type('LIST'),
    reference: text,
    patterns: fc.array(text, { minLength: 1, maxLength: 4 }),
    selection: fc.constantFrom([], ['SUBSCRIBED', 'REMOTE'], ['SPECIAL-USE'], ['SUBSCRIBED', 'RECURSIVEMATCH']),
    returns: fc.uniqueArray(fc.constantFrom('SUBSCRIBED', 'CHILDREN', 'SPECIAL-USE', 'MYRIGHTS')),
    status: optional(status),
    isExtended: fc.constant(true),
  }),
  fc.record({ type: type('STATUS'), mailbox: text, items: status }),
  fc.record({ type: type('EXPUNGE'), uid: fc.constant(false) }),
  fc.record({ type: type('EXPUNGE'), uid: fc.constant(true), set }),
  fc.record({
    type: type('FETCH'),
    uid,
    set,
    items: fc.uniqueArray(fetchItem, { minLength: 1, maxLength: 5, selector: (item) => JSON.stringify(item) }),
    changedSince: optional(modSeq),
    vanished: fc.constant(false),
  }),
  fc.record({
    type: type('FETCH'),
    uid: fc.constant(true),
    set,
    items: fc.tuple(fetchItem),
    changedSince: modSeq,
    vanished: fc.constant(true),
  }),
  fc.record({ type: type('STORE'), uid, set, mode, flags, silent: fc.boolean(), unchangedSince: optional(modSeq) }),
  fc.record({ type: type('COPY', 'MOVE'), uid, set, mailbox: text }),
  fc.record({ type: type('SEARCH'), uid, returns, charset: fc.constantFrom(undefined, 'UTF-8'), key: searchKey }),
  fc.record({
    type: type('SORT'),
    uid,
    criteria: fc.array(
      fc.record({ by: fc.constantFrom('ARRIVAL', 'CC', 'DATE', 'SIZE', 'DISPLAYTO'), reverse: fc.boolean() }),
      { minLength: 1, maxLength: 3 },
    ),
    returns,
    charset: fc.constantFrom('UTF-8', 'US-ASCII'),
    key: searchKey,
  }),
  fc.record({
    type: type('THREAD'),
    uid,
    algorithm: fc.constantFrom('REFERENCES', 'ORDEREDSUBJECT'),
    charset: fc.constantFrom('UTF-8', 'ISO-8859-1'),
    key: searchKey,
  }),
  fc.record({
    type: type('SETACL'),
    mailbox: text,
    identifier: name,
    mode,
    rights: fc.stringMatching(/^[a-z0-9]{0,9}$/),
  }),
  fc.record({ type: type('DELETEACL', 'LISTRIGHTS'), mailbox: text, identifier: name }),
  fc.record({ type: type('GETQUOTA'), root: name }),
  fc.record({
    type: type('SETQUOTA'),
    root: name,
    limits: fc.array(fc.record({ resource: fc.constantFrom('STORAGE', 'MESSAGE'), limit: size }), { maxLength: 3 }),
  }),
  fc.record({
    type: type('GETMETADATA'),
    mailbox: text,
    entries: fc.array(entry, { minLength: 1, maxLength: 3 }),
    maxSizeOctets: optional(fc.nat()),
    depth: fc.constantFrom(0, 1, 'infinity'),
  }),
  fc.record({
    type: type('SETMETADATA'),
    mailbox: text,
    entries: fc.array(fc.record({ name: entry, value: fc.option(fc.uint8Array({ maxLength: 20 }), { nil: null }) }), {
      minLength: 1,
      maxLength: 3,
    }),
  }),
] as const;

/** Each command but APPEND, whose message comes apart, with its tag. */
export const anyCommand: fc.Arbitrary<TaggedCommand> = fc
  .tuple(fc.oneof(...(verbs as readonly fc.Arbitrary<object>[])), tag)
  .map(([verb, tag]) => ({ ...verb, tag }) as TaggedCommand); // the arbitraries above are the union, member by member

export const choices = fc.array(fc.nat(255), { minLength: 1, maxLength: 40 });

export function picker(from: readonly number[]): Pick {
  let at = 0;
  return () => from[at++ % from.length]!;
}

/** For comparison: without fields that are undefined, and octets as plain arrays. */
export function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return { octets: [...value] };
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([, one]) => one !== undefined);
  return Object.fromEntries(entries.map(([key, one]) => [key, plain(one)]));
}

export const plainCommand = (command: Command): unknown => plain(command);
