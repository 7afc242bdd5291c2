/**
 * The checks that three widespread clients make of a poppassd server, modelled from what is known of them and not from
 * their code: which replies each takes for a yes, in what order it says what, and how it leaves. Over real sockets.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Conversation, conversation } from '../../support/conversation.ts';
import { overSocket } from '../../support/transcript.ts';
import { fakeHouse, poppwd } from './fake-services.ts';

type Change = { readonly name: string; readonly before: string; readonly after: string };
/** Changes a password; the first reply that it does not take for a yes. */
type Model = (client: Conversation, change: Change) => Promise<string | undefined>;

/** Roundcube's password plugin: lower case, CRLF; 2xx to the greeting and NEWPASS, 2xx or 3xx between; hangs up without QUIT. */
const roundcube: Model = async ({ greeting, ask, client }, { name, before, after }) => {
  if (!/^2\d\d/.test(greeting)) return greeting;
  for (const [line, isYes] of [
    [`user ${name}`, /^[23]\d\d/],
    [`pass ${before}`, /^[23]\d\d/],
    [`newpass ${after}`, /^2\d\d/],
  ] as const) {
    const reply = await ask(line);
    if (!isYes.test(reply)) return reply;
  }
  client.destroy();
  return undefined;
};

/** Horde's Passwd: lower case, bare LF; 200, 220, 250 or 300 and nothing else to every line; says quit, and minds its reply. */
const horde: Model = async ({ greeting, ask }, { name, before, after }) => {
  const isYes = /^(200|220|250|300)/;
  if (!isYes.test(greeting)) return greeting;
  for (const line of [`user ${name}`, `pass ${before}`, `newpass ${after}`, 'quit']) {
    const reply = await ask(`${line}\n`);
    if (!isYes.test(reply)) return reply;
  }
  return undefined;
};

/** CommuniGate's CLI library, logging in by password: exactly 300 after USER, a timestamp found greedily, INLINE ignored. */
const communigate: Model = async ({ greeting, ask }, { name, before, after }) => {
  if (!/^2/.test(greeting) || /<.*@.*>/.exec(greeting)?.[0].split('<').length !== 2) return greeting;
  const named = await ask(`USER ${name}`);
  if (!named.startsWith('300 ')) return named;
  const loggedIn = await ask(`PASS ${before}`);
  if (!loggedIn.startsWith('200 ')) return loggedIn;
  await ask('INLINE');
  const changed = await ask(`NEWPASS ${after}`);
  if (!changed.startsWith('200 ')) return changed;
  const left = await ask('QUIT');
  return left.startsWith('200 ') ? undefined : left;
};

const models: Readonly<Record<string, Model>> = { Roundcube: roundcube, Horde: horde, 'CommuniGate CLI': communigate };
const change: Change = { name: 'joe@example.test', before: 'old password', after: 'a new one, with "quotes" ' };

for (const [name, model] of Object.entries(models)) {
  test(`${name} changes a password, and it is changed when the client is gone`, async () => {
    const house = fakeHouse();
    const talk = await conversation(await overSocket(poppwd(house.services)));
    assert.is(await model(talk, change), undefined);
    assert.is(house.password(), change.after);
    await talk.close();
  });

  test(`${name} hears a no where the old password is wrong, where the account is not known, and where it may not change it`, async () => {
    for (const [wrong, reply] of [
      [{ ...change, before: 'wrong' }, '515 incorrect password or account name'],
      [{ ...change, name: 'nobody' }, '515 incorrect password or account name'],
      [{ ...change, after: 'not-allowed' }, '500 not changed: this account may not change its password'],
      [{ ...change, after: 'unavailable' }, '500 not changed: temporary failure, try again later'],
    ] as const) {
      const house = fakeHouse();
      const talk = await conversation(await overSocket(poppwd(house.services)));
      assert.is(await model(talk, wrong), reply);
      assert.is(house.password(), 'old password');
      await talk.close();
    }
  });
}

test.run();
