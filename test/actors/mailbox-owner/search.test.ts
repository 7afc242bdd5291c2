/** Searches: each key, what becomes of them together, and that no request works for long. */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { bitsAbove, blockSearch } from '../../../actors/mailbox-owner/search-blocks.ts';
import { candidateOf, planOf, truthOf } from '../../../actors/mailbox-owner/search-program.ts';
import {
  type Found,
  MOST_SEARCH_DEPTH,
  MOST_SEARCH_KEYS,
  type SearchProgram,
  SORT_KEYS,
  type SortEntry,
} from '../../../actors/mailbox-owner/search-requests.ts';
import { FLAG } from '../../../store/flags.ts';
import { overlay } from '../../../store/overlay.ts';
import { type MessageRow, uidBits } from '../../../store/tables.ts';
import { PRESENT } from '../../../store/uid-bits.ts';
import { rangesOf, type UidRanges, uidsIn } from '../../../store/uid-ranges.ts';
import { ALL, deliver, message, must, type Session, session, within } from './mailboxes-world.ts';
import type { World } from './world.ts';

type Ref = Awaited<ReturnType<Session['select']>>['ref'];
const DAY = 86_400_000;
const everything: SearchProgram = { type: 'and', keys: [] };
const nothing: SearchProgram = { type: 'or', keys: [] };
const not = (key: SearchProgram): SearchProgram => ({ type: 'not', key });
const all = (...keys: SearchProgram[]): SearchProgram => ({ type: 'and', keys });
const any = (...keys: SearchProgram[]): SearchProgram => ({ type: 'or', keys });

/** The whole search, however many requests it takes. */
async function search(w: World, who: Session, ref: Ref, program: SearchProgram) {
  const uids: number[] = [];
  let modSeq: number | undefined;
  let asked = 0;
  for (let afterUid: number | null = 0; afterUid !== null; ) {
    const found: Found = must(await w.clock.until(who.read('search', { ref, program, afterUid })));
    asked++;
    uids.push(...uidsIn(found.uids));
    if (found.modSeq !== undefined) modSeq = Math.max(modSeq ?? 0, found.modSeq);
    assert.ok(found.upTo === null || found.upTo > afterUid, 'a search gets on');
    afterUid = found.upTo;
  }
  return { uids, modSeq, asked };
}

const MAIL = [
  'From: Ann Example <ann@example.test>\r\nTo: joe@example.test\r\nSubject: =?utf-8?q?Caf=C3=A9?= at noon\r\n' +
    'Date: Mon, 5 Feb 2024 23:30:00 -0800\r\nX-Empty:\r\n\r\nLet us meet for lunch.\r\n',
  'From: bob@example.test\r\nTo: team@example.test\r\nCc: joe@example.test\r\nSubject: report\r\n  continued\r\n' +
    'Date: Tue, 6 Feb 2024 01:00:00 +0000\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="b"\r\n\r\n' +
    '--b\r\nContent-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n' +
    'Gr=FC=DFe aus M=FC=\r\nnchen\r\n--b\r\nContent-Type: application/octet-stream; name=lunch.bin\r\n' +
    'Content-Transfer-Encoding: base64\r\n\r\nbHVuY2g=\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n' +
    'Subject: forwarded\r\n\r\ninner words\r\n--b--\r\n',
  'Subject: no date\r\n\r\nplain',
];

async function mailbox(w: World) {
  const joe = await session(w, 'joe');
  const { ref } = await joe.select();
  const dates = [10 * DAY, 11 * DAY, 12 * DAY + 5];
  must(
    await joe.change('append', {
      account: 'joe',
      withInbox: true,
      name: 'INBOX',
      messages: MAIL.map((text, at) => message(text, { internalDate: dates[at]! })),
    }),
  );
  await deliver(w, 'joe', 'Subject: delivered\r\n\r\nby a delivery');
  await joe.flag(ref, [[1, 1]], FLAG.seen | FLAG.answered, ['$Work']);
  await joe.flag(ref, [[3, 3]], FLAG.flagged, ['$work', 'other']);
  const found = async (program: SearchProgram) => (await search(w, joe, ref, program)).uids;
  return { joe, ref, found };
}

