/**
 * copy: messages of one mailbox into another of the same mailHost, all that are there or none (RFC 9051 §6.4.7), and for a
 * move out of the first one in the same step (RFC 6851 §3.1). Needs `r` there and `i` here, and for a move `t` and `e` too
 * (RFC 6851 §4.2); flags for which the right is missing here are left out (RFC 4314 §4: COPY).
 */
import { refuse } from '../../../kernel/result.ts';
import type { Change } from '../../../store/change.ts';
import type { View } from '../../../store/key-value.ts';
import { accounts, messagesAmong, unpackMessage } from '../../../store/tables.ts';
import { rangesOf } from '../../../store/uid-ranges.ts';
import type { Decision } from '../decide.ts';
import { mailboxOf, presentAmong } from '../mailboxes.ts';
import { done, type OutcomeOf, once } from '../once.ts';
import type { Answers, Copy } from '../operation.ts';
import { changeable, lacking, rightsFor } from '../rights.ts';
import { homeOf } from './append.ts';
import { MOST_COPIED_AT_ONCE } from './limits.ts';
import { isOverQuota } from './quota.ts';

export function copy(view: View, operation: Copy): Decision<Answers['copy']> {
  return once(view, operation, (asker): OutcomeOf<'copy'> => {
    const { from, to, move, now } = operation;
    const source = mailboxOf(view, from);
    if (!source) return refuse('no-such-mailbox');
    const held = rightsFor(view, asker, from.account, from.mailbox);
    if (![...(move ? 'rte' : 'r')].every((right) => held.includes(right))) return refuse(lacking(held));
    const home = homeOf(view, asker, { ...to, now });
    if (!home.ok) return refuse(home.refusal === 'no-permission' ? 'no-permission' : 'no-such-destination');
    const { mailbox, row, created, rights } = home.value;
    const { uidValidity, uidNext } = row;
    const uids = presentAmong(view, from.account, from.mailbox, operation.uids);
    if (uids.length > MOST_COPIED_AT_ONCE) throw new RangeError(`copy: ${uids.length} messages at once`);
    if (uids.length < (operation.least ?? 0)) return refuse('gone');
    if (uids.length === 0) return done({ mailbox, uidValidity, modSeq: row.modSeq, source: [], destination: [] });
    const refusal = limitOf(view, operation, uids);
    if (refusal) return refuse(refusal);
    const may = changeable(rights);
    const modSeq = row.modSeq + 1;
    const ranges = rangesOf(uids);
    const copied: Change = {
      type: 'Copied',
      account: to.account,
      mailbox,
      modSeq,
      uid: uidNext,
      sequence: (accounts.get(view, to.account)?.lastSequence ?? 0) + 1,
      saveDate: now,
      from: { account: from.account, mailbox: from.mailbox },
      uids: ranges,
      flags: may.flags,
      withKeywords: may.keywords,
    };
    const destination = [[uidNext, uidNext + uids.length - 1]] as const;
    const answer = { mailbox, uidValidity, modSeq, source: ranges, destination };
    if (!move) return done(answer, ...created, copied);
    const isSame = from.account === to.account && from.mailbox === mailbox;
    const expunged = (isSame ? modSeq : source.row.modSeq) + 1;
    const { account } = from;
    const gone: Change = { type: 'Expunged', account, mailbox: from.mailbox, uids, modSeq: expunged };
    return done({ ...answer, expunged }, ...created, copied, gone);
  });
}

/** The account that gets them must have room; one that only moves its own needs none. */
function limitOf(view: View, operation: Copy, uids: readonly number[]): 'over-quota' | 'too-large' | undefined {
  const { from, to, move, sizeLimitOctets } = operation;
  if (move && from.account === to.account) return undefined;
  let octets = 0;
  for (const { packed } of messagesAmong(view, from.account, from.mailbox, uids)) {
    const { sizeOctets } = unpackMessage(packed);
    if (sizeLimitOctets && sizeOctets > sizeLimitOctets) return 'too-large';
    octets += sizeOctets;
  }
  const isOver = isOverQuota(operation, accounts.get(view, to.account), { octets, messages: uids.length });
  return isOver ? 'over-quota' : undefined;
}
