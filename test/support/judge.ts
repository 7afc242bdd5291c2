/**
 * Two IMAP servers are given the same messages and asked the same; what they answer otherwise is a difference. It knows of no
 * right or wrong: test/support/judge-known.ts says which differences are known, and why.
 */
import { type Answer, fetched, type ImapWire, stringOf, type Value } from './imap-wire.ts';
import { searches, sorts, threads } from './judge-questions.ts';

export type JudgedMessage = {
  readonly name: string;
  /** With CRLF. */
  readonly octets: Buffer;
};

export type Difference = {
  /** Absent where the question is about the whole mailbox. */
  readonly message?: JudgedMessage;
  /** A FETCH item, such as `BODY[1.MIME]`, or a whole SEARCH, SORT or THREAD command. */
  readonly ask: string;
  readonly ours: string;
  readonly theirs: string;
};

export type Verdict = {
  /** How many questions were asked, by kind. */
  readonly asked: Readonly<Record<string, number>>;
  readonly differences: readonly Difference[];
};

type Pair = { readonly ours: ImapWire; readonly theirs: ImapWire };

const MAILBOX = 'judged';
const FIRST_DAY_MS = Date.UTC(2026, 0, 1, 12);
const DAY_MS = 86_400_000;
const FLAGS = ['\\Seen', '\\Flagged', '\\Answered', '\\Draft', '$Forwarded'];
const SECTIONS = [
  ...['[]', '[HEADER]', '[TEXT]', '[TEXT]<3.20>', '[]<0.100>'],
  ...['[HEADER.FIELDS (SUBJECT FROM X-NONE)]', '[HEADER.FIELDS.NOT (SUBJECT RECEIVED)]'],
];
const PART_SECTIONS = [']', '.MIME]', '.HEADER]', '.TEXT]', '.1]', '.99]', '.HEADER.FIELDS (SUBJECT TO)]', ']<2.10>'];
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** Lines end in CRLF, and NUL is none: what SMTP and APPEND would take. */
export const asMessage = (name: string, octets: Buffer): JudgedMessage => ({
  name,
  octets: Buffer.from(octets.toString('latin1').replace(/\r?\n/g, '\r\n').replaceAll('\0', ' '), 'latin1'),
});

export async function judge(pair: Pair, messages: readonly JudgedMessage[]): Promise<Verdict> {
  for (const client of [pair.ours, pair.theirs]) await load(client, messages);
  const differences: Difference[] = [];
  const asked: Record<string, number> = {};
  const tell = (kind: string, difference: Difference) => {
    asked[kind] = (asked[kind] ?? 0) + 1;
    if (difference.ours !== difference.theirs) differences.push(difference);
  };
  for (const [at, message] of messages.entries()) await judgeMessage(pair, at + 1, message, tell);
  for (const [kind, commands] of Object.entries({
    SEARCH: searches(messages),
    SORT: sorts(messages),
    THREAD: threads(messages),
  })) {
    for (const ask of commands) {
      const [ours, theirs] = await both(pair, (client) => numbersFor(client, kind, ask));
      tell(kind, { ask, ours, theirs });
    }
  }
  return { asked, differences };
}

/** Each with a day of its own and with flags that differ from its neighbours'. */
async function load(client: ImapWire, messages: readonly JudgedMessage[]): Promise<void> {
  await client.must(`CREATE ${MAILBOX}`);
  for (const [at, { octets }] of messages.entries()) {
    const day = new Date(FIRST_DAY_MS + ((at * 7) % 50) * DAY_MS);
    const date = `${String(day.getUTCDate()).padStart(2)}-${MONTHS[day.getUTCMonth()]}-${day.getUTCFullYear()} 12:00:00 +0000`;
    const flags = FLAGS.filter((_, bit) => (at >> bit) % 2 === 1).join(' ');
    await client.must(`APPEND ${MAILBOX} (${flags}) "${date}" {}`, octets);
  }
  await client.must(`SELECT ${MAILBOX}`);
}

const both = <T>(pair: Pair, ask: (client: ImapWire) => Promise<T>): Promise<[T, T]> =>
  Promise.all([ask(pair.ours), ask(pair.theirs)]);

