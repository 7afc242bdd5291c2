/** A machine's state as an operator reads it. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { stateWord } from '../../actors/live-session.ts';

test('a state is one word, outermost first', () => {
  assert.is(stateWord('closed'), 'closed');
  assert.is(stateWord({ authorization: 'ready' }), 'authorization.ready');
  assert.is(stateWord({ a: { b: { c: 'd' } } }), 'a.b.c.d');
});

test('regions of a parallel state stand beside each other', () => {
  assert.is(
    stateWord({ session: { selected: 'ready' }, transport: 'clear' }),
    'session.selected.ready+transport.clear',
  );
  assert.is(stateWord({ session: {} }), 'session');
});

test.run();
