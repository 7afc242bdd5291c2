/**
 * decide: what would come of an operation on this state. Pure: it looks at the view and the operation, at no clock, and
 * writes nothing; the changes it returns become true only by being committed. A refusal comes with no changes.
 */
import { accept } from '../../kernel/result.ts';
import type { Change } from '../../store/change.ts';
import type { View } from '../../store/key-value.ts';
import type { Answer, Answers, OwnerOperation } from './operation.ts';
import { append } from './operations/append.ts';
import { changeMailboxes } from './operations/change-mailboxes.ts';
import { clear } from './operations/clear.ts';
import { close } from './operations/close.ts';
import { collect } from './operations/collect.ts';
import { copy } from './operations/copy.ts';
import { deliver } from './operations/deliver.ts';
import { dropAccount } from './operations/drop-account.ts';
import { dropStages } from './operations/drop-stages.ts';
import { editMailboxes } from './operations/edit-mailboxes.ts';
import { expunge } from './operations/expunge.ts';
import { forget } from './operations/forget.ts';
import { keepStructures } from './operations/keep-structures.ts';
import { open } from './operations/open.ts';
import { quit } from './operations/quit.ts';
import { showRecent } from './operations/show-recent.ts';
import { stage } from './operations/stage.ts';
import { storeFlags } from './operations/store-flags.ts';
import { sweep } from './operations/sweep.ts';

export type Decision<A> = { readonly changes: readonly Change[]; readonly answer: A };

export function decide<O extends OwnerOperation>(view: View, operation: O): Decision<Answer<O>> {
  // The table pairs each type with its own decider; TypeScript can't follow the pairing through an index.
  const decider = deciders[operation.type] as unknown as (view: View, operation: O) => Decision<Answer<O>>;
  return decider(view, operation);
}

type Deciders = {
  readonly [T in keyof Answers]: (
    view: View,
    operation: Extract<OwnerOperation, { readonly type: T }>,
  ) => Decision<Answers[T]>;
};

const deciders: Deciders = {
  open,
  stage,
  'drop-stages': dropStages,
  deliver,
  quit,
  close,
  sweep,
  'begin-epoch': () => ({ changes: [{ type: 'EpochBegan' }], answer: accept(null) }),
  collect,
  forget,
  'change-mailboxes': changeMailboxes,
  clear,
  'drop-account': dropAccount,
  'store-flags': storeFlags,
  expunge,
  append,
  copy,
  'edit-mailboxes': editMailboxes,
  'show-recent': showRecent,
  'keep-structures': keepStructures,
};
