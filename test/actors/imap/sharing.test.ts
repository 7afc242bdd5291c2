/** Mailboxes of others, on this mailHost and on another: rows I-14 to I-21, RFC 4314 §4, RFC 2342. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ImapClient } from './conversation.ts';
import { house } from './house.ts';

const LETTER = 'Subject: hello\r\n\r\nbody\r\n';

test('a mailbox shared with a user of another mailHost is listed, selected and changed there', async () => {
  const home = await house();
  const ann = await ImapClient.of(home.protocol(), 'ann');
  const zoe = await ImapClient.of(home.protocol(), 'zoe');
  await ann.says('CREATE Work/Plans');
  assert.equal(await zoe.says('LIST "" *'), ['* LIST (\\HasNoChildren) "/" INBOX', 'OK LIST completed']);
  assert.is(
    await zoe.ends('SELECT user/ann/Work/Plans'),
    'NO [NONEXISTENT] no such mailbox',
    'as one that is not there: I-21',
  );
  assert.is(await zoe.ends('SELECT user/ann/Work/Nothing'), 'NO [NONEXISTENT] no such mailbox');
  assert.is(await ann.ends('SETACL Work/Plans zoe lrswi'), 'OK SETACL completed');
  assert.equal(await zoe.says('LIST user/ *'), [
    '* LIST (\\Noselect \\HasChildren) "/" user/ann',
    '* LIST (\\Noselect \\HasChildren) "/" user/ann/Work',
    '* LIST (\\HasNoChildren) "/" user/ann/Work/Plans',
    'OK LIST completed',
  ]);
  assert.equal(await zoe.says('LIST "" %'), [
    '* LIST (\\HasNoChildren) "/" INBOX',
    '* LIST (\\Noselect \\HasChildren) "/" user',
    'OK LIST completed',
  ]);
  assert.equal(await zoe.says('MYRIGHTS user/ann/Work/Plans'), [
    '* MYRIGHTS user/ann/Work/Plans lrswi',
    'OK MYRIGHTS completed',
  ]);
  assert.match(await zoe.ends('SELECT user/ann/Work/Plans'), 'OK [READ-WRITE]');
  zoe.send(`a APPEND user/ann/Work/Plans {${LETTER.length}+}\r\n${LETTER}\r\n`);
  const heard = [await zoe.line(), await zoe.line(), await zoe.line()];
  assert.ok(heard.includes('* 1 EXISTS'), heard.join('; '));
  assert.match(heard[2]!, /^a OK \[APPENDUID /);
  assert.match((await ann.says('STATUS Work/Plans (MESSAGES)'))[0]!, 'MESSAGES 1');
  assert.is(await ann.ends('DELETEACL Work/Plans zoe'), 'OK DELETEACL completed');
  assert.match(await zoe.ends('STATUS user/ann/Work/Plans (MESSAGES)'), 'NO [NONEXISTENT]');
  await Promise.all([ann.close(), zoe.close()]);
  await home.stop();
});

test('each right alone lets do what RFC 4314 §4 says, and nothing else (I-20)', async () => {
  const home = await house();
  const ann = await ImapClient.of(home.protocol(), 'ann');
  const joe = await ImapClient.of(home.protocol(), 'joe');
  await ann.says('CREATE X/Y');
  const does = async (command: string) => (await joe.ends(command)).slice(0, 2);
  const asked = {
    list: async () => ((await joe.says('LIST "" user/ann/X')).length > 1 ? 'OK' : 'NO'),
    select: () => does('SELECT user/ann/X'),
    status: () => does('STATUS user/ann/X (MESSAGES)'),
    create: () => does('CREATE user/ann/X/Z'),
    getacl: () => does('GETACL user/ann/X'),
    setacl: () => does('SETACL user/ann/X zoe l'),
    myrights: () => does('MYRIGHTS user/ann/X'),
    remove: () => does('DELETE user/ann/X'),
  };
  const allowed: Readonly<Record<string, readonly (keyof typeof asked)[]>> = {
    l: ['list', 'myrights'],
    r: ['select', 'status', 'myrights'],
    k: ['create', 'myrights'],
    x: ['remove', 'myrights'],
    a: ['getacl', 'setacl', 'myrights'],
    s: [],
    w: [],
    p: [],
    i: ['myrights'],
  };
  for (const [right, may] of Object.entries(allowed)) {
    await ann.says(`SETACL X joe ${right}`);
    for (const [what, ask] of Object.entries(asked))
      assert.is(await ask(), may.includes(what as keyof typeof asked) ? 'OK' : 'NO', `${what} with ${right}`);
    await ann.says('DELETE X/Z');
    await ann.says('DELETEACL X zoe');
    if (may.includes('remove')) await ann.says('CREATE X');
  }
  await Promise.all([ann.close(), joe.close()]);
  await home.stop();
});

test('anyone gives, and negative rights take (I-17, I-18, I-19)', async () => {
  const home = await house();
  const ann = await ImapClient.of(home.protocol(), 'ann');
  const joe = await ImapClient.of(home.protocol(), 'joe');
  await ann.says('CREATE X');
  await ann.says('SETACL X anyone lrs');
  assert.match((await joe.says('MYRIGHTS user/ann/X'))[0]!, / lrs$/);
  await ann.says('SETACL X -joe rs');
  assert.match((await joe.says('MYRIGHTS user/ann/X'))[0]!, / l$/);
  assert.match(await joe.ends('SELECT user/ann/X'), 'NO [NOPERM]');
  await ann.says('SETACL X -ann lrswipkxtea');
  assert.match((await ann.says('MYRIGHTS X'))[0]!, /l.*a/, 'whose it is keeps the rights to see and administer it');
  await Promise.all([ann.close(), joe.close()]);
  await home.stop();
});

test('an administrator sees, opens and changes the mailboxes of users and shared ones, wherever they are (I-41)', async () => {
  const home = await house();
  const [ann, root, joe] = await Promise.all(
    ['ann', 'root', 'joe'].map((name) => ImapClient.of(home.protocol(), name)),
  );
  await ann!.says('CREATE Work');
  for (const user of [ann, joe]) await user!.says('STATUS INBOX (MESSAGES)'); // INBOX comes into being when its user needs it
  assert.equal(await root!.says('LIST user/ *'), [
    '* LIST (\\HasChildren) "/" user/ann',
    '* LIST (\\HasNoChildren) "/" user/ann/Work',
    '* LIST (\\HasNoChildren) "/" user/joe',
    'OK LIST completed',
  ]);
  assert.equal(await root!.says('LIST "" *'), ['* LIST (\\HasNoChildren) "/" INBOX', 'OK LIST completed']);
  assert.match(await root!.ends('SELECT user/ann/Work'), 'OK [READ-WRITE]');
  assert.match(await root!.ends('CREATE user/zoe/Made'), 'OK', 'on another mailHost');
  assert.match((await root!.says('LIST user/zoe/ %'))[0]!, 'user/zoe/Made');
  assert.match(await root!.ends('CREATE shared/bugs'), 'OK');
  assert.match(await root!.ends('SETACL shared/bugs anyone lr'), 'OK');
  assert.match((await joe!.says('LIST shared/ *'))[0]!, 'shared/bugs');
  assert.match(await joe!.ends('SELECT shared/bugs'), 'OK [READ-ONLY]');
  assert.match(await joe!.ends('SELECT user/ann/Work'), 'NO [NONEXISTENT]', 'other users see nothing of it');
  await Promise.all([ann, root, joe].map((each) => each!.close()));
  await home.stop();
});

test('I-19: GETACL and LISTRIGHTS tell of the owner what it has, and what nobody takes from it', async () => {
  const home = await house();
  const [ann, joe] = [await ImapClient.of(home.protocol(), 'ann'), await ImapClient.of(home.protocol(), 'joe')];
  await ann.says('CREATE X');
  assert.is((await ann.says('GETACL X'))[0], '* ACL X ann lrswipkxteacd');
  assert.match(await ann.ends('SETACL X ann +p'), 'OK');
  assert.is((await ann.says('MYRIGHTS X'))[0], '* MYRIGHTS X lrswipkxteacd', 'adding takes nothing');
  assert.match(await ann.ends('SETACL X joe lr'), 'OK');
  assert.match(await ann.ends('SETACL X ann -xkte'), 'OK');
  assert.is((await ann.says('GETACL X'))[0], '* ACL X ann lrswipa joe lr');
  assert.match(await ann.ends('SETACL X ann ""'), 'OK');
  assert.is((await ann.says('GETACL X'))[0], '* ACL X ann la joe lr');
  assert.is((await ann.says('MYRIGHTS X'))[0], '* MYRIGHTS X la');
  assert.is((await ann.says('LISTRIGHTS X ann'))[0], '* LISTRIGHTS X ann la r s w i p k x t e c d');
  assert.is((await ann.says('LISTRIGHTS X joe'))[0], '* LISTRIGHTS X joe "" l r s w i p k x t e a c d');
  assert.match(await ann.ends('DELETEACL X ann'), 'OK');
  assert.is((await ann.says('MYRIGHTS X'))[0], '* MYRIGHTS X lrswipkxteacd');
  await Promise.all([ann.close(), joe.close()]);
  await home.stop();
});

test('RFC 4314 §3.7: what LISTRIGHTS names together is granted together, and what it names alone alone (§2.1.1 for c and d)', async () => {
  const home = await house();
  const [ann, joe] = [await ImapClient.of(home.protocol(), 'ann'), await ImapClient.of(home.protocol(), 'joe')];
  await ann.says('CREATE X');
  const [, groups] = /^\* LISTRIGHTS X joe "" (.*)$/.exec((await ann.says('LISTRIGHTS X joe'))[0]!)!;
  const sorted = (rights: string) => [...rights].sort().join('');
  const VIRTUAL: Readonly<Record<string, string>> = { c: 'ckx', d: 'det', k: 'ck', x: 'cx', t: 'dt', e: 'de' };
  assert.is(sorted(groups!.replaceAll(' ', '')), 'acdeiklprstwx', 'each once');
  for (const group of groups!.split(' ')) {
    assert.match(await ann.ends(`SETACL X joe ${group}`), 'OK');
    const [, granted] = /joe ([a-z]+)$/.exec((await ann.says('GETACL X'))[0]!)!;
    assert.is(sorted(granted!), VIRTUAL[group] ?? sorted(group), group);
    assert.match(await ann.ends(`SETACL X joe -${group}`), 'OK');
    assert.is((await ann.says('GETACL X'))[0], '* ACL X ann lrswipkxteacd', 'and taken away again');
  }
  await Promise.all([ann.close(), joe.close()]);
  await home.stop();
});

test('while the owner of others is away, one own is listed, and said to be all that there is', async () => {
  const home = await house();
  const ann = await ImapClient.of(home.protocol(), 'ann');
  await home.takeOver('n2', false);
  assert.equal(await ann.says('LIST "" *'), [
    '* LIST (\\HasNoChildren) "/" INBOX',
    'OK LIST completed, without mailboxes of others',
  ]);
  await ann.close();
  await home.stop();
});

test.run();
