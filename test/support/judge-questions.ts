/**
 * SEARCH, SORT and THREAD commands about given messages, the same ones for the same messages: words, addresses, dates and sizes
 * are taken from them. Text between « and » is for a literal in UTF-8.
 */
import type { JudgedMessage } from './judge.ts';

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const SORT_KEYS = ['ARRIVAL', 'CC', 'DATE', 'FROM', 'SIZE', 'SUBJECT', 'TO', 'DISPLAYFROM', 'DISPLAYTO'];
/** Words of several scripts, which messages in other charsets and encodings hold too. */
const WORDS = [
  'é',
  'ü',
  'GRÜSSE',
  'größe',
  'привет',
  'МИР',
  '日本',
  'テスト',
  '한국',
  'שלום',
  'مرحبا',
  '€',
  'ñ',
  'Ł',
  'ﬁ',
  'ß',
];

/** At most `count` of them, spread evenly; each once. */
function some<T>(all: readonly T[], count: number): T[] {
  const unique = [...new Set(all)];
  if (unique.length <= count) return unique;
  return Array.from({ length: count }, (_, at) => unique[Math.floor((at * unique.length) / count)]!);
}

export function searches(messages: readonly JudgedMessage[]): string[] {
  const texts = messages.map(({ octets }) => octets.toString('latin1'));
  const headers = texts.map((text) => text.slice(0, Math.max(0, `${text}\r\n\r\n`.indexOf('\r\n\r\n'))));
  const bodies = texts.map((text) => text.slice(`${text}\r\n\r\n`.indexOf('\r\n\r\n') + 4));
  const words = (from: readonly string[]) =>
    from.flatMap((text) => text.match(/\b[a-zA-Z]{4,14}\b/g)?.slice(0, 200) ?? []);
  const field = (name: string) =>
    headers.flatMap((header) =>
      [...header.matchAll(new RegExp(`^${name}: *([^\r\n]*)`, 'gim'))].map(([, value]) => value!),
    );
  const bodyWords = some(words(bodies), 40);
  const keys = [
    ...[
      'ALL',
      'SEEN',
      'UNSEEN',
      'FLAGGED',
      'UNFLAGGED',
      'ANSWERED',
      'UNANSWERED',
      'DRAFT',
      'UNDRAFT',
      'DELETED',
      'UNDELETED',
    ],
    ...[
      'KEYWORD $Forwarded',
      'UNKEYWORD $Forwarded',
      'KEYWORD none',
      'SEEN NOT FLAGGED',
      'OR SEEN FLAGGED',
      'NOT (SEEN FLAGGED)',
    ],
    ...[
      '1',
      '*',
      '1:*',
      '2:4,6',
      '*:3',
      'UID 1:5',
      'UID 3:*',
      'UID 1000:2000',
      'NOT 2:4',
      'OR 1:2 UID 4',
      '1:5 UNSEEN (2:9 NOT 3)',
    ],
    ...days(
      ['BEFORE', 'ON', 'SINCE'],
      Array.from({ length: 8 }, (_, at) => Date.UTC(2026, 0, 1 + at * 7)),
    ),
    ...days(['SENTBEFORE', 'SENTON', 'SENTSINCE'], some(datesIn(field('Date')), 8)),
    ...some(
      messages.flatMap(({ octets: { length } }) => [`LARGER ${length}`, `SMALLER ${length}`, `LARGER ${length - 1}`]),
      18,
    ),
    ...some(words(field('Subject')), 25).map((word) => `SUBJECT ${word}`),
    ...some(words(field('From')), 12).map((word) => `FROM ${word}`),
    ...some(words(field('To')), 12).map((word) => `TO ${word}`),
    ...some(words(field('Cc')), 6).map((word) => `CC ${word}`),
    ...['BCC x', 'FROM "@example"', 'TO "<"', 'SUBJECT ""', 'CC ""', 'HEADER Bcc ""', 'BODY ""', 'TEXT ""'],
    ...['Message-ID', 'Content-Type', 'Received', 'MIME-Version', 'X-None', 'Reply-To', 'In-Reply-To'].map(
      (name) => `HEADER ${name} ""`,
    ),
    ...some(words(field('Content-Type')), 10).map((word) => `HEADER Content-Type ${word}`),
    ...some(words(field('Message-ID')), 6).map((word) => `HEADER Message-ID ${word}`),
    ...bodyWords.flatMap((word, at) => [at % 2 ? `BODY ${word}` : `TEXT ${word.toUpperCase()}`]),
    ...some(words(headers), 20).map((word) => `TEXT ${word}`),
    ...bodyWords.slice(0, 12).map((word, at) => `OR BODY ${word} NOT SUBJECT ${bodyWords[at + 12] ?? 'none'}`),
  ];
  const encoded = WORDS.flatMap((word) => [`SUBJECT «${word}»`, `BODY «${word}»`, `TEXT «${word}»`, `FROM «${word}»`]);
  return [...keys.map((key) => `SEARCH ${key}`), ...encoded.map((key) => `SEARCH CHARSET UTF-8 ${key}`)];
}

export function sorts(messages: readonly JudgedMessage[]): string[] {
  const word = some(
    searches(messages).filter((each) => /^SEARCH (?:BODY|SUBJECT) \w/.test(each)),
    4,
  ).map((each) => each.slice(7));
  const programs = [...SORT_KEYS, ...SORT_KEYS.map((key) => `REVERSE ${key}`)];
  const pairs = SORT_KEYS.flatMap((key, at) => [
    `${SORT_KEYS[(at + 3) % SORT_KEYS.length]} REVERSE ${key}`,
    `REVERSE ${key} DATE`,
  ]);
  const all = [...programs, ...pairs, 'SUBJECT DATE SIZE', 'REVERSE CC REVERSE TO ARRIVAL'].map(
    (program) => `SORT (${program}) UTF-8 ALL`,
  );
  return [
    ...all,
    ...word.flatMap((key) =>
      ['SUBJECT', 'REVERSE DATE', 'SIZE FROM'].map((program) => `SORT (${program}) UTF-8 ${key}`),
    ),
  ];
}

export function threads(messages: readonly JudgedMessage[]): string[] {
  const half = Math.ceil(messages.length / 2);
  const keys = [
    'ALL',
    'UNSEEN',
    'FLAGGED',
    `1:${half}`,
    `${half}:*`,
    'NOT ANSWERED',
    'SUBJECT re',
    'SMALLER 1000',
    'NOT SUBJECT re',
    '2:*',
    'TEXT the',
    'SENTSINCE 1-Jan-2000',
  ];
  return keys.flatMap((key) => ['REFERENCES', 'ORDEREDSUBJECT'].map((algorithm) => `THREAD ${algorithm} UTF-8 ${key}`));
}

const days = (keys: readonly string[], times: readonly number[]): string[] =>
  times.flatMap((time) => {
    const day = new Date(time);
    return keys.map((key) => `${key} ${day.getUTCDate()}-${MONTHS[day.getUTCMonth()]}-${day.getUTCFullYear()}`);
  });

/** The days that dates as RFC 5322 writes them name. */
const datesIn = (values: readonly string[]): number[] =>
  values.flatMap((value) => {
    const [, date, month, year] = /(\d{1,2}) (\w{3}) (\d{4})/.exec(value) ?? [];
    const at = MONTHS.indexOf(month ?? '');
    return at < 0 ? [] : [Date.UTC(Number(year), at, Number(date))];
  });
