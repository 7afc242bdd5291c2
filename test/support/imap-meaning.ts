/**
 * What a response of IMAP means, so that two of them can be compared where RFC 9051 and its extensions leave the words, the
 * order or the case to the server. Strict in all else; knows nothing of Homing.
 */

/** NIL is no string. Of a code `[...]` and of what a section `BODY[...]` names the brackets stay. */
export type Token = string | null | readonly Token[];

/** The rest of a response behind `* `, literals within. Reads on over what is not well formed: it will compare as different. */
export function tokens(text: string): readonly Token[] {
  const stack: Token[][] = [[]];
  const rest = /\s*(?:(\()|(\))|"((?:[^"\\]|\\.)*)"|~?\{(\d+)\}\r\n|((?:\[[^\]]*\]|[^\s()"[])+))/y;
  while (rest.lastIndex < text.length) {
    const from = rest.lastIndex;
    const [whole, opens, closes, quoted, literal, atom] = rest.exec(text) ?? [];
    if (whole === undefined) {
      stack.at(-1)!.push(text.slice(from).trim());
      break;
    }
    if (opens) stack.push([]);
    else if (closes && stack.length > 1) {
      const list = stack.pop()!;
      stack.at(-1)!.push(list);
    } else if (literal !== undefined) {
      const at = rest.lastIndex;
      stack.at(-1)!.push(text.slice(at, at + Number(literal)));
      rest.lastIndex = at + Number(literal);
    } else if (quoted !== undefined) stack.at(-1)!.push(quoted.replace(/\\(.)/g, '$1'));
    else if (atom !== undefined) stack.at(-1)!.push(atom.toUpperCase() === 'NIL' ? null : atom);
  }
  while (stack.length > 1) {
    const list = stack.pop()!;
    stack.at(-1)!.push(list);
  }
  return stack[0]!;
}

const isList = (token: Token | undefined): token is readonly Token[] => Array.isArray(token);
const text = (token: Token | undefined): string => (typeof token === 'string' ? token : JSON.stringify(token ?? null));
const upper = (token: Token | undefined): string => text(token).toUpperCase();
const sorted = (list: readonly Token[]): string[] => list.map((each) => text(each).toLowerCase()).sort();
const letters = (rights: Token | undefined): string => [...text(rights)].sort().join('');
const mailbox = (name: Token | undefined): string => (upper(name) === 'INBOX' ? 'INBOX' : text(name));

/** Case does not matter in what MIME says (RFC 2045 §5.1). */
const folded = (token: Token): Token =>
  isList(token) ? token.map(folded) : typeof token === 'string' ? token.toLowerCase() : token;

/** `1:3,5` as 1, 2, 3, 5. */
export function numbersOf(set: string): readonly number[] {
  return set.split(',').flatMap((range) => {
    const [first, last = first] = range.split(':').map(Number) as [number, number?];
    const [low, high] = first <= last! ? [first, last!] : [last!, first];
    return Array.from({ length: Math.min(high - low + 1, 100_000) }, (_, at) => low + at);
  });
}

/** Pairs of a name and a value, by the name. */
function items(list: readonly Token[], value: (name: string, token: Token) => string): Map<string, string> {
  const found = new Map<string, string>();
  for (let at = 0; at < list.length; at += 2) {
    const name = upper(list[at]);
    found.set(name, value(name, list[at + 1] ?? null));
  }
  return found;
}

/** The items of a FETCH. Who is the first to see a message (\Recent) RFC 3501 §2.3.2 leaves to the server. */
const messageItems = (list: readonly Token[]): Map<string, string> =>
  items(list, (name, value) => {
    if (name === 'FLAGS' && isList(value))
      return sorted(value)
        .filter((flag) => flag !== '\\recent')
        .join(' ');
    return JSON.stringify(/^BODY(STRUCTURE)?$/.test(name) ? folded(value) : value);
  });

const plain = (_: string, value: Token): string => JSON.stringify(value);

const withoutExtras = (heard: Map<string, string>, printed: Map<string, string>, ...extras: string[]): string => {
  for (const extra of extras) if (!printed.has(extra)) heard.delete(extra);
  return pairs(heard);
};
const pairs = (map: Map<string, string>): string =>
  [...map]
    .sort()
    .map(([name, value]) => `${name}=${value}`)
    .join(' ');

