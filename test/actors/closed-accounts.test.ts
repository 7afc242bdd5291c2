/** Who may no longer log in has no session left, on any node that knows it. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ClosedAccounts } from '../../actors/closed-accounts.ts';
import { account, fakeDirectory } from './authenticator/fake-directory.ts';

const turn = () => new Promise((resolve) => setImmediate(resolve));
const JOE = account({ name: 'joe@example.test' });

function node() {
  const directory = fakeDirectory(JOE);
  const kicked: string[] = [];
  const closed = new ClosedAccounts(directory, {
    kick(id) {
      kicked.push(id);
      return 2;
    },
  });
  const put = async (more: Partial<typeof JOE>) => {
    directory.put({ ...JOE, ...more });
    await turn();
  };
  return { kicked, closed, put };
}

test('a status in which nobody may log in ends the sessions, and is counted once', async () => {
  for (const status of ['disabled', 'noaccess', 'deleted'] as const) {
    const { kicked, closed, put } = node();
    await put({ status });
    assert.equal(kicked, [JOE.id], status);
    assert.equal([await closed.takeEnded(JOE.id), await closed.takeEnded(JOE.id)], [2, 0]);
  }
});

test('a deleted account has none left; one that is renamed or changed otherwise keeps them', async () => {
  const { kicked, put } = node();
  await put({ version: 2, settings: { quotaOctets: 1 } });
  await put({ name: 'joseph@example.test', version: 3 });
  await put({ version: 4, deleted: true, renamedTo: 'joseph@example.test' });
  assert.equal(kicked, []);
  await put({ name: 'joseph@example.test', version: 5, deleted: true });
  assert.equal(kicked, [JOE.id]);
});

test('nothing is done in the midst of a turn, nor after the end', async () => {
  const { kicked, closed, put } = node();
  const putting = put({ status: 'disabled' });
  await Promise.resolve();
  assert.equal(kicked, [], 'a log-in that was granted before is not a session yet');
  await putting;
  await closed.stop();
  await put({ status: 'noaccess' });
  assert.is(kicked.length, 1);
});

test.run();
