/** What sessions are told of one mailbox's messages: rows, changes and octets, in pages that lose and double nothing. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Changes, ChangesPlace, MessageEntry } from '../../../actors/mailbox-owner/message-requests.ts';
import { unpackStructure } from '../../../actors/mailbox-owner/structures.ts';
import { FLAG } from '../../../store/flags.ts';
import { structures } from '../../../store/tables.ts';
import type { UidRanges } from '../../../store/uid-ranges.ts';
import { ALL, deliver, message, must, type Session, session, TRACE, within } from './mailboxes-world.ts';

type Ref = Awaited<ReturnType<Session['select']>>['ref'];

/** All pages; asserts that each but the last ends where it should. */
async function rows(who: Session, ref: Ref, uids: UidRanges, limit: number, structure = false) {
  const found: MessageEntry[] = [];
  let pages = 0;
  for (let left = uids; left.length > 0; ) {
    const { entries, more } = must(await who.read('messages', { ref, uids: left, limit, with: { structure } }));
    pages++;
    found.push(...entries);
    assert.ok(entries.length <= limit);
    if (!more) break;
    assert.ok(entries.length > 0, 'a page that goes on has something');
    const last = entries.at(-1)!.uid;
    left = left.flatMap(([from, to]) => (to <= last ? [] : [[Math.max(from, last + 1), to] as const]));
  }
  return { found, uids: found.map(({ uid }) => uid), pages };
}

async function changes(who: Session, ref: Ref, since: number, uids?: UidRanges) {
  const pages: Changes[] = [];
  for (let at: ChangesPlace | null | undefined; at !== null; at = pages.at(-1)!.next) {
    pages.push(must(await who.read('changes', { ref, since, ...(uids && { uids }), ...(at && { at }) })));
  }
  return {
    pages,
    changed: pages.flatMap(({ changed }) => changed.map(({ uid }) => uid)),
    vanished: pages[0]!.vanished,
    modSeq: pages.at(-1)!.modSeq,
  };
}

within('rows tell flags, dates, sizes and what copies share', async (w) => {
  const joe = await session(w, 'joe');
  const { ref } = await joe.select();
  must(
    await joe.change('append', {
      account: 'joe',
      withInbox: true,
      name: 'INBOX',
      messages: [message('hello', { flags: FLAG.seen | FLAG.draft, keywords: ['$b', '$a'], internalDate: 7_000 })],
    }),
  );
  await joe.create('Copies');
  const to = { account: 'joe', withInbox: true, name: 'Copies' };
  must(await joe.change('copy', { from: ref, uids: ALL, to, move: false }));
  const { found } = await rows(joe, ref, ALL, 10);
  const [first] = found;
  assert.equal(first, {
    uid: 1,
    flags: FLAG.seen | FLAG.draft,
    keywords: ['$a', '$b'],
    modSeq: 2,
    internalDate: 7_000,
    saveDate: w.clock.wall(),
    sizeOctets: 5,
    traceOctets: 0,
    emailId: 1,
  });
  const [copy] = (await rows(joe, (await joe.select('Copies')).ref, ALL, 10)).found;
  assert.equal([copy!.emailId, copy!.emailOf, copy!.flags, copy!.keywords], [1, undefined, 17, ['$a', '$b']]);
});

within('trace lines of a delivery count for the size, and where the body begins is told', async (w) => {
  await deliver(w, 'joe', 'Subject: x\r\n\r\nbody');
  const joe = await session(w, 'joe');
  const { ref } = await joe.select();
  const { found } = await rows(joe, ref, ALL, 1, true);
  assert.equal([found[0]!.sizeOctets, found[0]!.traceOctets], [TRACE.length + 18, TRACE.length]);
  assert.is(unpackStructure(found[0]!.structure!).sizeOctets, 18);
});

within('pages of rows lose and double nothing, wherever they end', async (w) => {
  const joe = await session(w, 'joe');
  await joe.append('INBOX', ...Array.from({ length: 23 }, (_, at) => `m${at}`));
  const { ref } = await joe.select();
  await joe.flag(
    ref,
    [
      [5, 5],
      [9, 12],
    ],
    FLAG.deleted,
  );
  must(await joe.change('expunge', { ref, uids: null }));
  const there = [1, 2, 3, 4, 6, 7, 8, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23];
  for (let limit = 1; limit <= 24; limit++) {
    const { uids, pages } = await rows(joe, ref, ALL, limit);
    assert.equal(uids, there);
    assert.is(pages, Math.ceil(there.length / limit), `limit ${limit}`);
  }
  const some: UidRanges = [
    [2, 2],
    [5, 10],
    [13, 13],
    [23, 4_000_000_000],
  ];
  for (let limit = 1; limit <= 5; limit++) assert.equal((await rows(joe, ref, some, limit)).uids, [2, 6, 7, 8, 13, 23]);
  assert.equal((await rows(joe, ref, [], 5)).uids, []);
  assert.equal((await rows(joe, ref, [[24, 99]], 5)).uids, []);
});

