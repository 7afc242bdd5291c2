/** Whatever is encoded is read back as what it was, by a reader of its own; and whatever a client sent, it forges nothing. */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ImapEncoder } from '../../../protocols/imap/encoder.ts';
import type { Fetch, FetchContent } from '../../../protocols/imap/fetch-response.ts';
import { mailboxNameFor } from '../../../protocols/imap/mailbox-name.ts';
import type { NumberSet, Response, Thread } from '../../../protocols/imap/response.ts';
import { cut, octetsOf, someCuts, textOf } from '../../properties/cuts.ts';
import { encoded, sent } from './encoded.ts';
import { readResponses, type Token } from './response-reader.ts';

const utf8Octets = (text: string) => textOf(Buffer.from(text, 'utf8'));
const atom = (text: string) => ({ atom: text });
/** A string of any form as its octets; NIL is null. */
const plain = (token: Token): unknown =>
  token === null ? null : Array.isArray(token) ? token.map(plain) : 'atom' in token ? token.atom : token.string;
const one = (octets: string): unknown[] => {
  const responses = readResponses(octets);
  assert.is(responses.length, 1);
  return responses[0]!.map(plain);
};

const number = fc.integer({ min: 1, max: 2 ** 32 - 1 });
const flag = fc.constantFrom('\\Seen', '\\Answered', '$Forwarded', 'Junk', 'NIL_', 'a.b');
/** No half of a surrogate pair alone: no such text comes from octets. */
const anyText = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 12 }),
  fc
    .array(fc.constantFrom('"', '\\', '\r\n', '{3}\r\n', '* BYE', ')', '(', ' ', ']', 'NIL', 'a', 'ä', '\x7f', '\0'), {
      maxLength: 6,
    })
    .map((parts) => parts.join('')),
);
const anyOctets = fc.oneof(
  fc.uint8Array({ maxLength: 20 }),
  anyText.map((text) => Uint8Array.from(Buffer.from(text))),
);

test('property: a string of any text is read back as it was, or, with NUL in it, not said', () => {
  fc.assert(
    fc.property(anyText, anyText, fc.boolean(), (mailbox, identifier, utf8) => {
      const response: Response = { type: 'ACL', mailbox, entries: [{ identifier, rights: 'lr' }] };
      if (identifier.includes('\0') || (utf8 && mailbox.includes('\0')))
        return assert.throws(() => encoded(response, { utf8 }), /NUL/);
      const octets = encoded(response, { utf8 });
      const name = utf8Octets(mailboxNameFor(mailbox, utf8));
      assert.equal(one(octets), ['*', 'ACL', name, utf8Octets(identifier), 'lr']);
      if (!utf8)
        for (const token of readResponses(octets)[0]!)
          if (token !== null && 'quoted' in token && token.quoted) assert.not.match(token.string, /[^\x00-\x7f]/);
    }),
  );
});

test('property: octets of any kind are read back as they were', () => {
  const entries = fc.array(fc.record({ name: fc.constant('/private/x'), value: fc.option(anyOctets) }), {
    minLength: 1,
    maxLength: 4,
  });
  fc.assert(
    fc.property(entries, fc.boolean(), (entries, utf8) => {
      const told = entries.flatMap(({ name, value }) => [name, value === null ? null : textOf(value)]);
      assert.equal(one(encoded({ type: 'METADATA', mailbox: 'x', entries }, { utf8 })), ['*', 'METADATA', 'x', told]);
    }),
  );
});

test('property: a set is read back as the same numbers in the same order, and neighbours are never told apart', () => {
  const small = fc.integer({ min: 1, max: 30 });
  const range = fc.tuple(small, small).map(([a, b]) => ({ from: Math.min(a, b), to: Math.max(a, b) }));
  const numbersIn = (set: NumberSet) =>
    [...set].flatMap((part) =>
      typeof part === 'number' ? [part] : Array.from({ length: part.to - part.from + 1 }, (_, i) => part.from + i),
    );
  fc.assert(
    fc.property(fc.array(fc.oneof(small, range), { minLength: 1, maxLength: 20 }), (uids) => {
      const [, , set] = one(encoded({ type: 'VANISHED', earlier: false, uids })) as string[];
      const ranges = set!.split(',').map((part) => part.split(':').map(Number));
      const read = ranges.map(([from, to]) => (to === undefined ? from! : { from: from!, to }));
      assert.equal(numbersIn(read), numbersIn(uids));
      for (let i = 1; i < ranges.length; i += 1) assert.is.not(ranges[i]![0], ranges[i - 1]!.at(-1)! + 1);
    }),
  );
});

test('property: threads are read back as the same trees', () => {
  const { tree } = fc.letrec<{ tree: Thread }>((tie) => ({
    tree: fc
      .tuple(number, fc.oneof({ depthSize: 'small' }, fc.constant([]), fc.array(tie('tree'), { maxLength: 3 })))
      .map(([number, children]) => ({ number, children })),
  }));
  /** RFC 5256 §4: only a root may be a parent that is not there. */
  const root = fc
    .tuple(tree, fc.boolean())
    .map(([thread, missing]) => (missing && thread.children.length > 1 ? { ...thread, number: null } : thread));
  /** `thread-list` as a client builds the tree of it: members in a line, then lists of siblings. */
  const built = (list: readonly unknown[]): Thread => {
    if (Array.isArray(list[0])) return { number: null, children: list.map((sibling) => built(sibling as unknown[])) };
    const [first, ...rest] = list;
    if (rest.length === 0) return { number: Number(first), children: [] };
    const children = Array.isArray(rest[0]) ? rest.map((sibling) => built(sibling as unknown[])) : [built(rest)];
    return { number: Number(first), children };
  };
  fc.assert(
    fc.property(fc.array(root, { maxLength: 4 }), (threads) => {
      const [, , ...lists] = one(encoded({ type: 'THREAD', threads }));
      assert.equal(
        lists.map((list) => built(list as unknown[])),
        threads,
      );
    }),
  );
});

