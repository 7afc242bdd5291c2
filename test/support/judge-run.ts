/** A node and a Dovecot of their own, the messages put into both, and what came of it sorted by the rules that are known. */
import { join } from 'node:path';
import { JUDGE, startImapDovecot } from './dovecot.ts';
import { ImapWire } from './imap-wire.ts';
import { type Difference, type JudgedMessage, judge, type Verdict } from './judge.ts';
import { explain } from './judge-known.ts';
import { withFleet } from './system.ts';

export type Judgement = {
  readonly asked: Verdict['asked'];
  /** How often each rule explained a difference. */
  readonly known: ReadonlyMap<string, number>;
  readonly unknown: readonly Difference[];
};

export async function judgeByDovecot(messages: readonly JudgedMessage[]): Promise<Judgement> {
  let verdict: Verdict | undefined;
  await withFleet({ nodes: ['n1'], nats: 0 }, async (fleet, directory) => {
    const node = fleet.node('n1');
    await node.ask('account.add', { name: `${JUDGE.name}@example.test`, secret: JUDGE.secret, mailHost: 'n1' });
    const dovecot = await startImapDovecot(join(directory, 'dovecot'));
    const open: ImapWire[] = [];
    try {
      for (const endpoint of [node.imap!, dovecot.imap])
        open.push(await ImapWire.open(endpoint, JUDGE.name, JUDGE.secret));
      verdict = await judge({ ours: open[0]!, theirs: open[1]! }, messages);
    } finally {
      for (const client of open) client.close();
      await dovecot.stop();
    }
  });
  const known = new Map<string, number>();
  const unknown = verdict!.differences.filter((difference) => {
    const rules = explain(difference, messages);
    for (const id of rules) known.set(id, (known.get(id) ?? 0) + 1);
    return rules.length === 0;
  });
  return { asked: verdict!.asked, known, unknown };
}

export const told = ({ message, ask, ours, theirs }: Difference): string =>
  `${message?.name ?? 'all messages'}: ${ask}\n  Homing:  ${ours.slice(0, 1000)}\n  Dovecot: ${theirs.slice(0, 1000)}`;