within('each key finds what it names, and its negation all the rest', async (w) => {
  const { found } = await mailbox(w);
  const now = w.clock.wall();
  const day = (text: string) => Date.parse(`${text}T00:00:00Z`);
  const matrix: readonly (readonly [SearchProgram, readonly number[]])[] = [
    [everything, [1, 2, 3, 4]],
    [nothing, []],
    [
      {
        type: 'uids',
        uids: [
          [2, 3],
          [9, 99],
        ],
      },
      [2, 3],
    ],
    [{ type: 'uids', uids: ALL }, [1, 2, 3, 4]],
    [{ type: 'uids', uids: [] }, []],
    [{ type: 'flag', flag: FLAG.seen }, [1]],
    [{ type: 'flag', flag: FLAG.answered }, [1]],
    [{ type: 'flag', flag: FLAG.flagged }, [3]],
    [{ type: 'flag', flag: FLAG.deleted }, []],
    [{ type: 'flag', flag: FLAG.draft }, []],
    [{ type: 'keyword', keyword: '$WORK' }, [1, 3]],
    [{ type: 'keyword', keyword: 'Other' }, [3]],
    [{ type: 'keyword', keyword: 'unknown' }, []],
    [{ type: 'size', above: MAIL[0]!.length - 1, below: MAIL[0]!.length + 1 }, [1]],
    [{ type: 'size', above: MAIL[0]!.length, below: MAIL[0]!.length + 1 }, []],
    [{ type: 'size', below: 100 }, [3, 4]],
    [{ type: 'date', of: 'internal', from: 11 * DAY, before: 12 * DAY }, [2]],
    [{ type: 'date', of: 'internal', before: 12 * DAY }, [1, 2]],
    [{ type: 'date', of: 'internal', from: 12 * DAY }, [3, 4]],
    [{ type: 'date', of: 'saved', from: now }, [1, 2, 3, 4]],
    [{ type: 'date', of: 'saved', before: now }, []],
    [{ type: 'date', of: 'sent', from: day('2024-02-05'), before: day('2024-02-06') }, [1]],
    [{ type: 'date', of: 'sent', from: day('2024-02-06') }, [2]],
    [{ type: 'date', of: 'sent', before: day('2024-02-06') }, [1]],
    [{ type: 'mod-seq', from: 1 }, [1, 2, 3, 4]],
    [{ type: 'mod-seq', from: 4 }, [1, 3]],
    [{ type: 'mod-seq', from: 5 }, [3]],
    [{ type: 'mod-seq', from: 6 }, []],
    [{ type: 'email-id', emailId: 2 }, [2]],
    [{ type: 'email-id', emailId: 2, emailOf: 'bob' }, []],
    [{ type: 'header', field: 'subject', text: 'CAFÉ AT' }, [1]],
    [{ type: 'header', field: 'Subject', text: 'report  continued' }, [2]],
    [{ type: 'header', field: 'Subject', text: '' }, [1, 2, 3, 4]],
    [{ type: 'header', field: 'X-Empty', text: '' }, [1]],
    [{ type: 'header', field: 'X-Empty', text: 'x' }, []],
    [{ type: 'header', field: 'X-Missing', text: '' }, []],
    [{ type: 'header', field: 'cc', text: 'joe@' }, [2]],
    [{ type: 'header', field: 'return-path', text: 'sender' }, [4]],
    [{ type: 'body', text: 'LUNCH' }, [1]],
    [{ type: 'body', text: 'grüße aus münchen' }, [2]],
    [{ type: 'body', text: 'inner words' }, [2]],
    [{ type: 'body', text: 'forwarded' }, []],
    [{ type: 'body', text: 'café' }, []],
    [{ type: 'body', text: '' }, [1, 2, 3, 4]],
    [{ type: 'text', text: 'café' }, [1]],
    [{ type: 'text', text: 'forwarded' }, [2]],
    [{ type: 'text', text: 'lunch.bin' }, [2]],
    [{ type: 'text', text: 'delivery' }, [4]],
    [{ type: 'text', text: 'sender@example' }, [4]],
    [{ type: 'text', text: 'nowhere' }, []],
  ];
  for (const [program, expected] of matrix) {
    assert.equal(await found(program), expected, JSON.stringify(program));
    const rest = [1, 2, 3, 4].filter((uid) => !expected.includes(uid));
    assert.equal(await found(not(program)), rest, `not ${JSON.stringify(program)}`);
    assert.equal(await found(all(program, { type: 'text', text: '' })), expected);
    assert.equal(await found(any(program, { type: 'keyword', keyword: 'unknown' })), expected);
  }
});

within('keys together narrow and widen as they should', async (w) => {
  const { found } = await mailbox(w);
  const seen: SearchProgram = { type: 'flag', flag: FLAG.seen };
  const lunch: SearchProgram = { type: 'body', text: 'lunch' };
  const date: SearchProgram = { type: 'header', field: 'date', text: '' };
  assert.equal(await found(all(date, not(lunch))), [2]);
  assert.equal(await found(any(all(seen, lunch), not(date))), [1, 3, 4]);
  assert.equal(await found(all(not(seen), any(lunch, { type: 'text', text: 'plain' }))), [2, 3]);
  assert.equal(await found(not(all())), []);
  assert.equal(await found(not(any())), [1, 2, 3, 4]);
});