within('a page of rows ends by its octets too', async (w) => {
  const joe = await session(w, 'joe');
  const long = (at: number) => `Subject: ${at} ${'x'.repeat(8_000)}\r\nFrom: ${'y'.repeat(8_000)}@example.test\r\n\r\n`;
  const { ref } = await joe.select();
  for (let at = 0; at < 3; at++) await joe.append('INBOX', ...Array.from({ length: 10 }, (_, n) => long(at * 10 + n)));
  const { uids, pages, found } = await rows(joe, ref, ALL, 100, true);
  assert.equal(
    uids,
    Array.from({ length: 30 }, (_, at) => at + 1),
  );
  assert.ok(found.every(({ structure }) => structure!.length > 40_000));
  assert.ok(pages >= 6);
});

within('a structure is made when it is first asked for, kept with the body, and goes with it', async (w) => {
  const joe = await session(w, 'joe');
  await joe.append('INBOX', 'Subject: one\r\n\r\nbody');
  const { ref } = await joe.select();
  const kept = () => w.store.read((view) => [...structures.range(view, [])].length);
  assert.is(kept(), 0);
  const [first] = (await rows(joe, ref, ALL, 1, true)).found;
  assert.match(Buffer.from(unpackStructure(first!.structure!).envelope).toString(), /"one"/);
  await w.rest();
  assert.is(kept(), 1);
  const [again] = (await rows(joe, ref, ALL, 1, true)).found;
  assert.equal(Buffer.from(again!.structure!), Buffer.from(first!.structure!));
  await joe.flag(ref, ALL, FLAG.deleted);
  must(await joe.change('expunge', { ref, uids: null }));
  assert.is(kept(), 0);
});

within('a structure that can not be kept is told all the same', async (w) => {
  const joe = await session(w, 'joe');
  await joe.append('INBOX', 'Subject: one\r\n\r\nbody');
  const { ref } = await joe.select();
  for (let at = 0; at < 2; at++) {
    w.fates.push('full');
    const [first] = (await rows(joe, ref, ALL, 1, true)).found;
    assert.is(unpackStructure(first!.structure!).sizeOctets, 20);
    await w.rest();
  }
  assert.is(
    w.store.read((view) => [...structures.range(view, [])].length),
    0,
  );
});

within('changes since a mod-sequence are what came, changed and vanished, in the order it happened', async (w) => {
  const joe = await session(w, 'joe');
  await joe.append('INBOX', 'a', 'b', 'c', 'd', 'e');
  const { ref, modSeq: before } = await joe.select();
  assert.equal(
    await changes(joe, ref, before).then(({ changed, vanished, modSeq }) => ({ changed, vanished, modSeq })),
    {
      changed: [],
      vanished: [],
      modSeq: before,
    },
  );
  await joe.flag(ref, [[4, 4]], FLAG.seen);
  await joe.flag(ref, [[2, 2]], FLAG.flagged, ['$new']);
  await joe.append('INBOX', 'f');
  await joe.flag(ref, [[1, 1]], FLAG.deleted);
  must(await joe.change('expunge', { ref, uids: null }));
  const all = await changes(joe, ref, before);
  assert.equal(all.changed, [4, 2, 6]);
  assert.equal(all.vanished, [[1, 1]]);
  const [page] = all.pages;
  assert.equal([page!.uidNext, page!.messages, page!.keywords, page!.rights], [7, 5, ['$new'], 'lrswipkxtea']);
  assert.is(all.modSeq, (await joe.select()).modSeq);
  const few = await changes(joe, ref, before, [
    [1, 2],
    [5, 5],
  ]);
  assert.equal([few.changed, few.vanished], [[2], [[1, 1]]]);
  assert.equal((await changes(joe, ref, before, [[3, 4]])).vanished, []);
  assert.equal((await changes(joe, ref, all.modSeq)).changed, []);
});

