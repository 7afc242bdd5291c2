/** What every admin channel does; each implementation passes this file. Nodes and operator may be on links of their own. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { AdminChannel } from '../../../cluster/admin/channel.ts';
import type { Service } from '../../../cluster/bus/bus.ts';

export type Ends = { readonly operator: AdminChannel; readonly nodes: AdminChannel; close(): Promise<void> };

export function channelContract(name: string, open: () => Promise<Ends>): void {
  const test = suite<{ ends: Ends }>(`admin channel: ${name}`);
  test.before.each(async (context) => {
    context.ends = await open();
  });
  test.after.each(({ ends }) => ends.close());

  /** A node that answers each message with its own name before it. */
  const echo = (nodes: AdminChannel, me: string, heard: string[] = []): Promise<Service> =>
    nodes.serve(me, (message, answer) => {
      heard.push(`${me}: ${text(message)}`);
      answer(Buffer.from(`${me} heard ${text(message)}`));
    });
  const text = (octets: Uint8Array) => Buffer.from(octets).toString();

  /** The first answers to one message, sorted. */
  async function answersTo(channel: AdminChannel, to: string | undefined, message: string, count: number) {
    const answers: string[] = [];
    let enough: () => void = () => {};
    const all = new Promise<void>((resolve) => (enough = resolve));
    const sent = await channel.send(to, Buffer.from(message), (octets) => {
      answers.push(text(octets));
      if (answers.length === count) enough();
    });
    await all;
    await sent.stop();
    return answers.sort();
  }

  test('a message to all is heard by every node, and each answers', async ({ ends: { operator, nodes } }) => {
    for (const me of ['n1', 'n2', 'n3']) await echo(nodes, me);
    assert.equal(await answersTo(operator, undefined, 'hello', 3), [
      'n1 heard hello',
      'n2 heard hello',
      'n3 heard hello',
    ]);
  });

  test('a message to one node is heard by that one alone', async ({ ends: { operator, nodes } }) => {
    const heard: string[] = [];
    for (const me of ['n1', 'n2.example.test', 'n3']) await echo(nodes, me, heard);
    assert.equal(await answersTo(operator, 'n2.example.test', 'you', 1), ['n2.example.test heard you']);
    await answersTo(operator, undefined, 'all', 3);
    assert.equal(
      heard.filter((each) => each.endsWith('you')),
      ['n2.example.test: you'],
    );
  });

  test('a node called "all" hears each message once', async ({ ends: { operator, nodes } }) => {
    const heard: string[] = [];
    await echo(nodes, 'all', heard);
    await echo(nodes, 'n2', heard);
    await answersTo(operator, undefined, 'first', 2);
    await answersTo(operator, undefined, 'second', 2);
    assert.equal(heard.sort(), ['all: first', 'all: second', 'n2: first', 'n2: second']);
  });

  test('answers come to whom asked, several of them, and not after he has stopped', async ({
    ends: { operator, nodes },
  }) => {
    let more: (octets: Uint8Array) => void = () => {};
    await nodes.serve('n1', (message, answer) => {
      more = answer;
      for (const part of [1, 2, 3]) answer(Buffer.from(`${text(message)} ${part}`));
    });
    const [one, other] = await Promise.all([answersTo(operator, 'n1', 'a', 3), answersTo(operator, undefined, 'b', 3)]);
    assert.equal([...one, ...other], ['a 1', 'a 2', 'a 3', 'b 1', 'b 2', 'b 3']);
    more(Buffer.from('late')); // nobody is there; nothing fails
    assert.equal(await answersTo(operator, 'n1', 'c', 3), ['c 1', 'c 2', 'c 3']);
  });

  test('a node that has stopped hears nothing more, and a message that nobody hears is lost', async ({
    ends: { operator, nodes },
  }) => {
    const heard: string[] = [];
    const gone = await echo(nodes, 'n1', heard);
    await echo(nodes, 'n2', heard);
    await gone.stop();
    await answersTo(operator, undefined, 'all', 1);
    const lost = await operator.send('n9', Buffer.from('lost'), () => assert.unreachable());
    await answersTo(operator, undefined, 'again', 1);
    await lost.stop();
    assert.equal(heard, ['n2: all', 'n2: again']);
  });

  test('octets arrive as they were sent, and a node that throws goes on hearing', async ({
    ends: { operator, nodes },
  }) => {
    const octets = new Uint8Array(16 * 1024).map((_, at) => at * 7);
    let isFirst = true;
    await nodes.serve('n1', (message, answer) => {
      answer(message);
      if (!isFirst) return;
      isFirst = false;
      throw new Error("what a listener does is not the channel's concern");
    });
    for (let round = 0; round < 2; round++) {
      let done: (echoed: Uint8Array) => void = () => {};
      const echoed = new Promise<Uint8Array>((resolve) => (done = resolve));
      const sent = await operator.send('n1', octets, done);
      assert.equal(Buffer.from(await echoed), Buffer.from(octets));
      await sent.stop();
    }
  });

  test.run();
}
