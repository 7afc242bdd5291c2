/**
 * Differences to Dovecot that are known, each with the rule that says who is right: the rows of docs/imap-dovecot.md. A rule
 * says as narrowly as it can where it holds; what no rule explains is a failure.
 */
import type { Difference, JudgedMessage } from './judge.ts';

export type Known = {
  readonly id: string;
  readonly right: 'Homing' | 'Dovecot' | 'either';
  readonly section: string;
  readonly asks: RegExp;
  /** Which messages have it. */
  readonly of?: (text: string) => boolean;
  /** What the two answers about one message have in common. */
  readonly between?: (ours: string, theirs: string) => boolean;
};

const headerOf = (text: string): string => text.slice(0, text.indexOf('\r\n\r\n') + 1 || text.length);
const unfolded = (text: string): string => text.replace(/\r\n(?=[ \t])/g, '');
const fieldsOf = (text: string, name: string): string[] =>
  [...unfolded(text).matchAll(new RegExp(`^${name}:(.*)$`, 'gim'))].map(([, value]) => value!.trim());

const hasLongBoundary = (text: string) => /boundary="?[^"\r\n]{80,}/i.test(text);
const lacksSemicolon = (text: string) =>
  fieldsOf(text, 'Content-Type').some((value) => /[^;\s]\s+[\w*-]+=/.test(value.replace(/"[^"]*"/g, '""')));
const hasEncodedMessage = (text: string) =>
  unfolded(text)
    .split('\r\n\r\n')
    .some(
      (part) =>
        /^Content-Type: *message\/rfc822/im.test(part) &&
        /^Content-Transfer-Encoding: *(?:base64|quoted-printable)/im.test(part),
    );
const DATE = /^(?:\w{3},\s*)?\d{1,2} \w{3} \d{4} \d\d:\d\d(?::\d\d)? (?:[+-]\d{4}|[A-Z]{2,4})(?:\s*\(.*\))?$/;
const hasNoDate = (text: string) => {
  const dates = fieldsOf(headerOf(text), 'Date');
  return dates.length !== 1 || !DATE.test(dates[0]!);
};

export const KNOWN: readonly Known[] = [
  {
    id: 'no-such-section',
    right: 'either',
    section: 'RFC 3501 §9',
    asks: /^BODY\.PEEK\[/,
    between: (ours, theirs) => ours === 'NIL' && theirs === '',
  },
  {
    id: 'part-1-of-a-part',
    right: 'Homing',
    section: 'RFC 3501 §6.4.5',
    asks: /^BODY\.PEEK\[[\d.]+\.1\]$/,
    between: (ours) => ours === 'NIL',
  },
  {
    id: 'tab-in-a-folded-subject',
    right: 'Homing',
    section: 'RFC 5322 §2.2.3',
    asks: /^ENVELOPE$/,
    between: (ours, theirs) => ours.replaceAll('\\t', ' ') === theirs,
  },
  { id: 'long-boundary', right: 'Homing', section: 'RFC 2046 §5.1.1', asks: /^BOD|^BIN|^SEARCH/, of: hasLongBoundary },
  {
    id: 'semicolon-forgotten',
    right: 'either',
    section: 'RFC 2045 §5.1',
    asks: /^BOD|^BIN|^SEARCH/,
    of: lacksSemicolon,
  },
  {
    id: 'encoded-message',
    right: 'Homing',
    section: 'RFC 2046 §5.2.1',
    asks: /^BOD|^BIN|^SEARCH/,
    of: hasEncodedMessage,
  },
  {
    id: 'line-end-of-the-delimiter',
    right: 'Homing',
    section: 'RFC 2046 §5.1.1',
    asks: /^BOD|^BIN/,
    of: (text) => /^Content-Type: *multipart\//im.test(text),
    between: (ours, theirs) => theirs === `${ours}\r\n` || differByTwo(ours, theirs),
  },
  {
    id: 'same-parameter-twice',
    right: 'either',
    section: 'RFC 2045 §5.1',
    asks: /^BODY(?:STRUCTURE)?$/,
    of: (text) => /;\s*([\w-]+)\*?=[^;\r\n]*;\s*\1\*?=/i.test(unfolded(text)),
  },
  {
    id: 'binary-of-what-holds-parts',
    right: 'either',
    section: 'RFC 9051 §6.4.5',
    asks: /^BINARY/,
    of: (text) => (text.match(/^Content-Type: *(?:multipart|message)\//gim)?.length ?? 0) > 1,
    between: (ours, theirs) => /Content-Transfer-Encoding: binary/.test(theirs) || sizeOf(ours) > sizeOf(theirs),
  },
  {
    id: 'binary-refused',
    right: 'Homing',
    section: 'RFC 9051 §6.4.5',
    asks: /^BINARY/,
    between: (_, theirs) => /^NO \[(?:PARSE|UNKNOWN-CTE)\]$/.test(theirs),
  },
  { id: 'no-date', right: 'Homing', section: 'RFC 3501 §6.4.4', asks: /^SEARCH.* SENT/, of: hasNoDate },
  {
    id: 'broken-date',
    right: 'Dovecot',
    section: 'RFC 5256 §2.2',
    asks: /^(?:SORT|THREAD)/,
    of: (text) => hasNoDate(text) && /^Date:/im.test(headerOf(text)),
  },
  {
    id: 'eight-bits-without-a-charset',
    right: 'either',
    section: 'RFC 5322 §2.2',
    asks: /^(?:SEARCH|SORT|THREAD)/,
    of: (text) => /[\x80-\xff]/.test(text),
  },
  {
    id: 'search-in-utf-16',
    right: 'Homing',
    section: 'RFC 3501 §6.4.4',
    asks: /^SEARCH/,
    of: (text) => /charset="?utf-16/i.test(text),
  },
  {
    id: 'addresses-as-written',
    right: 'Dovecot',
    section: 'RFC 3501 §6.4.4',
    asks: /^SEARCH (?:FROM|TO|CC|BCC) /,
    of: (text) =>
      ['From', 'To', 'Cc'].some((name) => fieldsOf(headerOf(text), name).some((value) => /\(|^[^<]+$/.test(value))),
  },
];

/** The rules that explain it; none: it is unknown. */
export function explain(difference: Difference, messages: readonly JudgedMessage[]): string[] {
  const { message, ask, ours, theirs } = difference;
  const rules = KNOWN.filter(({ asks }) => asks.test(ask));
  if (message) {
    const text = message.octets.toString('latin1');
    return rules
      .filter(({ of = () => true, between = () => true }) => of(text) && between(ours, theirs))
      .map(({ id }) => id);
  }
  const texts = messages.map(({ octets }) => octets.toString('latin1'));
  const odd = new Map(rules.filter(({ of }) => of).map(({ id, of }) => [id, numbersOf(texts, of!)]));
  const areEqual = (numbers: ReadonlySet<number>) => without(ours, numbers) === without(theirs, numbers);
  const alone = [...odd].find(([, numbers]) => areEqual(numbers));
  if (alone) return [alone[0]];
  return areEqual(new Set([...odd.values()].flatMap((numbers) => [...numbers]))) ? [...odd.keys()] : [];
}

const numbersOf = (texts: readonly string[], of: (text: string) => boolean): Set<number> =>
  new Set(texts.flatMap((text, at) => (of(text) ? [at + 1] : [])));

/** Numbers, or threads as lists of numbers, without those of some messages. */
function without(answer: string, numbers: ReadonlySet<number>): string {
  if (!answer.startsWith('[')) return answer;
  const told = JSON.parse(answer) as readonly (number | readonly unknown[])[];
  const kept = told.map((each) =>
    [each].flat(Number.POSITIVE_INFINITY).filter((number) => !numbers.has(number as number)),
  );
  return JSON.stringify(kept.filter((each) => each.length > 0));
}

const sizeOf = (answer: string): number => Number(/^"(\d+)"$/.exec(answer)?.[1] ?? Number.NaN);

/** In every number that differs, and in nothing else: a line end of two octets, or the line that it ends. */
function differByTwo(ours: string, theirs: string): boolean {
  const numbers = (text: string) => [...text.matchAll(/"(\d+)"/g)].map(([, digits]) => Number(digits));
  const shape = (text: string) => text.replace(/"\d+"/g, '"#"');
  const [mine, other] = [numbers(ours), numbers(theirs)];
  return shape(ours) === shape(theirs) && mine.every((number, at) => [0, 1, 2].includes(other[at]! - number));
}