/** So many octets of keywords that some hundred messages fill an answer. */
const KEYWORDS = Array.from({ length: 20 }, (_, at) => `${'k'.repeat(90)}${at}`);
const MANY = 400;

async function appendMany(who: Session): Promise<void> {
  const messages = Array.from({ length: MANY }, (_, at) => message(`m${at}`, { keywords: KEYWORDS }));
  must(await who.change('append', { account: 'joe', withInbox: true, name: 'INBOX', messages }));
}

within('pages of changes are of one moment: what comes meanwhile is for the next round', async (w) => {
  const joe = await session(w, 'joe');
  const { ref } = await joe.select();
  await appendMany(joe);
  const first = must(await joe.read('changes', { ref, since: 1 }));
  assert.ok(first.next !== null);
  await joe.flag(ref, [[1, 1]], FLAG.seen); // told already
  await joe.flag(ref, [[MANY, MANY]], FLAG.seen); // not told yet
  await joe.append('INBOX', 'late');
  const told = first.changed.map(({ uid }) => uid);
  let last = first;
  while (last.next !== null) {
    last = must(await joe.read('changes', { ref, since: 1, at: last.next }));
    assert.equal(last.vanished, []);
    assert.is(last.modSeq, first.modSeq);
    told.push(...last.changed.map(({ uid }) => uid));
  }
  assert.equal(
    told,
    Array.from({ length: MANY - 1 }, (_, at) => at + 1),
  );
  assert.equal((await changes(joe, ref, last.modSeq)).changed, [1, MANY, MANY + 1]);
});

within('messages that changed in one operation have one mod-sequence and may lie on two pages', async (w) => {
  const joe = await session(w, 'joe');
  const { ref } = await joe.select();
  await appendMany(joe);
  const { modSeq } = await joe.select();
  await joe.flag(ref, [[1, 250]], FLAG.seen);
  await joe.flag(ref, [[251, MANY]], FLAG.seen);
  const all = await changes(joe, ref, modSeq);
  assert.ok(all.pages.length > 2);
  assert.equal(
    all.changed,
    Array.from({ length: MANY }, (_, at) => at + 1),
  );
});

within('what vanished at a time that is not remembered is told as all that is there', async (w) => {
  const joe = await session(w, 'joe');
  await joe.append('INBOX', 'a', 'b', 'c');
  const { ref, modSeq } = await joe.select();
  await joe.flag(ref, [[2, 2]], FLAG.deleted);
  must(await joe.change('expunge', { ref, uids: null }));
  await w.apply({ type: 'NumbersRaised', by: 1_000 }); // a restore: what was given out after the copy is not known here
  const { vanished, pages, changed } = await changes(joe, ref, modSeq + 500);
  assert.is(vanished, null);
  assert.is(Buffer.from(pages[0]!.present!.blocks[0]!.bits).toString('hex'), '05');
  assert.equal([...changed].sort(), [1, 3]);
  assert.equal((await changes(joe, ref, modSeq)).vanished, [[2, 2]]);
  assert.is((await changes(joe, ref, 0)).vanished, null);
});

within('a structure too large for an answer is read by itself', async (w) => {
  const joe = await session(w, 'joe');
  const { ref } = await joe.select();
  const part = (at: number) =>
    `--x\r\nContent-Type: text/plain\r\nContent-ID: <part-${at}-${'y'.repeat(100)}>\r\n\r\n\r\n`;
  const parts = Array.from({ length: 2_000 }, (_, at) => part(at)).join('');
  const hostile = `MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n${parts}--x--\r\n`;
  await joe.append('INBOX', 'small\r\n\r\n', hostile);
  const { found } = await rows(joe, ref, ALL, 10, true);
  assert.equal(
    found.map(({ structure, structureOctets }) => [structure === undefined, structureOctets === undefined]),
    [
      [false, true],
      [true, false],
    ],
  );
  const chunks: Uint8Array[] = [];
  for (let offset = 0; offset < found[1]!.structureOctets!; offset += chunks.at(-1)!.length) {
    chunks.push(must(await joe.read('structure', { ref, uid: 2, offset }))!.chunk);
  }
  assert.ok(chunks.length > 2);
  assert.is(unpackStructure(Buffer.concat(chunks)).message.parts.length, 2_000);
  assert.is(must(await joe.read('structure', { ref, uid: 3, offset: 0 })), null);
});

