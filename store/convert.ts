/**
 * A store of an older format becomes one of this program's, when it is opened. Format 1 had no flags, and nothing to find
 * messages by but their UIDs: all that is made here from the messages' rows.
 *
 * Done in steps that are transactions of their own, between two notes that it began and ended: broken off it begins again and
 * comes to the same. Knows LMDB no more than apply does.
 */
import type { KeyValue, View } from './key-value.ts';
import * as t from './tables.ts';
import { editUidBits, PRESENT } from './uid-bits.ts';

/** Messages in one transaction. */
const MESSAGES_A_STEP = 2_000;
/** Bitmaps removed in one transaction. */
const BITMAPS_A_STEP = 1_000;

export type Step = (write: (to: KeyValue) => void) => Promise<void>;

/**
 * @param view  what is committed, as it is after each step
 * @param step  commits what `write` puts and removes
 */
export async function convertFromFormat1(view: View, step: Step): Promise<void> {
  // What an attempt that was broken off left there may be of messages that went since.
  for (;;) {
    const bitmaps = [...t.uidBits.range(view, [], { limit: BITMAPS_A_STEP })];
    if (bitmaps.length === 0) break;
    await step((to) => {
      for (const { key } of bitmaps) t.uidBits.remove(to, ...key);
    });
  }
  for (const { key } of [...t.mailboxes.range(view, [])]) await convertMailbox(view, step, ...key);
}

async function convertMailbox(view: View, step: Step, account: string, mailbox: number): Promise<void> {
  let after = 0;
  for (let isLast = false; !isLast; ) {
    const page = [
      ...t.messages.range(view, [account, mailbox], { after: [account, mailbox, after], limit: MESSAGES_A_STEP }),
    ];
    isLast = page.length < MESSAGES_A_STEP;
    await step((to) => {
      const bits = editUidBits(to, account, mailbox);
      for (const { key, row } of page) {
        const { sequence, internalDate } = row;
        t.messages.put(to, key, { ...row, flags: 0, saveDate: internalDate, emailId: sequence });
        bits.set(PRESENT, key[2]);
      }
      bits.write();
      if (isLast) convertRow(to, account, mailbox);
    });
    after = page.at(-1)?.key[2] ?? after;
  }
}

function convertRow(to: KeyValue, account: string, mailbox: number): void {
  const { name, uidValidity, uidNext, modSeq, messages, octets } = t.mailboxes.get(to, account, mailbox)!;
  t.mailboxes.put(to, [account, mailbox], {
    name,
    uidValidity,
    uidNext,
    modSeq,
    messages,
    octets,
    unseen: messages,
    deleted: 0,
    deletedOctets: 0,
    recentFrom: 1,
    vanishedFrom: modSeq, // what vanished before was not written down
    vanishedRanges: 0,
    vanishedLast: null,
  });
}