const hasAll = (heard: readonly string[], printed: readonly string[]): boolean =>
  printed.every((each) => heard.includes(each));

/** Attributes that a server may tell without being asked (RFC 9051 §7.3.1); `\Marked` is never said here. */
const freeAttributes = ['\\haschildren', '\\hasnochildren', '\\marked', '\\unmarked'];
const attributesOf = (list: Token | undefined, without: readonly string[]): string =>
  (isList(list) ? sorted(list) : []).filter((attribute) => !without.includes(attribute)).join(' ');

/** @returns whether what was heard says what is printed, both without `* ` and CRLF */
export function sameData(printed: string, heard: string): boolean {
  const [a, b] = [tokens(printed), tokens(heard)];
  const kind = /^\d+$/.test(text(a[0])) ? upper(a[1]) : upper(a[0]);
  const kindHeard = /^\d+$/.test(text(b[0])) ? upper(b[1]) : upper(b[0]);
  if (kind !== kindHeard) return false;
  switch (kind) {
    case 'OK':
    case 'NO':
    case 'BAD':
    case 'BYE':
    case 'PREAUTH':
      return sameCode(printed, heard);
    case 'CAPABILITY':
    case 'ENABLED':
      return hasAll(sorted(b), sorted(a));
    case 'FLAGS':
      return hasAll(sorted(b[1] as readonly Token[]), sorted(a[1] as readonly Token[]));
    case 'FETCH': {
      if (a[0] !== b[0] || !isList(a[2]) || !isList(b[2])) return false;
      const [wanted, told] = [messageItems(a[2]), messageItems(b[2])];
      return pairs(wanted) === withoutExtras(told, wanted, 'UID', 'MODSEQ');
    }
    case 'LIST':
    case 'LSUB': {
      const said = isList(a[1]) ? sorted(a[1]) : [];
      const free = freeAttributes.filter((attribute) => !said.includes(attribute) || attribute.endsWith('marked'));
      const rest = (of: readonly Token[]) =>
        JSON.stringify([of[2] ?? null, mailbox(of[3]), ...of.slice(4).map(folded)]);
      const [wanted, told] = [attributesOf(a[1], free), attributesOf(b[1], free)];
      // What is not there can't be selected: RFC 9051 §7.3.1.
      const isSame = wanted === told || wanted === told.replace('\\nonexistent', '\\noselect');
      return isSame && rest(a) === rest(b);
    }
    case 'STATUS':
      return (
        mailbox(a[1]) === mailbox(b[1]) &&
        isList(a[2]) &&
        isList(b[2]) &&
        pairs(items(a[2], plain)) === pairs(items(b[2], plain))
      );
    case 'SEARCH':
      return sorted(a).join(' ') === sorted(b).join(' ');
    case 'ESEARCH':
      return searched(a) === searched(b);
    case 'VANISHED':
      return JSON.stringify(a.slice(0, -1)) === JSON.stringify(b.slice(0, -1)) && sameNumbers(a.at(-1), b.at(-1));
    case 'ACL':
      return (
        mailbox(a[1]) === mailbox(b[1]) &&
        pairs(items(a.slice(2), (_, rights) => letters(rights))) ===
          pairs(items(b.slice(2), (_, rights) => letters(rights)))
      );
    case 'MYRIGHTS':
      return mailbox(a[1]) === mailbox(b[1]) && letters(a[2]) === letters(b[2]);
    case 'LISTRIGHTS':
      return grantable(a) === grantable(b);
    case 'METADATA':
      return (
        mailbox(a[1]) === mailbox(b[1]) &&
        isList(a[2]) &&
        isList(b[2]) &&
        pairs(items(a[2], plain)) === pairs(items(b[2], plain))
      );
    case 'THREAD':
      return JSON.stringify(a) === JSON.stringify(b);
    default: // EXISTS, RECENT, EXPUNGE, SORT, NAMESPACE, ID
      return JSON.stringify(a).toLowerCase() === JSON.stringify(b).toLowerCase();
  }
}

