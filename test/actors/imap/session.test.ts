/** IMAP sessions beyond the transcripts: IDLE across sessions and owners, autologout, the connection log, and how sessions end. */
import { setImmediate as turn } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { defaultMailbox } from '../../../actors/front/default-mailboxes.ts';
import { memoryLog } from '../../../telemetry/memory-log.ts';
import { keptConnectionLog } from '../../support/connection-entries.ts';
import { overMemory } from '../../support/transcript.ts';
import { manualClock } from '../manual-clock.ts';
import { ImapClient } from './conversation.ts';
import { house } from './house.ts';

const LETTER = 'Subject: hello\r\n\r\nbody\r\n';

test('IDLE tells of what others do as it comes, and DONE ends it (RFC 9051 §6.3.13)', async () => {
  const home = await house();
  const ann = await ImapClient.of(home.protocol(), 'ann');
  const other = await ImapClient.of(home.protocol(), 'ann');
  await ann.says('SELECT INBOX');
  ann.send('i IDLE\r\n');
  assert.is(await ann.line(), '+ idling');
  await home.deliver('ann', LETTER);
  assert.is(await ann.line(), '* 1 EXISTS');
  assert.match(await ann.line(), /^\* [01] RECENT$/);
  await other.says('SELECT INBOX');
  await other.says('STORE 1 +FLAGS.SILENT (\\Flagged \\Deleted)');
  assert.match(await ann.line(), /^\* 1 FETCH \(FLAGS \(.*\\Flagged.*\)\)$/);
  await other.says('EXPUNGE');
  assert.is(await ann.line(), '* 1 EXPUNGE');
  ann.send('DONE\r\n');
  assert.is(await ann.line(), 'i OK IDLE terminated');
  await Promise.all([ann.close(), other.close()]);
  await home.stop();
});

test('IDLE goes on when its owner ends and another begins, and misses nothing that was done meanwhile', async () => {
  const home = await house();
  const ann = await ImapClient.of(home.protocol(), 'ann');
  await ann.says('SELECT INBOX');
  ann.send('i IDLE\r\n');
  assert.is(await ann.line(), '+ idling');
  await home.takeOver('n1');
  await home.deliver('ann', LETTER);
  assert.is(await ann.line(), '* 1 EXISTS');
  await ann.line();
  ann.send('DONE\r\n');
  assert.is(await ann.line(), 'i OK IDLE terminated');
  await ann.close();
  await home.stop();
});

test('a change under way when DONE comes is told before the tagged response, and nothing is told after it', async () => {
  const home = await house();
  const ann = await ImapClient.of(home.protocol(), 'ann');
  await ann.says('SELECT INBOX');
  ann.send('i IDLE\r\n');
  await ann.line();
  await home.deliver('ann', LETTER);
  ann.send('DONE\r\n');
  const heard: string[] = [];
  do heard.push(await ann.line());
  while (!heard.at(-1)!.startsWith('i '));
  assert.equal(heard.filter((line) => line === '* 1 EXISTS').length, 1, heard.join('; '));
  assert.is(heard.at(-1), 'i OK IDLE terminated');
  assert.is(await ann.ends('NOOP'), 'OK NOOP completed');
  await ann.close();
  await home.stop();
});

test('a silent IDLE hears that the server is still there, as often as configured; 0: never', async () => {
  const clock = manualClock();
  const home = await house({ clock });
  const ann = await ImapClient.of(home.protocol({ idleKeepaliveMs: 120_000 }), 'ann', { clock });
  ann.send('i IDLE\r\n');
  assert.is(await ann.line(), '+ idling');
  for (let times = 0; times < 3; times++) {
    clock.advance(120_000);
    assert.is(await ann.line(), '* OK still here');
  }
  ann.send('DONE\r\n');
  assert.is(await ann.line(), 'i OK IDLE terminated');
  clock.advance(600_000);
  assert.is(await ann.ends('NOOP'), 'OK NOOP completed');
  await ann.close();
  await home.stop();
});

