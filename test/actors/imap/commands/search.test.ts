/** SEARCH, SORT and THREAD against real owners. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { MOST_FOREIGN_IDS } from '../../../../actors/imap/search-key-program.ts';
import { type Home, type ImapClient, inHouse, mail } from '../client.ts';

/** m1 to m5 of February 2020; 2 is seen and has $Work, 4 is flagged. */
const selected = async (logIn: Home['logIn']): Promise<ImapClient> => {
  const ann = await logIn();
  for (let n = 1; n <= 5; n++) {
    const flags = n === 2 ? '(\\Seen $Work) ' : n === 4 ? '(\\Flagged) ' : '';
    const text = mail(`m${n}`, `text of the ${n}th\r\n${'x'.repeat(n * 100)}\r\n`);
    await ann.append('INBOX', text, `${flags}" ${n}-Feb-2020 10:00:00 +0000" `);
  }
  await ann.ok('SELECT INBOX');
  return ann;
};

test('each key finds what RFC 3501 §6.4.4 says', async () => {
  await inHouse(async ({ logIn }) => {
    const ann = await selected(logIn);
    const found: readonly (readonly [key: string, numbers: string])[] = [
      ['ALL', '1 2 3 4 5'],
      ['SEEN', '2'],
      ['UNSEEN UNFLAGGED', '1 3 5'],
      ['KEYWORD $work', '2'],
      ['UNKEYWORD $Work', '1 3 4 5'],
      ['NEW', '1 3 4 5'],
      ['RECENT', '1 2 3 4 5'],
      ['OLD', ''],
      ['OR FLAGGED 1', '1 4'],
      ['NOT 2:4', '1 5'],
      ['(2:4 NOT SEEN)', '3 4'],
      ['UID 3:*', '3 4 5'],
      ['UID 9:*', '5'],
      ['LARGER 400', '3 4 5'],
      ['SMALLER 300', '1'],
      ['SINCE 3-Feb-2020', '3 4 5'],
      ['BEFORE 3-Feb-2020', '1 2'],
      ['ON 3-Feb-2020', '3'],
      ['SENTON 7-Feb-1994', '1 2 3 4 5'],
      ['SENTBEFORE 7-Feb-1994', ''],
      ['SAVEDSINCE 1-Jan-2021', '1 2 3 4 5'],
      ['SAVEDATESUPPORTED', '1 2 3 4 5'],
      ['OLDER 86400', '1 2 3 4 5'],
      ['YOUNGER 86400', ''],
      ['SUBJECT M3', '3'],
      ['FROM ann', '1 2 3 4 5'],
      ['TO nobody', ''],
      ['HEADER Message-ID m4@', '4'],
      ['BODY "of the 2th"', '2'],
      ['TEXT m5', '5'],
      ['MODSEQ 5', '4 5 (MODSEQ 6)'],
      ['THREADID x', ''],
    ];
    for (const [key, numbers] of found) {
      const untagged = await ann.ok(`SEARCH ${key}`);
      assert.is(untagged.at(-1), numbers === '' ? 'SEARCH' : `SEARCH ${numbers}`, key);
    }
  });
});

test('RETURN asks for what it names (RFC 4731 §3.1), and MODSEQ is that of what is told (§3.2)', async () => {
  await inHouse(async ({ logIn }) => {
    const ann = await selected(logIn);
    const told = async (text: string) => (await ann.ok(text)).at(-1)!.replace(/\(TAG "t\d+"\)/, '(TAG)');
    assert.is(await told('SEARCH RETURN () UNSEEN'), 'ESEARCH (TAG) ALL 1,3:5');
    assert.is(await told('UID SEARCH RETURN (MIN MAX COUNT) UNSEEN'), 'ESEARCH (TAG) UID MIN 1 MAX 5 COUNT 4');
    assert.is(await told('SEARCH RETURN (ALL COUNT) DELETED'), 'ESEARCH (TAG) COUNT 0');
    assert.is(await told('SEARCH RETURN (MIN) MODSEQ 2'), 'ESEARCH (TAG) MIN 1 MODSEQ 2');
    assert.is(await told('SEARCH RETURN (MIN MAX) MODSEQ 3'), 'ESEARCH (TAG) MIN 2 MAX 5 MODSEQ 6');
    assert.is(await told('SEARCH RETURN (MIN COUNT) MODSEQ 3'), 'ESEARCH (TAG) MIN 2 COUNT 4 MODSEQ 6');
    await ann.ok('UNSELECT');
  });
});