const sameNumbers = (a: Token | undefined, b: Token | undefined): boolean => ascending(a) === ascending(b);
const ascending = (set: Token | undefined): string => [...numbersOf(text(set))].sort((x, y) => x - y).join(',');

function searched(all: readonly Token[]): string {
  let list = all.slice(1);
  const tag = isList(list[0]) ? list[0] : undefined;
  if (tag) list = list.slice(1);
  const isUid = upper(list[0]) === 'UID';
  return `${JSON.stringify(tag)} ${isUid} ${pairs(items(isUid ? list.slice(1) : list, (_, value) => numbersOf(text(value)).join(',')))}`;
}

/** Each group of rights by its letters, the groups after the required ones in any order (RFC 4314 §3.7). */
const grantable = ([, name, identifier, required, ...groups]: readonly Token[]): string =>
  [mailbox(name), text(identifier), letters(required), ...groups.map(letters).sort()].join(' ');

/** The response code of a status response; undefined if it has none. */
export const codeOf = (status: string): string | undefined => /^\S+ \[([^\]]*)\]/.exec(status)?.[1];

/** Codes that a server adds as it likes, or as another extension bids; the others must be printed to be heard. */
const freeCodes = new Set([
  ...['CAPABILITY', 'MAILBOXID', 'COPYUID', 'APPENDUID', 'HIGHESTMODSEQ', 'READ-WRITE', 'NONEXISTENT', 'NOPERM'],
  ...['AUTHENTICATIONFAILED', 'CANNOT', 'UNAVAILABLE', 'HASCHILDREN', 'BADCHARSET', 'ALREADYEXISTS'],
]);

/**
 * Whether status and code of two status responses (`OK [CODE ...] text`, without tag) are the same. Words are the server's own
 * (RFC 9051 §7.1).
 */
export function sameCode(printed: string, heard: string): boolean {
  const status = (response: string) => response.split(' ', 1)[0]!.toUpperCase();
  if (status(printed) !== status(heard)) return false;
  const [wanted, told] = [codeOf(printed), codeOf(heard)];
  if (wanted === undefined) return told === undefined || freeCodes.has(told.split(' ')[0]!);
  if (told === undefined) return false;
  const [a, b] = [tokens(wanted), tokens(told)];
  if (upper(a[0]) !== upper(b[0])) return false;
  switch (upper(a[0])) {
    case 'CAPABILITY':
      return hasAll(sorted(b), sorted(a));
    case 'PERMANENTFLAGS': {
      const [flags, toldFlags] = [sorted(a[1] as readonly Token[]), sorted(b[1] as readonly Token[])];
      return flags.length === 0 ? toldFlags.length === 0 : hasAll(toldFlags, flags);
    }
    case 'MODIFIED':
      return sameNumbers(a[1], b[1]);
    case 'COPYUID':
      return a[1] === b[1] && sameNumbers(a[2], b[2]) && sameNumbers(a[3], b[3]);
    default:
      return JSON.stringify(a) === JSON.stringify(b);
  }
}

/** What a server may say in the answer to a SELECT or EXAMINE beside what is printed (RFC 9051 §6.3.2). */
export const isFreeWhenSelecting = (heard: string): boolean =>
  /^OK \[(CLOSED|HIGHESTMODSEQ|MAILBOXID|UIDNEXT|UIDVALIDITY|PERMANENTFLAGS|UNSEEN)\b/.test(heard) ||
  /^(\d+ RECENT|FLAGS|LIST)\b/.test(heard);

/** RFC 3501 §7.3.2: told whenever a server likes, until IMAP4rev2 is enabled. */
export const isFree = (heard: string): boolean => /^\d+ RECENT$/.test(heard);

/** The numbers that messages had before any of these was told of: EXPUNGE 3, 3 is 3 and 4. */
export function expunged(numbers: readonly number[]): string {
  const gone: number[] = []; // ascending
  for (const number of numbers) {
    let before = number;
    for (const each of gone) if (each <= before) before++;
    gone.push(before);
    gone.sort((a, b) => a - b);
  }
  return gone.join(',');
}