for (const state of ['before the log-in', 'logged in', 'in IDLE'] as const)
  test(`autologout ${state}: BYE, and the connection ends with X (I-39, RFC 9051 §5.4)`, async () => {
    const clock = manualClock();
    const home = await house({ clock });
    const kept = keptConnectionLog(clock);
    const protocol = home.protocol({ connectionLog: kept.log, idleKeepaliveMs: 60_000 });
    const limits = { idleMs: 1_800_000, writeMs: 60_000 };
    const client = new ImapClient(protocol, { clock, limits });
    await client.line();
    if (state !== 'before the log-in') await client.says('LOGIN ann pencil');
    if (state === 'in IDLE') client.send('i IDLE\r\n');
    if (state === 'in IDLE') await client.line();
    for (let minutes = 0; minutes < 29; minutes++) {
      clock.advance(60_000);
      if (state === 'in IDLE') assert.is(await client.line(), '* OK still here');
      await new Promise((resolve) => setImmediate(resolve)); // until it is known to be out
      client.played.connection().checkDeadline(clock.monotonic());
    }
    clock.advance(60_000);
    client.played.connection().checkDeadline(clock.monotonic());
    let line = await client.line();
    if (line === '* OK still here') line = await client.line();
    assert.is(line, '* BYE autologout: idle for too long');
    assert.is(await client.line(), '<close>');
    await client.close();
    assert.match(kept.codes(), /^O X$/);
    await home.stop();
  });

test('the words of each end', async () => {
  const home = await house();
  for (const [reason, words] of [
    ['shutdown', '* BYE [UNAVAILABLE] this server is going down, come again'],
    ['kicked', '* BYE session ended by the administrator'],
    ['no-log-in', '* BYE autologout: no log-in'],
  ] as const) {
    const client = new ImapClient(home.protocol());
    await client.line();
    client.played.connection().stop(reason);
    assert.is(await client.line(), words);
    assert.is(await client.line(), '<close>');
    await client.close();
  }
  await home.stop();
});

test('the connection log: an A for each failed log-in, none for one that was refused unlooked at (I-04)', async () => {
  const home = await house();
  const kept = keptConnectionLog();
  const told = async (cleartextLogin: boolean) => {
    kept.lines.length = 0;
    const client = new ImapClient(home.protocol({ connectionLog: kept.log, cleartextLogin }));
    await client.line();
    await client.says('LOGIN ann wrong');
    await client.says('LOGIN {6+}\r\nan\r\nn" wrong');
    await client.says('LOGIN ann pencil');
    await client.says('LOGOUT');
    await client.close();
    return kept.entries().map(({ code, service, fields }) => [code, service, fields['user'], fields['mechanism']]);
  };
  assert.equal(await told(true), [
    ['A', 'IMAP', 'ann', 'LOGIN'],
    ['A', 'IMAP', 'an\r\nn"', 'LOGIN'],
    ['O', 'IMAP', 'ann@example.test', 'LOGIN'],
    ['C', 'IMAP', undefined, undefined],
  ]);
  assert.equal(
    (await told(false)).map(([code]) => code),
    ['O', 'C'],
  );
  await home.stop();
});

test('the refusals of a log-in name nobody: unknown and wrong are the same octets but for the tag (I-40)', async () => {
  const home = await house();
  const client = new ImapClient(home.protocol());
  await client.line();
  assert.is(await client.ends('LOGIN nobody x'), await client.ends('LOGIN ann x'));
  await client.close();
  await home.stop();
});

test('what an operator sees of a session: its state, and whose it is once it is logged in', async () => {
  const home = await house();
  const client = new ImapClient(home.protocol());
  await client.line();
  const state = () => client.played.connection().inspect().state;
  assert.is(state(), 'notAuthenticated.ready');
  await client.says('LOGIN ann pencil');
  assert.is(state(), 'authenticated.ready');
  assert.is(client.played.connection().inspect().account, 'ann@example.test');
  await client.says('SELECT INBOX');
  assert.is(state(), 'selected.ready');
  client.send('i IDLE\r\n');
  await client.line();
  assert.is(state(), 'selected.idling.watching');
  await client.close();
  await home.stop();
});

test('pipelined commands are answered one after the other, each whole (RFC 9051 §5.5)', async () => {
  const home = await house();
  const client = new ImapClient(home.protocol());
  await client.line();
  const names = Array.from({ length: 50 }, (_, number) => `m${number}`);
  client.send(`l LOGIN ann pencil\r\n${names.map((name) => `${name} CREATE ${name}\r\n`).join('')}z LIST "" m%\r\n`);
  assert.match(await client.line(), /^l OK/);
  for (const name of names) assert.match(await client.line(), new RegExp(`^${name} OK`));
  for (const name of [...names].sort()) assert.match(await client.line(), new RegExp(` ${name}$`));
  assert.is(await client.line(), 'z OK LIST completed');
  await client.close();
  await home.stop();
});