within('octets are given from any place, as many as wanted, those of several messages in one answer', async (w) => {
  const body = `Subject: x\r\n\r\n${'0123456789'.repeat(20_000)}`;
  await deliver(w, 'joe', body, 'short');
  const joe = await session(w, 'joe');
  const { ref } = await joe.select();
  const whole = Buffer.concat([TRACE, Buffer.from(body)]);
  const octets = async (wanted: { uid: number; offset: number; most?: number }[]) =>
    must(await joe.read('octets', { ref, wanted }));
  for (const offset of [0, 1, TRACE.length, 130_000, 131_048, 131_080, whole.length - 1]) {
    const [answer] = await octets([{ uid: 1, offset, most: 1_000 }]);
    assert.is(answer!.sizeOctets, whole.length);
    assert.ok(answer!.chunk.length > 0 && answer!.chunk.length <= 1_000);
    assert.equal(Buffer.from(answer!.chunk), whole.subarray(offset, offset + answer!.chunk.length));
  }
  assert.equal((await octets([{ uid: 1, offset: whole.length + 5 }]))[0]!.chunk.length, 0);
  assert.is(String(Buffer.from((await octets([{ uid: 2, offset: TRACE.length }]))[0]!.chunk)), 'short');
  const several = await octets([
    { uid: 2, offset: 0 },
    { uid: 9, offset: 0 },
    { uid: 1, offset: 0, most: 4 },
  ]);
  assert.equal(
    several.map((each) => each && Buffer.from(each.chunk).toString()),
    [`${TRACE}short`, null, 'Retu'],
  );
  const many = await octets(Array.from({ length: 9 }, () => ({ uid: 1, offset: 0 })));
  assert.ok(many.length >= 1 && many.length < 9, 'an answer has an end');
});

within('the stream gives all octets from there on, or breaks', async (w) => {
  const body = 'abcdefghij'.repeat(40_000);
  const joe = await session(w, 'joe');
  const { handle } = must(await w.open('d', null));
  must(await w.stage(handle, 'b', 0, Buffer.from(body).subarray(0, 131_048)));
  must(await w.stage(handle, 'b', 1, Buffer.from(body).subarray(131_048, 262_096)));
  must(await w.stage(handle, 'b', 2, Buffer.from(body).subarray(262_096, 393_144)));
  must(await w.stage(handle, 'b', 3, Buffer.from(body).subarray(393_144)));
  must(await w.clock.until(w.deliverStaged(handle, 1, 'b', Buffer.from(body), 'joe')));
  const { ref } = await joe.select();
  const whole = Buffer.concat([TRACE, Buffer.from(body)]);
  const read = async (request: object) => {
    const chunks: Uint8Array[] = [];
    const asked = { handle: joe.handle(), ref, uid: 1, offset: 0, ...request };
    for await (const chunk of w.bus.stream(w.names.mail('h1', 'octet-stream'), asked, { idleTimeoutMs: 60_000 }))
      chunks.push(chunk);
    return Buffer.concat(chunks);
  };
  assert.ok((await read({})).equals(whole));
  assert.ok((await read({ offset: 5, most: 200_000 })).equals(whole.subarray(5, 200_005)));
  assert.ok((await read({ offset: whole.length - 3 })).equals(whole.subarray(-3)));
  assert.is((await read({ offset: whole.length + 3 })).length, 0);
  assert.is((await read({ offset: 3, most: 0 })).length, 0);
  for (const wrong of [{ uid: 2 }, { handle: 'nobody.s' }, { ref: { ...ref, uidValidity: 1 } }]) {
    assert.ok(
      await read(wrong).then(
        () => false,
        () => true,
      ),
    );
  }
  assert.ok(w.store.read((view) => [...structures.range(view, [])].length) === 1, 'found while it was hashed');
});

within('reads do not wait for a commit that is under way, and see nothing of it', async (w) => {
  const joe = await session(w, 'joe');
  await joe.append('INBOX', 'one');
  const { ref } = await joe.select();
  let release: (value?: unknown) => void = () => {};
  w.fates.push(
    new Promise((resolve) => {
      release = resolve;
    }),
  );
  const storing = joe.flag(ref, ALL, FLAG.seen);
  assert.equal((await rows(joe, ref, ALL, 10)).found[0]!.flags, 0);
  release();
  await storing;
  assert.equal((await rows(joe, ref, ALL, 10)).found[0]!.flags, FLAG.seen);
});

test.run();