const attributes = fc.record(
  {
    sequence: number,
    uid: number,
    flags: fc.array(flag, { maxLength: 4 }),
    modSeq: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
    internalDateMs: fc.integer({ min: 0, max: 250_000_000_000_000 }),
    sizeOctets: fc.nat(),
    envelope: fc.constant(octetsOf('("a" NIL (("b" NIL "c" {1}\r\nd)))')),
    bodyStructure: fc.constant(octetsOf('("TEXT" "PLAIN" NIL)')),
    emailId: fc.constant('M1-_'),
    threadId: fc.constantFrom('T1', null),
    saveDateMs: fc.option(fc.integer({ min: 0, max: 250_000_000_000_000 })),
    preview: fc.option(anyText.map((text) => text.replaceAll('\0', ''))),
  },
  { requiredKeys: ['sequence'] },
);
const part = fc.array(fc.integer({ min: 1, max: 99 }), { maxLength: 3 });
const contents = fc.array(
  fc.record({ part, octets: anyOctets, flows: fc.boolean(), cuts: someCuts, binary: fc.boolean() }),
  {
    minLength: 1,
    maxLength: 3,
  },
);

function dateOf(text: unknown): number {
  const [, day, month, year, time] = /^( \d|\d\d)-(\w{3})-(\d{4}) (\d\d:\d\d:\d\d) \+0000$/.exec(String(text))!;
  return Date.parse(`${day} ${month} ${year} ${time} GMT`);
}
const inSeconds = (ms: number | null) => (ms === null ? null : Math.floor(ms / 1000) * 1000);

/** What a client has after reading it, by the names of our own fields. */
function understood(read: unknown[]): Record<string, unknown> {
  assert.equal([read[0], read[2]], ['*', 'FETCH']);
  const items = read[3] as unknown[];
  const out: Record<string, unknown> = { sequence: Number(read[1]) };
  const first = (value: unknown) => (value as unknown[])[0];
  for (let i = 0; i < items.length; i += 2) {
    const [name, value] = [items[i] as string, items[i + 1]];
    if (name === 'UID') out.uid = Number(value);
    else if (name === 'FLAGS') out.flags = value;
    else if (name === 'MODSEQ') out.modSeq = Number(first(value));
    else if (name === 'INTERNALDATE') out.internalDateMs = dateOf(value);
    else if (name === 'RFC822.SIZE') out.sizeOctets = Number(value);
    else if (name === 'ENVELOPE') out.envelope = JSON.stringify(value);
    else if (name === 'BODYSTRUCTURE') out.bodyStructure = JSON.stringify(value);
    else if (name === 'EMAILID') out.emailId = first(value);
    else if (name === 'THREADID') out.threadId = value === null ? null : first(value);
    else if (name === 'SAVEDATE') out.saveDateMs = value === null ? null : dateOf(value);
    else if (name === 'PREVIEW') out.preview = value;
    else out[`content ${i}`] = [name, value]; // in their order, the same part may come twice
  }
  return out;
}

function expected({ contents = [], ...fetch }: Fetch, first: number): Record<string, unknown> {
  const out: Record<string, unknown> = { ...fetch };
  if (fetch.internalDateMs !== undefined) out.internalDateMs = inSeconds(fetch.internalDateMs);
  if (fetch.saveDateMs !== undefined) out.saveDateMs = inSeconds(fetch.saveDateMs);
  if (typeof fetch.preview === 'string') out.preview = utf8Octets(fetch.preview);
  if (fetch.envelope !== undefined) out.envelope = JSON.stringify(['a', null, [['b', null, 'c', 'd']]]);
  if (fetch.bodyStructure !== undefined) out.bodyStructure = JSON.stringify(['TEXT', 'PLAIN', null]);
  for (const [i, content] of contents.entries()) {
    assert.is.not(content.item, 'BINARY.SIZE');
    const { item, octets, number } = content as FetchContent & { octets: Uint8Array; number: string };
    out[`content ${first + 2 * i}`] = [item === 'BINARY' ? `BINARY[${number}]` : `BODY[${number}]`, textOf(octets)];
  }
  return out;
}

test('property: a message is read back as it was, however its contents come', async () => {
  await fc.assert(
    fc.asyncProperty(attributes, contents, fc.boolean(), async (told, contents, utf8) => {
      const pieces = contents.map(({ part, octets, flows, cuts, binary }) => {
        // NUL is for BINARY alone.
        const clean = binary ? octets : octets.map((octet) => octet || 1);
        async function* chunks() {
          yield* cut(clean, cuts);
        }
        const content = flows ? { sizeOctets: clean.length, octets: chunks() } : clean;
        const item = binary ? { item: 'BINARY', part } : { item: 'BODY[]', section: { part } };
        return { ...item, content, octets: clean, number: part.join('.') } as unknown as FetchContent;
      });
      const fetch = { ...told, contents: pieces } as Fetch;
      const encoder = new ImapEncoder();
      encoder.utf8 = utf8;
      const octets = await sent(
        {
          type: 'batch',
          responses: [
            { type: 'FETCH', ...fetch },
            { type: 'EXISTS', count: 1 },
          ],
        },
        encoder,
      );
      const [message, after, ...more] = readResponses(octets);
      assert.equal([after, more], [['*', '1', 'EXISTS'].map(atom), []]);
      const first = 2 * (Object.keys(told).length - 1);
      assert.equal(understood(message!.map(plain)), expected(fetch, first));
    }),
  );
});

test.run();