test('an owner that is away is a temporary refusal, and the session goes on when one is back', async () => {
  const home = await house();
  const ann = await ImapClient.of(home.protocol(), 'ann');
  await home.takeOver('n1', false);
  const asked = ann.says('CREATE x');
  await home.takeOver('n1');
  assert.match((await asked).at(-1)!, 'OK', 'asked again');
  assert.match((await ann.says('LIST "" x'))[0]!, ' x');
  await ann.close();
  await home.stop();
});

test('an account that has none but INBOX gets the default mailboxes, once', async () => {
  const home = await house({ defaultMailboxes: ['Drafts', 'Sent=Gesendet/Alles', 'Trash'].map(defaultMailbox) });
  const ann = await ImapClient.of(home.protocol(), 'ann');
  assert.equal(await ann.says('LIST (SPECIAL-USE) "" * RETURN (SUBSCRIBED)'), [
    '* LIST (\\HasNoChildren \\Subscribed \\Drafts) "/" Drafts',
    '* LIST (\\HasNoChildren \\Subscribed \\Sent) "/" Gesendet/Alles',
    '* LIST (\\HasNoChildren \\Subscribed \\Trash) "/" Trash',
    'OK LIST completed',
  ]);
  await ann.says('DELETE Trash');
  await ann.close();
  const again = await ImapClient.of(home.protocol(), 'ann');
  assert.equal((await again.says('LIST "" Trash')).length, 1, 'what its user has deleted stays so');
  await again.close();
  await home.stop();
});

test('a fault in a command is NO [SERVERBUG] and an entry in the log, and the session goes on', async () => {
  const log = memoryLog();
  const home = await house({ log });
  const ann = await ImapClient.of(home.protocol(), 'ann');
  const ask = home.bus.ask.bind(home.bus);
  home.bus.ask = () => Promise.reject(new TypeError('a mistake of ours'));
  assert.is(await ann.ends('CREATE x'), 'NO [SERVERBUG] something broke here');
  home.bus.ask = ask;
  assert.ok(log.entries.some(({ level, message }) => level === 'error' && message === 'create failed'));
  assert.match(await ann.ends('CREATE x'), 'OK');
  await ann.close();
  await home.stop();
});

test('a fault in SELECT, EXAMINE or CLOSE leaves none selected, in the machine too, and nobody watching (RFC 9051 §6.3.2)', async () => {
  const home = await house();
  const ann = await ImapClient.of(home.protocol(), 'ann');
  const watching = home.watch.size;
  const ask = home.bus.ask.bind(home.bus);
  for (const command of ['SELECT INBOX', 'EXAMINE INBOX', 'CLOSE']) {
    await ann.says('SELECT INBOX');
    await ann.says('NOOP');
    home.bus.ask = () => Promise.reject(new TypeError('a mistake of ours'));
    assert.is(await ann.ends(command), 'NO [SERVERBUG] something broke here', command);
    home.bus.ask = ask;
    assert.is(home.watch.size, watching, command);
    assert.is(await ann.ends('CHECK'), 'BAD CHECK: select a mailbox first', command);
  }
  await ann.close();
  await home.stop();
});

test('a session that its owner ended goes on in another, which tells what became of the mailbox: NOOP, FETCH and IDLE', async () => {
  const home = await house();
  const ann = await ImapClient.of(home.protocol(), 'ann');
  for (const command of ['NOOP', 'FETCH 1 BODY.PEEK[]', 'IDLE']) {
    await home.deliver('ann', LETTER);
    assert.ok((await ann.says('SELECT INBOX')).includes('* 1 EXISTS'), command);
    const drop = home.front.subjects.mail('n1', 'drop-account');
    await home.bus.ask(drop, { account: 'id-ann' }, { timeoutMs: 5_000 });
    ann.send(`i ${command}\r\n`);
    if (command === 'IDLE') await home.deliver('ann', LETTER);
    let last = await ann.line();
    while (!/^i |EXPUNGE$/.test(last)) last = await ann.line();
    if (command.startsWith('FETCH')) assert.ok((await ann.says('NOOP')).includes('* 1 EXPUNGE'), command);
    else assert.is(last, '* 1 EXPUNGE', command);
    if (command === 'IDLE') ann.send('DONE\r\n');
    while (!command.startsWith('FETCH') && !last.startsWith('i OK')) last = await ann.line();
    assert.match(await ann.ends('CREATE x'), /^OK/);
  }
  await ann.close();
  await home.stop();
});

