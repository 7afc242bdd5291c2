/**
 * How numbered operations of sessions of purpose `mailboxes` are decided: once, under their counter, for an account that has
 * rights. What is accepted is stored with its effect, also where there was nothing to do: a late copy must not find some.
 */
import { accept, type Result, refuse } from '../../kernel/result.ts';
import type { Change } from '../../store/change.ts';
import type { View } from '../../store/key-value.ts';
import type { Decision } from './decide.ts';
import type { Answers } from './operation.ts';
import type { Asker } from './rights.ts';
import { numbered } from './session.ts';

export type Outcome<A, R> = Result<{ readonly changes: readonly Change[]; readonly answer: A }, R>;

/** The outcome of an operation of that type. */
export type OutcomeOf<T extends keyof Answers> = Outcome<
  Extract<Answers[T], { readonly ok: true }>['value'],
  Exclude<Extract<Answers[T], { readonly ok: false }>['refusal'], 'stale' | 'unknown-handle'>
>;

/** @param run  what comes of it, when it is new */
export function once<A, R>(
  view: View,
  { session, counter }: { readonly session: string; readonly counter: number },
  run: (asker: Asker) => Outcome<A, R>,
): Decision<Result<A, R | 'stale' | 'unknown-handle'>> {
  const no = (refusal: R | 'stale' | 'unknown-handle') => ({ changes: [], answer: refuse(refusal) });
  const request = numbered(view, session, counter);
  // Stored by this same operation, under this same counter.
  if (request.kind === 'answered') return { changes: [], answer: accept(request.answer as A) };
  if (request.kind === 'stale') return no('stale');
  if (request.kind === 'unknown') return no('unknown-handle');
  const { purpose, account, administers } = request.row;
  if (purpose !== 'mailboxes' || account === null) return no('unknown-handle');
  const outcome = run({ account, ...(administers && { administers }) });
  if (!outcome.ok) return no(outcome.refusal);
  const { changes, answer } = outcome.value;
  return { changes: [...changes, { type: 'SessionAnswered', session, counter, answer }], answer: accept(answer) };
}

/** A ready-made outcome. */
export const done = <A>(answer: A, ...changes: readonly Change[]): Outcome<A, never> => accept({ changes, answer });