within('the mod-sequence of what was found is told where it was asked for', async (w) => {
  const { joe, ref } = await mailbox(w);
  const of = async (program: SearchProgram) => (await search(w, joe, ref, program)).modSeq;
  assert.is(await of(everything), undefined);
  assert.is(await of({ type: 'mod-seq', from: 1 }), 5);
  assert.is(await of(all({ type: 'mod-seq', from: 1 }, { type: 'uids', uids: [[1, 2]] })), 4);
  assert.is(await of(any({ type: 'mod-seq', from: 99 }, { type: 'uids', uids: [[4, 4]] })), 3);
  assert.is(await of({ type: 'mod-seq', from: 99 }), undefined);
});

within('what came or went while a search was under way is found or not, and nothing else', async (w) => {
  const { joe, ref } = await mailbox(w);
  const program: SearchProgram = { type: 'text', text: 'plain' };
  const first = must(await joe.read('search', { ref, program, afterUid: 2 }));
  assert.equal(first, { uids: [[3, 3]], upTo: null });
  await joe.flag(ref, [[3, 3]], FLAG.deleted);
  must(await joe.change('expunge', { ref, uids: null }));
  assert.equal(must(await joe.read('search', { ref, program, afterUid: 2 })), { uids: [], upTo: null });
});

within('a request ends when it has read enough, in the middle of no message, and the next goes on', async (w) => {
  const joe = await session(w, 'joe');
  const { ref } = await joe.select();
  const { handle } = must(await w.open('d', null));
  const parts = 20;
  for (let counter = 1; counter <= 4; counter++) {
    const part = Buffer.alloc(131_048, `${counter}bcdefg\r\n`);
    const first = Buffer.concat([Buffer.from('\r\n'), part.subarray(2)]); // no header
    for (let index = 0; index < parts; index++)
      must(await w.stage(handle, `b${counter}`, index, index === 0 ? first : part));
    const body = Buffer.concat(Array.from({ length: parts }, (_, index) => (index === 0 ? first : part)));
    must(await w.clock.until(w.deliverStaged(handle, counter, `b${counter}`, body, 'joe')));
  }
  const { uids, asked } = await search(w, joe, ref, { type: 'body', text: 'not there at all' });
  assert.equal(uids, []);
  assert.is(asked, 3, 'some ten megabytes, four at a time, whole messages');
  assert.equal((await search(w, joe, ref, { type: 'body', text: '3bcdefg' })).uids, [3]);
});

within('a request ends when its time is over, and says how far it came', async (w) => {
  const joe = await session(w, 'joe');
  const { ref } = await joe.select();
  await joe.append('INBOX', ...Array.from({ length: 500 }, (_, at) => `Subject: ${at}\r\n\r\n${at % 7}`));
  const programs: SearchProgram[] = [
    { type: 'size', above: 14 },
    { type: 'body', text: '3' },
    all({ type: 'uids', uids: [[100, 480]] }, { type: 'header', field: 'subject', text: '7' }),
  ];
  const { monotonic } = w.clock;
  for (const program of programs) {
    w.clock.monotonic = monotonic;
    const expected = await search(w, joe, ref, program);
    assert.is(expected.asked, 1);
    let now = 0;
    w.clock.monotonic = () => (now += 6); // a machine on which all is slow
    const { uids, asked } = await search(w, joe, ref, program);
    assert.equal(uids, expected.uids);
    assert.ok(asked > 1, `${asked} requests`);
  }
  w.clock.monotonic = monotonic;
});

within('who asks the same again while it is being looked for gets the same answer', async (w) => {
  const { joe, ref } = await mailbox(w);
  const ask = (text: string) => joe.read('search', { ref, program: { type: 'text', text }, afterUid: 0 });
  const [one, two, other] = await w.clock.until(Promise.all([ask('no date'), ask('no date'), ask('café')]));
  assert.equal(must(two!), must(one!));
  assert.equal([must(one!).uids, must(other!).uids], [[[3, 3]], [[1, 1]]]);
});

within('a program that is too deep or too long is refused, one of no shape is a fault', async (w) => {
  const { joe, ref } = await mailbox(w);
  let deep: SearchProgram = { type: 'and', keys: [] };
  for (let depth = 0; depth < MOST_SEARCH_DEPTH; depth++) deep = not(deep);
  assert.ok((await joe.read('search', { ref, program: deep, afterUid: 0 })).ok);
  for (const program of [not(deep), all(...Array.from({ length: MOST_SEARCH_KEYS }, () => everything))])
    assert.equal(await joe.read('search', { ref, program, afterUid: 0 }), { ok: false, refusal: 'bad-program' });
  const wrong = [
    null,
    7,
    {},
    { type: 'and' },
    { type: 'not' },
    { type: 'flag', flag: 0 },
    { type: 'uids', uids: [[3]] },
  ];
  for (const program of [...wrong, { type: 'date', of: 'never' }, { type: 'body' }, { type: 'size', above: -1 }])
    assert.throws(() => planOf(program as SearchProgram), RangeError);
});