test('a session that its owner ended and that no other follows is told BYE: NOOP, FETCH and IDLE', async () => {
  for (const command of ['NOOP', 'FETCH 1 FLAGS', 'IDLE']) {
    const home = await house();
    const ann = await ImapClient.of(home.protocol(), 'ann');
    await home.deliver('ann', LETTER);
    await ann.says('SELECT INBOX');
    await home.bus.ask(home.front.subjects.mail('n1', 'drop-account'), { account: 'id-ann' }, { timeoutMs: 5_000 });
    const ask = home.bus.ask.bind(home.bus);
    home.bus.ask = (subject, request, options) =>
      subject.endsWith('guest-ticket')
        ? Promise.resolve({ ok: false, refusal: 'no-such-account' })
        : ask(subject, request, options);
    ann.send(`i ${command}\r\n`);
    if (command === 'IDLE') {
      await ann.line();
      await home.deliver('ann', LETTER);
    }
    let last = await ann.line();
    if (command.startsWith('FETCH')) {
      assert.match(last, /^i NO \[UNAVAILABLE\]/);
      ann.send('j FETCH 1 FLAGS\r\n');
      last = await ann.line();
    }
    assert.match(last, /^\* BYE \[UNAVAILABLE\]/, command);
    await ann.close();
    await home.stop();
  }
});

test('a client that vanishes while an owner is away leaves its account’s place at once', async () => {
  const home = await house();
  const { services } = home;
  const events: string[] = [];
  let asked: () => void = () => {};
  const isAsked = new Promise<void>((resolve) => {
    asked = resolve;
  });
  let answered: () => void = () => {};
  const isAnswered = new Promise<void>((resolve) => {
    answered = resolve;
  });
  const seen: typeof services = {
    begin(caller) {
      const begun = services.begin(caller);
      const [vacate, owner] = [begun.vacate.bind(begun), begun.owner.bind(begun)];
      begun.vacate = (keepsPlace) => {
        events.push(keepsPlace ? 'kept' : 'vacated');
        vacate(keepsPlace);
      };
      begun.owner = async (mailHost) => {
        if (mailHost !== 'n2') return await owner(mailHost);
        asked();
        const answer = await owner(mailHost);
        events.push(answer.ok ? 'opened' : answer.refusal);
        answered();
        return answer;
      };
      return begun;
    },
  };
  const ann = await ImapClient.of(home.protocol({ services: seen }), 'ann');
  await home.takeOver('n2', false);
  ann.send('a SELECT user/zoe\r\n');
  await isAsked;
  await ann.close();
  await isAnswered;
  assert.equal(events, ['vacated', 'unavailable'], 'and not when patience was over');
  await home.takeOver('n2');
  await home.stop();
});

test('a message that is under way when its client vanishes keeps the account’s place until it is given up', async () => {
  const home = await house();
  const { services } = home;
  const events: string[] = [];
  let left: () => void = () => {};
  const hasLeft = new Promise<void>((resolve) => {
    left = resolve;
  });
  const seen: typeof services = {
    begin(caller) {
      const begun = services.begin(caller);
      const [vacate, leave] = [begun.vacate.bind(begun), begun.leave.bind(begun)];
      begun.vacate = (keepsPlace) => {
        events.push(keepsPlace ? 'kept' : 'vacated');
        vacate(keepsPlace);
      };
      begun.leave = async () => {
        await leave();
        left();
      };
      return begun;
    },
  };
  const ann = await ImapClient.of(home.protocol({ services: seen }), 'ann');
  ann.send('a APPEND INBOX {100}\r\n');
  assert.match((await ann.line())!, /^\+/);
  ann.send('Subject: half');
  for (let turns = 0; turns < 10; turns++) await turn();
  await ann.close();
  await hasLeft;
  assert.is(events[0], 'kept');
  assert.is(events.at(-1), 'vacated');
  await home.stop();
});

test('a client that vanishes during its log-in leaves no session behind', async () => {
  const home = await house();
  const played = overMemory(home.protocol());
  await played.client.line();
  played.client.send('a LOGIN ann pencil\r\n');
  await played.close();
  const ann = await ImapClient.of(home.protocol(), 'ann');
  assert.is(await ann.ends('NOOP'), 'OK NOOP completed');
  await ann.close();
  assert.is(home.watch.size, 0, 'nobody looks any more');
  await home.stop();
});

test.run();