test('IMAP4rev2 answers with ESEARCH always (RFC 9051 §6.4.4)', async () => {
  await inHouse(async ({ logIn }) => {
    await selected(logIn);
    const ann = await logIn();
    await ann.ok('ENABLE IMAP4rev2');
    await ann.ok('SELECT INBOX');
    assert.equal(await ann.ok('UID SEARCH FLAGGED'), ['ESEARCH (TAG "t4") UID ALL 4']);
    assert.equal(await ann.ok('SEARCH DELETED'), ['ESEARCH (TAG "t5")']);
  });
});

test('$ is what was saved, by number or UID, without what was expunged (RFC 5182)', async () => {
  await inHouse(async ({ logIn }) => {
    const ann = await selected(logIn);
    assert.equal(await ann.ok('FETCH $ UID'), [], 'empty at first, and valid');
    assert.equal(await ann.ok('SEARCH RETURN (SAVE) UNSEEN'), []);
    assert.is((await ann.ok('UID FETCH $ UID')).length, 4);
    await ann.ok('STORE 1 +FLAGS.SILENT (\\Deleted)');
    await ann.ok('EXPUNGE');
    assert.equal(await ann.ok('SEARCH $'), ['SEARCH 2 3 4']);
    assert.equal(await ann.ok('UID SEARCH UID $ FLAGGED'), ['SEARCH 4']);
    await ann.ok('SEARCH RETURN (SAVE MAX) ALL');
    assert.equal(await ann.ok('FETCH $ UID'), ['4 FETCH (UID 5)'], 'RFC 5182 §2.4');
    await ann.ok('SEARCH RETURN (SAVE MIN COUNT) FLAGGED');
    assert.equal(await ann.ok('SEARCH $'), ['SEARCH 3']);
    assert.match((await ann.ask('SEARCH RETURN (SAVE) 99')).tagged, /^BAD/);
    assert.equal(await ann.ok('SEARCH $'), ['SEARCH 3'], 'BAD leaves it');
    assert.match((await ann.ask('SEARCH RETURN (SAVE) CHARSET X-NO TEXT x')).tagged, /^NO \[BADCHARSET \(/);
    assert.equal(await ann.ok('SEARCH $'), ['SEARCH'], 'NO empties it');
  });
});

test('1:* in an empty mailbox is nothing, a number is still none', async () => {
  await inHouse(async ({ logIn }) => {
    const ann = await logIn();
    await ann.ok('SELECT INBOX');
    assert.equal(await ann.ok('SEARCH 1:*'), ['SEARCH']);
    assert.equal(await ann.ok('SEARCH *'), ['SEARCH']);
    assert.equal(await ann.ok('SORT (ARRIVAL) UTF-8 1:*'), ['SORT']);
    assert.equal(await ann.ok('THREAD REFERENCES UTF-8 NOT 1:*'), ['THREAD']);
    assert.match((await ann.ask('SEARCH 1')).tagged, /^BAD/);
    assert.match((await ann.ask('FETCH 1:* UID')).tagged, /^BAD/);
  });
});

test('copies of another account are found by their ids with one look at the mailbox for all of a command', async () => {
  await inHouse(async ({ logIn, bus }) => {
    const [ann, joe] = [await logIn(), await logIn('joe')];
    for (let n = 1; n <= 3; n++) await joe.append('INBOX', mail(`j${n}`));
    await ann.append('INBOX', mail('own'));
    await ann.ok('SETACL INBOX joe lri');
    await joe.ok('SELECT INBOX');
    await joe.ok('COPY 1:3 user/ann');
    await ann.ok('SELECT INBOX');
    const ids = (await ann.ok('FETCH 2:4 EMAILID')).map((each) => /EMAILID \((.*?)\)/.exec(each)![1]!);
    const ask = bus.ask.bind(bus);
    let looks = 0;
    bus.ask = (subject, request, options) => {
      if (subject.endsWith('.messages')) looks++;
      return ask(subject, request, options);
    };
    assert.equal(await ann.ok(`SEARCH OR EMAILID ${ids[0]} (EMAILID ${ids[2]} NOT EMAILID ${ids[1]})`), ['SEARCH 2 4']);
    assert.is(looks, 1);
    const many = Array.from({ length: MOST_FOREIGN_IDS + 1 }, (_, n) => `NOT EMAILID M${'x'.repeat(16)}-${n}`).join(
      ' ',
    );
    assert.match((await ann.ask(`SEARCH ${many}`)).tagged, /^NO \[LIMIT\]/);
    assert.is(looks, 1);
  });
});

test('strings are in the charset that is named (RFC 9051 §6.4.4)', async () => {
  await inHouse(async ({ logIn }) => {
    const ann = await logIn();
    await ann.append('INBOX', mail('=?iso-8859-1?q?caf=E9?='));
    await ann.ok('SELECT INBOX');
    assert.equal(await ann.ok('SEARCH CHARSET UTF-8 SUBJECT {5+}\r\ncaf\xc3\xa9'), ['SEARCH 1']);
    assert.equal(await ann.ok('SEARCH CHARSET ISO-8859-1 SUBJECT {4+}\r\nCAF\xc9'), ['SEARCH 1']);
  });
});

test('what the client was not told of is not found, and no number shifts where numbers were spoken of', async () => {
  await inHouse(async ({ logIn }) => {
    const [ann, other] = [await selected(logIn), await logIn()];
    await other.append('INBOX', mail('m6'));
    await other.ok('SELECT INBOX');
    await other.ok('STORE 1 +FLAGS.SILENT (\\Deleted)');
    await other.ok('EXPUNGE');
    const first = await ann.ok('UID SEARCH 1:5');
    assert.is(first[0], 'SEARCH 2 3 4 5');
    assert.not(
      first.some((each) => each.endsWith('EXPUNGE')),
      'RFC 7162 §3.2.10.2',
    );
    assert.ok(first.includes('6 EXISTS'));
    assert.ok((await ann.ok('UID SEARCH ALL')).includes('1 EXPUNGE'));
  });
});

test('SORT by its criteria, and by number between equals (RFC 5256 §3)', async () => {
  await inHouse(async ({ logIn }) => {
    const ann = await selected(logIn);
    assert.equal(await ann.ok('SORT (REVERSE SUBJECT) UTF-8 ALL'), ['SORT 5 4 3 2 1']);
    assert.equal(await ann.ok('UID SORT (FROM REVERSE SIZE) UTF-8 UNSEEN'), ['SORT 5 4 3 1']);
    assert.equal(await ann.ok('SORT (ARRIVAL) UTF-8 DELETED'), ['SORT']);
    assert.equal(await ann.ok('SORT RETURN (MIN MAX COUNT ALL) (REVERSE DATE REVERSE ARRIVAL) UTF-8 1:3'), [
      'ESEARCH (TAG "t11") MIN 3 MAX 1 COUNT 3 ALL 3,2,1',
    ]);
    await ann.ok('SORT RETURN (SAVE MIN) (REVERSE SUBJECT) UTF-8 ALL');
    assert.equal(await ann.ok('SEARCH $'), ['SEARCH 5']);
    assert.match((await ann.ask('SORT (DATE) X-NO ALL')).tagged, /^NO \[BADCHARSET/);
  });
});

test('THREAD by references and by subject (RFC 5256 §3)', async () => {
  await inHouse(async ({ logIn }) => {
    const ann = await logIn();
    const reply = 'In-Reply-To: <a@example.test>\r\nReferences: <a@example.test>\r\n';
    await ann.append('INBOX', mail('a'));
    await ann.append('INBOX', mail('b'));
    await ann.append('INBOX', mail('Re: a', 'hi\r\n', reply));
    await ann.ok('SELECT INBOX');
    assert.equal(await ann.ok('THREAD REFERENCES UTF-8 ALL'), ['THREAD (1 3)(2)']);
    assert.equal(await ann.ok('UID THREAD ORDEREDSUBJECT UTF-8 ALL'), ['THREAD (1 3)(2)']);
    assert.equal(await ann.ok('THREAD REFERENCES UTF-8 DELETED'), ['THREAD']);
  });
});

test.run();