within('sort keys are told page by page, only those asked for', async (w) => {
  const { joe, ref } = await mailbox(w);
  const entries: SortEntry[] = [];
  for (let left: UidRanges = ALL; left.length > 0; ) {
    const page = must(await joe.read('sort-keys', { ref, uids: left, keys: SORT_KEYS }));
    entries.push(...page.entries);
    left = page.more ? [[entries.at(-1)!.uid + 1, ALL[0]![1]]] : [];
  }
  assert.equal(
    entries.map(({ uid, arrivalMs, keys }) => [uid, arrivalMs, keys.from, keys.baseSubject, keys.sent?.utcMs]),
    [
      [1, 10 * DAY, entries[0]!.keys.from, entries[0]!.keys.baseSubject, Date.parse('2024-02-06T07:30:00Z')],
      [2, 11 * DAY, entries[1]!.keys.from, entries[1]!.keys.baseSubject, Date.parse('2024-02-06T01:00:00Z')],
      [3, 12 * DAY + 5, '', entries[2]!.keys.baseSubject, undefined],
      [4, w.clock.wall(), '', entries[3]!.keys.baseSubject, undefined],
    ],
  );
  assert.match(entries[0]!.keys.from!, /^ann$/i);
  assert.match(entries[2]!.keys.baseSubject!, /^no date$/i);
  const [bare] = must(await joe.read('sort-keys', { ref, uids: [[3, 3]], keys: [] })).entries;
  assert.equal(bare, { uid: 3, arrivalMs: 12 * DAY + 5, sizeOctets: MAIL[2]!.length, keys: {} });
});

test('bitmaps and rows say the same of any program, and bitmaps never more than they know', () => {
  const leaf = fc.oneof(
    fc.constantFrom(...Object.values(FLAG)).map((flag): SearchProgram => ({ type: 'flag', flag })),
    fc
      .uniqueArray(fc.integer({ min: 1, max: 200 }), { maxLength: 40 })
      .map((uids): SearchProgram => ({ type: 'uids', uids: rangesOf(uids.sort((a, b) => a - b)) })),
    fc.integer({ min: 0, max: 60 }).map((above): SearchProgram => ({ type: 'size', above })),
  );
  const programs = fc.letrec<{ program: SearchProgram }>((tie) => ({
    program: fc.oneof(
      { maxDepth: 5 },
      leaf,
      fc.array(tie('program'), { maxLength: 3 }).map((keys): SearchProgram => ({ type: 'and', keys })),
      fc.array(tie('program'), { maxLength: 3 }).map((keys): SearchProgram => ({ type: 'or', keys })),
      tie('program').map(not),
    ),
  })).program;
  const rows = fc.array(fc.option(fc.tuple(fc.integer({ min: 0, max: 31 }), fc.integer({ min: 0, max: 50 }))), {
    maxLength: 200,
  });
  fc.assert(
    fc.property(programs, rows, (program, mail) => {
      const view = overlay({ get: () => undefined, range: () => [] });
      const octets = (has: (flags: number) => boolean) => {
        const bits = new Uint8Array(25);
        for (const [at, row] of mail.entries()) if (row && has(row[0])) bits[at >> 3]! |= 1 << (at & 7);
        return bits;
      };
      for (const flag of Object.values(FLAG))
        uidBits.put(
          view,
          ['joe', 1, flag, 0],
          octets((flags) => (flags & flag) !== 0),
        );
      const present = octets(() => true);
      uidBits.put(view, ['joe', 1, PRESENT, 0], present);
      const { sure, maybe } = blockSearch(view, { account: 'joe', mailbox: 1, uidValidity: 1 }, program, null).of(
        0,
        present,
      );
      const [surely, perhaps] = [new Set(bitsAbove(sure, -1)), new Set(bitsAbove(maybe, -1))];
      for (const [at, row] of mail.entries()) {
        if (!row) {
          assert.not.ok(perhaps.has(at));
          continue;
        }
        const [flags, sizeOctets] = row;
        const truth = truthOf(
          program,
          candidateOf(at + 1, { flags, sizeOctets } as MessageRow, { asksKeywords: true }),
        );
        assert.type(truth, 'boolean');
        if (surely.has(at)) assert.is(truth, true);
        if (!perhaps.has(at)) assert.is(truth, false);
      }
    }),
    { numRuns: 300 },
  );
});

test.run();
