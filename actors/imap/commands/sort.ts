/** SORT and UID SORT: RFC 5256 §3, RFC 5957 for display names, RFC 5267 §3 for RETURN, RFC 7162 §3.1.9. */
import { compareRows, type SortKeys } from '../../../mime/sort-keys.ts';
import type { CommandOf, SortKey } from '../../../protocols/imap/command.ts';
import { done, type Handler } from '../outcome.ts';
import * as replies from '../replies.ts';
import { extendedSearch, find, modSeqTold, save } from '../searching.ts';
import { selectedBy } from '../selected-mailbox.ts';
import { sortRows } from '../sort-rows.ts';

export const sort: Handler<CommandOf<'SORT'>> = async (command, session, signal) => {
  const { uid, returns, criteria } = command;
  const mailbox = selectedBy(session);
  const { numbers: numbering } = mailbox.view;
  const saves = returns?.includes('SAVE') === true;
  const found = await find(command, session, mailbox, signal);
  if (!found.ok) {
    if (saves && found.refusal.status === 'NO') mailbox.view.saved = new Uint32Array(0); // RFC 5182 §2.1
    return found.refusal;
  }
  const { numbers, modSeq, told } = found.value;
  const rows = await sortRows(mailbox, numbers, keysFor(criteria));
  if (!rows.ok) {
    if (saves) mailbox.view.saved = new Uint32Array(0);
    return replies.refusal(rows.refusal);
  }
  const sequences = rows.value.sort(compareRows(criteria)).map(({ sequence }) => sequence);
  const list = uid ? sequences.map((sequence) => numbering.uid(sequence)) : sequences;
  if (returns === undefined) {
    return done('SORT completed', [
      ...told,
      { type: 'SORT', numbers: list, modSeq: list.length > 0 ? modSeq : undefined },
    ]);
  }
  const ends = [sequences[0], sequences.at(-1)].map((each) => each && numbering.uid(each));
  save(mailbox, returns, numbers, ends);
  const highest = await modSeqTold(mailbox, returns, modSeq, ends);
  const ordered = { count: list.length, first: list[0], last: list.at(-1), all: list };
  const response = extendedSearch(command, returns, ordered, highest);
  return done('SORT completed', response === undefined ? told : [...told, response]);
};

const KEYS: { readonly [By in SortKey]: keyof SortKeys | undefined } = {
  ARRIVAL: undefined,
  CC: 'cc',
  DATE: 'sent',
  DISPLAYFROM: 'displayFrom',
  DISPLAYTO: 'displayTo',
  FROM: 'from',
  SIZE: undefined,
  SUBJECT: 'baseSubject',
  TO: 'to',
};

const keysFor = (criteria: CommandOf<'SORT'>['criteria']): readonly (keyof SortKeys)[] => [
  ...new Set(criteria.flatMap(({ by }) => KEYS[by] ?? [])),
];
