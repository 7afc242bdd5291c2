/** RFC 4013 §3's own examples, and what is promised beyond them. */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { saslprep } from '../../../actors/authenticator/saslprep.ts';

test('RFC 4013 §3: the examples', () => {
  assert.is(saslprep('I\u00ADX'), 'IX');
  assert.is(saslprep('user'), 'user');
  assert.is(saslprep('USER'), 'USER');
  assert.is(saslprep('\u00AA'), 'a');
  assert.is(saslprep('\u2168'), 'IX');
  assert.is(saslprep('\u0007'), undefined);
});

test('spaces of all kinds become one kind, and the two ways to write an umlaut become one', () => {
  assert.is(saslprep('a\u00A0b\u3000c'), 'a b c');
  assert.is(saslprep('Mu\u0308ller'), saslprep('M\u00FCller'));
});

test('private use, lone surrogates, non-characters, controls and tags are prohibited', () => {
  for (const text of ['\uE000', '\uD800', '\uFFFE', '\u0085', '\u{E0041}', '\u202E', '\uFFFD', 'ok\u007F']) {
    assert.is(saslprep(text), undefined, JSON.stringify(text));
  }
});

test('letters newer than Unicode 3.2 are let through', () => {
  assert.is(saslprep('\u{1F600}'), '\u{1F600}');
});

test('ASCII without controls comes out as it went in; preparing twice is preparing once', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme-ascii' }), (text) => {
      assert.is(saslprep(text), text);
    }),
  );
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const once = saslprep(text);
      if (once !== undefined) assert.is(saslprep(once), once);
    }),
  );
});

test.run();