type Tell = (kind: string, difference: Difference) => void;

async function judgeMessage(pair: Pair, number: number, message: JudgedMessage, tell: Tell): Promise<void> {
  const structure = fetched(await pair.ours.must(`FETCH ${number} BODYSTRUCTURE`))
    .get(number)!
    .get('BODYSTRUCTURE')!;
  const parts = partsOf(structure, []);
  const kinds = {
    ENVELOPE: ['ENVELOPE'],
    BODYSTRUCTURE: ['BODYSTRUCTURE', 'BODY'],
    others: ['RFC822.SIZE', 'INTERNALDATE'],
    'BODY[]': SECTIONS.map((section) => `BODY.PEEK${section}`),
    parts: parts.flatMap((part) => PART_SECTIONS.map((section) => `BODY.PEEK[${part}${section}`)),
  };
  const all = Object.values(kinds).flat();
  const [ours, theirs] = await both(pair, (client) => client.must(`FETCH ${number} (${all.join(' ')})`));
  for (const [kind, asks] of Object.entries(kinds))
    for (const ask of asks)
      tell(kind, { message, ask, ours: itemIn(ours, number, ask), theirs: itemIn(theirs, number, ask) });
  for (const part of parts)
    for (const ask of [`BINARY.PEEK[${part}]`, `BINARY.SIZE[${part}]`]) {
      const [mine, other] = await both(pair, (client) => client.ask(`FETCH ${number} ${ask}`)); // alone: it may be refused
      tell('BINARY', { message, ask, ours: itemIn(mine, number, ask), theirs: itemIn(other, number, ask) });
    }
}

function itemIn(answer: Answer, number: number, ask: string): string {
  if (answer.status !== 'OK') return `${answer.status} ${/^\[[^\]]*\]/.exec(answer.text)?.[0] ?? ''}`;
  const items = fetched(answer).get(number);
  const name = ask
    .replace('.PEEK', '')
    .replace(/<(\d+)\.\d+>$/, '<$1>')
    .toUpperCase();
  const value = items?.get(name);
  if (value === undefined) return `without ${name}: ${[...(items?.keys() ?? [])].join(' ')}`;
  if (name === 'INTERNALDATE') return (stringOf(value) ?? '').trim().replace(/^0/, ''); // either is date-day-fixed's
  return name.startsWith('B') && name.includes('[') && typeof value !== 'string'
    ? (stringOf(value) ?? 'NIL')
    : JSON.stringify(value);
}

/** Part numbers of RFC 3501 §6.4.5, of multiparts and of messages within too. */
function partsOf(structure: Value, at: readonly number[]): string[] {
  if (!Array.isArray(structure)) return [];
  const isMultipart = Array.isArray(structure[0]);
  if (isMultipart) {
    const count = structure.findIndex((each) => !Array.isArray(each));
    const own = at.length > 0 ? [at.join('.')] : [];
    return [...own, ...structure.slice(0, count).flatMap((child, index) => partsOf(child, [...at, index + 1]))];
  }
  const here = at.length === 0 ? [1] : at;
  const type = JSON.stringify(structure.slice(0, 2)).toLowerCase();
  const isMessage = type === '[{"string":"message"},{"string":"rfc822"}]';
  const inner = isMessage ? structure[8] : undefined; // body-type-msg (RFC 3501 §9)
  if (!Array.isArray(inner)) return [here.join('.')];
  return [here.join('.'), ...(Array.isArray(inner[0]) ? partsOf(inner, here).slice(1) : partsOf(inner, [...here, 1]))];
}

async function numbersFor(client: ImapWire, kind: string, ask: string): Promise<string> {
  const literals = [...ask.matchAll(/«(.*?)»/g)].map(([, text]) => Buffer.from(text!));
  const answer = await client.ask(ask.replace(/«.*?»/g, '{}'), ...literals);
  if (answer.status !== 'OK') return `${answer.status} ${/^\[\w+/.exec(answer.text)?.[0] ?? ''}`;
  const told = answer.untagged.filter(([word]) => word === kind).flatMap((line) => line.slice(1));
  return JSON.stringify(told).replaceAll('"', '');
}
